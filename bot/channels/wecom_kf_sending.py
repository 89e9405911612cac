"""What is said through 微信客服: words, a menu with what may be chosen, pictures; each piece once."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.channel import Broken, Closed, Gone, Outcome, Refused, Sent
from bot.channels.edge import Recent, writable
from bot.channels.wecom_client import Json, WeComClient, WeComError
from bot.channels.wecom_client import outcome_of as common_outcome
from bot.channels.wecom_files import Uploads
from bot.channels.wecom_kf_reading import Came
from bot.media import NoSuchMedia
from bot.message import Outbound

log = logging.getLogger(__name__)

LONGEST: Final = 2048
"""Bytes of UTF-8."""
CODE_LASTS: Final = timedelta(seconds=20)
MOST_CHOICES: Final = 10
_HEAD: Final = 1024
_ITEM: Final = 128
"""Bytes of a menu's words, and of what stands on one of its lines or behind it."""
_WORDS: Final = {
    95001: "已经发满 5 条，要等对方再说",
    95002: "对方 48 小时内没有说过话，要等对方先说",
    95013: "会话已经结束，要等对方再说",
    95016: "会话现在由人工接待，智能助手不能说话",
}
_NO_SUCH_ACCOUNT: Final = frozenset({95000, 95004, 48002, 95011, 95012})
"""A setting is wrong: the message itself may be right, and is tried again."""
_NO_SUCH_PERSON: Final = frozenset({40096, 84061})
_LOST_FILES: Final = frozenset({40004, 40006, 40007, 40009})


class Sender:
    """Says messages in the name of one account.

    Args:
        client: of 微信客服.
        kf_id: the account.
        uploads: pictures that go along.
        now: gives aware UTC.
    """

    def __init__(
        self, client: WeComClient, kf_id: str, uploads: Uploads, now: Callable[[], datetime]
    ) -> None:
        self._client = client
        self._kf_id = kf_id
        self._uploads = uploads
        self._now = now
        self._codes: Recent[str, tuple[str, datetime]] = Recent(2000)
        self._halfway: Recent[int, int] = Recent(5000)
        """Pieces that were said before a message failed, by mail id."""

    def may_greet(self, came: Came) -> None:
        """Somebody came: the next words to them go by this code, which is good for one use."""
        self._codes[came.handle] = came.code, self._now()

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        unfit = _unfit(message)
        if unfit is not None:
            return unfit
        try:
            return await self._say(message)
        except Exception as error:
            log.exception("mail %d was not sent", message.mail_id)
            return Broken(type(error).__name__)

    async def _say(self, message: Outbound) -> Outcome:
        """The words first, for the window may close behind them."""
        names: list[str] = []
        words = len(message.parts)
        for number in range(self._halfway.get(message.mail_id, 0), words + len(message.photos)):
            try:
                names.append(await self._piece(message, number))
            except (WeComError, ConnectionError) as error:
                outcome = outcome_of(error)
                if not (number >= words > 0 and isinstance(outcome, Closed)):
                    return outcome
                log.info("a picture was not sent: %s", outcome.why)
                break
            self._halfway[message.mail_id] = number + 1
        self._halfway.pop(message.mail_id, None)
        return Sent(",".join(filter(None, names)))

    async def _piece(self, message: Outbound, number: int) -> str:
        """Say one piece. Returns the platform's name of it; empty where there was nothing to say."""
        content = await self._content(message, number)
        if content is None:
            return ""
        try:
            return await self._post(message, content)
        except WeComError as error:
            if content["msgtype"] == "msgmenu" and isinstance(outcome_of(error), Refused):
                return await self._post(message, _text(message.parts[number]))
            if content["msgtype"] == "image" and error.code in _LOST_FILES:
                log.warning("a picture was not taken: %s", error)
                return ""
            raise

    async def _content(self, message: Outbound, number: int) -> Json | None:
        if number < len(message.parts):
            if not message.parts[number].strip():
                return None
            menu = _menu(message, number) if number == len(message.parts) - 1 else None
            return menu or _text(message.parts[number])
        key = message.photos[number - len(message.parts)]
        try:
            return {"msgtype": "image", "image": {"media_id": await self._uploads.media_id(key, "image")}}
        except ConnectionError:
            raise
        except (NoSuchMedia, OSError, ValueError) as error:
            log.warning("a picture cannot be read: %s", type(error).__name__, extra={"key": key})
        return None

    async def _post(self, message: Outbound, content: Json) -> str:
        """By the code of whoever has just come, else as a message of its own."""
        code, at = self._codes.pop(message.handle, ("", self._now()))
        if code and self._now() < at + CODE_LASTS and content["msgtype"] in ("text", "msgmenu"):
            try:
                greeted = await self._client.post("kf/send_msg_on_event", {"code": code, **content})
                return str(greeted.get("msgid", ""))
            except WeComError as error:
                log.info("nobody was greeted by a code: %s", error)
        body = {"touser": message.handle, "open_kfid": self._kf_id, **content}
        return str((await self._client.post("kf/send_msg", body)).get("msgid", ""))


def _text(words: str) -> Json:
    return {"msgtype": "text", "text": {"content": writable(words)}}


def _menu(message: Outbound, number: int) -> Json | None:
    """The last words with choices to tap on, where the limits allow; the numbers stand in it as well."""
    words = writable(message.parts[number])
    buttons = message.buttons
    if not 1 <= len(buttons) <= MOST_CHOICES or len(words.encode()) > _HEAD:
        return None
    items = [(writable(label), payload) for label, payload in buttons]
    if any(not label.strip() or max(len(label.encode()), len(key.encode())) > _ITEM for label, key in items):
        return None
    lines = [{"type": "click", "click": {"id": key, "content": label}} for label, key in items]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": words, "list": lines}}


def _unfit(message: Outbound) -> Outcome | None:
    """Why a message cannot be said to whom it is for; None where it can."""
    if message.group:
        return Refused("微信客服 has no groups")
    if not message.handle.strip():
        return Gone("no account")
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in message.parts):
        return Refused("longer than 微信客服 takes")
    return None


def outcome_of(error: Exception) -> Outcome:
    """What a failed call means for the message it carried."""
    if not isinstance(error, WeComError):
        return common_outcome(error)
    if error.code in _WORDS:
        return Closed(f"{error.code} {_WORDS[error.code]}")
    if error.code in _NO_SUCH_PERSON:
        return Gone(str(error))
    return Broken(str(error)) if error.code in _NO_SUCH_ACCOUNT else common_outcome(error)
