"""The API of an official account: WeCom's manners, with a token and errors of its own."""

from typing import Final

import httpx

from bot.channel import Broken, Closed, Gone, Later, Outcome, Refused
from bot.channels.wecom_client import Downloaded, Json, WeComClient, WeComError, at_most, field_of
from bot.tokens import EARLY, Fetched, Tokens

BASE_URL: Final = "https://api.weixin.qq.com"
OVER: Final = frozenset({45015, 45047})
"""Two days since the person's last message, or five messages since then (channels.md 2.6)."""
FORBIDDEN: Final = 48001
"""The account is not verified: it may answer, and say nothing unasked."""
_GONE: Final = frozenset({40003, 43004})
_MENDABLE: Final = frozenset(
    {-1, 40001, 40002, 40013, 40014, 40125, 40164, 40243, 41001, 41002, 41004, 42001, 42007, 48004, 50004}
)
"""A setting is wrong or WeChat is busy: the message itself may be right, and is tried again."""
_PLAIN: Final = {
    40003: "这个人的 OpenID 不是本公众号的",
    43004: "对方没有关注，或已经取消关注",
    45015: "对方 48 小时内没有说过话，要等对方先说",
    45047: "对方上次说话以后已经发满条数，要等对方再说",
    48001: "公众号没有认证，只能被动回复，不能主动发消息",
}


class WeChatClient(WeComClient):
    """Calls WeChat in the name of one official account.

    Args:
        app_id: of the account.
        secret: its AppSecret.
        tokens: where the access token is shared with the other processes.
        base_url: another server than WeChat's own.
        patience: seconds until a call that is not answered is given up.
    """

    def __init__(
        self, app_id: str, secret: str, tokens: Tokens, *, base_url: str = BASE_URL, patience: float = 10.0
    ) -> None:
        super().__init__(app_id, secret, tokens, base_url=base_url, patience=patience, name="wechat")
        self._stale: str | None = None

    async def token(self, stale: str | None = None) -> str:
        """The access token; `stale` is one that was just refused. Raises as `post`."""
        self._stale = stale
        return await super().token(stale)

    async def _fetch(self) -> Fetched:
        """By stable_token: asked again, it gives the same token, and leaves other programs theirs.

        Only where that is the very token that was refused, a new one is forced.
        """
        answer = await self._ask_for_token(forced=False)
        if answer.get("access_token") == self._stale:
            answer = await self._ask_for_token(forced=True)
        seconds = float(answer.get("expires_in", 7200))
        return Fetched(field_of(answer, "access_token"), seconds + EARLY.total_seconds())

    async def _ask_for_token(self, *, forced: bool) -> Json:
        asked = {"grant_type": "client_credential", "appid": self.corp_id, "secret": self._secret}
        return self._read(await self._send("POST", "stable_token", json={**asked, "force_refresh": forced}))

    async def _elsewhere(self, answer: Json, most: int) -> Downloaded | None:
        """A video is not sent but named: it is fetched where it lies, without the token."""
        address = answer.get("video_url")
        if not isinstance(address, str) or not address.startswith(("http://", "https://")):
            return None
        try:
            async with (
                httpx.AsyncClient(timeout=self._patience) as line,
                line.stream("GET", address) as found,
            ):
                if not found.is_success:
                    raise ConnectionError(f"a video: HTTP {found.status_code}")
                data = await at_most(found, most)
        except httpx.HTTPError as error:
            raise ConnectionError(f"a video: {type(error).__name__}") from None
        return None if data is None else Downloaded(data, "mp4")


def words_of(error: WeComError) -> str:
    """A refusal in plain words."""
    return f"{error.code} {_PLAIN.get(error.code, error.words)}"[:200]


def outcome_of(error: Exception) -> Outcome:
    """What a failed call means for the message it carried."""
    if not isinstance(error, WeComError):
        return Broken(str(error) if isinstance(error, ConnectionError) else type(error).__name__)
    if error.wait:
        return Later(error.wait)
    if error.code in OVER or error.code == FORBIDDEN:
        return Closed(words_of(error))
    if error.code in _GONE:
        return Gone(words_of(error))
    return Broken(words_of(error)) if error.code in _MENDABLE else Refused(words_of(error))
