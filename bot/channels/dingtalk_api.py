"""DingTalk's own interfaces, called by hand: one token for all processes, one kind of error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bot.channel import Broken, Gone, Later, Outcome, Refused
from bot.channels.caller import Caller
from bot.media import LARGEST
from bot.tokens import EARLY, Fetched, Tokens

BASE: Final = "https://api.dingtalk.com"
OLD_BASE: Final = "https://oapi.dingtalk.com"
MESSAGES: Final = "/v1.0/im/bot/messages/get"
"""The topic under which the gateway delivers what people say to a robot."""

_STALE: Final = ("invalidauthentication", "40001", "40014", "42001")
_THROTTLED: Final = ("qpslimit", "throttl", "toomanyrequests", "flowcontrol", "90018", "90002", "frequency")
_NOBODY: Final = ("staffid.notexisted", "group.disbanded", "bot.stopped", "openconversationid")
_BLOCKED: Final = ("130101", "410100")
"""More than 20 messages in a minute in one group: nothing is taken for ten (channels.md 2.8)."""
_QUOTA: Final = ("quota", "callslimit")

_MENDABLE: Final = (
    *("system.err", "robotcode", "resource.not.found", "accessdenied", "permission", "whitelist"),
    *("invalidclient", "authfailed"),
)
"""DingTalk is busy, or a setting is wrong: the message itself may be right, and is tried again."""


class DingTalkError(Exception):
    """A call that DingTalk refused; `code` is its own name for why, and never holds anything of ours."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{code or 'no code'} (HTTP {status})")
        self.status = status
        self.code = code

    def is_(self, signs: tuple[str, ...]) -> bool:
        """Whether its code is one of these numbers, or has one of these words in it, in small letters."""
        code = self.code.lower()
        return any(one == code if one.isdecimal() else one in code for one in signs)

    @property
    def stale(self) -> bool:
        """Whether another token may help."""
        return self.status == 401 or self.is_(_STALE)

    @property
    def throttled(self) -> bool:
        """Whether it was only too fast; one of its codes for this looks like a missing right."""
        return self.status == 429 or self.is_(_THROTTLED)


def outcome_of(error: Exception) -> Outcome:
    """What a call that went wrong means for a letter."""
    if not isinstance(error, DingTalkError):
        return Broken(type(error).__name__)  # the client's words may hold an address with a token
    if error.is_(_BLOCKED):
        return Later(600.0)
    if error.throttled:
        return Later(2.0)
    if error.is_(_QUOTA):
        return Later(3600.0)  # the month's calls are used up: the keeper has to buy some
    if error.is_(_NOBODY):
        return Gone(str(error))
    if error.status >= 500 or error.stale or error.is_(_MENDABLE):
        return Broken(str(error))
    return Refused(str(error))


@dataclass(frozen=True)
class App:
    """An application of an organisation, with its robot."""

    client_id: str
    client_secret: str = field(repr=False)
    robot_code: str
    base_url: str = BASE
    old_base_url: str = OLD_BASE
    """Where what DingTalk has not moved yet is: uploads, and answers into a conversation."""


class Api:
    """Calls DingTalk.

    Args:
        app: who calls.
        tokens: where access tokens are kept for all processes.
        patience: seconds until a call that is not answered is given up.
    """

    def __init__(self, app: App, tokens: Tokens, patience: float = 10.0) -> None:
        self.app = app
        self._tokens = tokens
        self.line = Caller(patience)

    async def call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Call a new interface with the token, which is renewed once when it is refused.

        Raises DingTalkError, httpx.HTTPError or Closed.
        """
        name = f"dingtalk:{self.app.client_id}"
        token = await self._tokens.get(name, self.fetch_token)
        try:
            return await self._post(path, body, token)
        except DingTalkError as error:
            if not error.stale:
                raise
            token = await self._tokens.get(name, self.fetch_token, stale=token)
            return await self._post(path, body, token)

    async def fetch_token(self) -> Fetched:
        """Ask for a new token. Raises DingTalkError, httpx.HTTPError or Closed."""
        who = {"appKey": self.app.client_id, "appSecret": self.app.client_secret}
        got = await self._post("/v1.0/oauth2/accessToken", who)
        # DingTalk gives the same token again until it ends: asked for early, it would be asked all the time.
        return Fetched(str(got["accessToken"]), float(got.get("expireIn", 7200)) + EARLY.total_seconds())

    async def open_line(self) -> tuple[str, str]:
        """Ask for a line to the gateway: its address, and a ticket that opens it once.

        Raises DingTalkError, httpx.HTTPError or Closed.
        """
        body = {
            "clientId": self.app.client_id,
            "clientSecret": self.app.client_secret,
            "subscriptions": [{"type": "CALLBACK", "topic": MESSAGES}],
            "ua": "xiaoge",
        }
        got = await self._post("/v1.0/gateway/connections/open", body)
        return str(got["endpoint"]), str(got["ticket"])

    async def _post(self, path: str, body: Mapping[str, Any], token: str = "") -> dict[str, Any]:
        headers = {"x-acs-dingtalk-access-token": token} if token else {}
        answer = await self.line.post(f"{self.app.base_url}{path}", json=body, headers=headers)
        return _read(answer)

    async def answer(self, address: str, body: Mapping[str, Any]) -> None:
        """Say something by the address that came with a message. Raises as `call` does."""
        _read(await self.line.post(address, json=body))

    async def upload(self, kind: str, name: str, data: bytes) -> str:
        """Hand over a picture or a file, and get its name there. Raises as `call` does."""
        token_name = f"dingtalk:{self.app.client_id}"
        token = await self._tokens.get(token_name, self.fetch_token)
        try:
            return await self._upload(kind, name, data, token)
        except DingTalkError as error:
            if not error.stale:
                raise
            token = await self._tokens.get(token_name, self.fetch_token, stale=token)
            return await self._upload(kind, name, data, token)

    async def _upload(self, kind: str, name: str, data: bytes, token: str) -> str:
        address = f"{self.app.old_base_url}/media/upload"
        query = {"access_token": token, "type": kind}
        got = _read(await self.line.post(address, params=query, files={"media": (name, data)}))
        return str(got["media_id"])

    async def download(self, code: str) -> tuple[bytes, str] | None:
        """Bytes and content type of what somebody sent; None where it is gone or larger than 20 MB.

        Raises DingTalkError, httpx.HTTPError or Closed.
        """
        wanted = {"downloadCode": code, "robotCode": self.app.robot_code}
        address = str((await self.call("/v1.0/robot/messageFiles/download", wanted))["downloadUrl"])
        data = bytearray()
        async with self.line.get(address) as answer:
            if answer.status_code in (403, 404, 410):
                return None  # the address is made for this one look: what it does not lead to is gone
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                data += piece
                if len(data) > LARGEST:
                    return None
            return bytes(data), answer.headers.get("content-type", "")


def _read(answer: httpx.Response) -> dict[str, Any]:
    """What DingTalk answered; new interfaces tell trouble by the status, old ones by a number in the body."""
    try:
        got = answer.json()
    except ValueError:
        got = None
    if not isinstance(got, dict):
        raise DingTalkError(503, f"NotDingTalk.{answer.status_code}")  # some proxy's page, or a wrong address
    if not answer.is_success:
        raise DingTalkError(answer.status_code, str(got.get("code", ""))[:100])
    if got.get("errcode", 0) != 0:
        raise DingTalkError(answer.status_code, str(got["errcode"])[:20])
    return got
