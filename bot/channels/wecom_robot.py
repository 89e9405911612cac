"""WeCom's group robots (企业微信群机器人): an address into one group, which speaks and hears nothing."""

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import httpx

from bot.channel import Accept, Broken, Can, Gone, Later, Outcome, Rate, Refused, Request, Sent, Untrusted
from bot.channels.caller import Caller, Closed
from bot.channels.edge import Recent, fingerprint, writable
from bot.channels.wecom_client import BASE_URL
from bot.channels.wecom_robot_files import as_small_picture
from bot.media import MediaStore, NoSuchMedia
from bot.message import Inbound, Outbound
from handbook.robot_keys import read_robot_key

log = logging.getLogger(__name__)

NAME: Final = "wecom_robot"
LONGEST: Final = 2048
"""Bytes of a text (channels.md 2.2)."""
REST: Final = timedelta(minutes=1)
"""So long a robot that spoke too often is left alone: calls that are refused count as well."""

_MOBILE: Final = re.compile(r"(?:\+?86-?)?(1\d{10})")
_TOO_MUCH: Final = frozenset({45009, 45033})
_BUSY: Final = frozenset({-1, 6000})
_NO_ROBOT: Final = frozenset({93000, 93004, 93008})
"""Its key is wrong; it was switched off; it is no longer in the group."""
_SAID: Final = {
    40006: "文件太大或太小，企业微信群机器人不收：最大 20 MB。",
    40007: "文件在企业微信那边已经过期，请再发一次。",
    40009: "图片太大，企业微信群机器人不收：最大 2 MB。",
    40058: "内容太长或格式不对，企业微信群机器人不收。",
    44004: "内容是空的，企业微信群机器人不收。",
    45002: "内容太长，企业微信群机器人不收：一条最多 2048 字节。",
}
_UNBOUND: Final = "这个群没有绑定机器人的地址；请重新绑定。"
_NOTHING: Final = "这条消息里没有机器人能发的内容。"

Json = dict[str, Any]
Piece = Callable[[str], Awaitable[Json | None]]
"""Makes one message's content for a robot's key; None where there is nothing to say."""


class _Ended(Exception):
    """WeCom did not take a call."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(type(outcome).__name__)
        self.outcome = outcome


class WeComRobotChannel:
    """Speaks in groups through the robots that their people have set up; each group has its robot's key.

    Args:
        now: gives aware UTC.
        media: where pictures and files are read from; without it they are left out.
        base_url: where the robots are (XIAOGE_WECOM_ROBOT_BASE_URL). The host in what is pasted is not taken.
        patience: seconds until a call that is not answered is given up.
    """

    name = NAME
    can = Can(
        photos=True,
        group_push=True,
        private=False,
        mentions=True,
        files=True,
        webhook=False,
        longest=LONGEST,
        per_second=15.0,
        per_chat_second=0.5,
        rates=(Rate("group", 18, timedelta(minutes=1)),),
        at_once=5,
    )

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        media: MediaStore | None = None,
        base_url: str = BASE_URL,
        patience: float = 10.0,
    ) -> None:
        self._now = now
        self._media = media
        self._base_url = base_url.rstrip("/")
        self._line = Caller(patience)
        self._resting: Recent[str, datetime] = Recent(1000)
        """Until when a robot is left alone, by its key's fingerprint."""
        self._halfway: Recent[int, tuple[int, int]] = Recent(1000)
        """How many pieces of a message are done, and how many of them were said, by mail id."""

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        key = _key_of(message.secret)
        if not key:
            return Refused(_UNBOUND)
        if any(len(writable(part).encode()) > LONGEST for part in message.parts):
            return Refused(_SAID[45002])
        robot = fingerprint(key.encode())
        rest = self._resting.get(robot, self._now()) - self._now()
        if rest > timedelta(0):
            return Later(rest.total_seconds())
        outcome = await self._tried(message, key)
        if isinstance(outcome, Later):
            self._resting[robot] = self._now() + REST
        return outcome

    async def _tried(self, message: Outbound, key: str) -> Outcome:
        try:
            return await self._say(message, key)
        except _Ended as ended:
            return ended.outcome
        except (httpx.HTTPError, Closed) as error:
            return Broken(type(error).__name__)  # its words may hold the address
        except Exception as error:  # noqa: BLE001 - its words and its trace may hold the robot's key
            log.error("mail %d was not sent: %s", message.mail_id, type(error).__name__)
            return Broken(type(error).__name__)

    async def _say(self, message: Outbound, key: str) -> Outcome:
        done, said = self._halfway.get(message.mail_id, (0, 0))
        for number, piece in list(enumerate(self._pieces(message)))[done:]:
            content = await piece(key)
            if content is not None and await self._taken(key, content):
                said += 1
            self._halfway[message.mail_id] = number + 1, said
        self._halfway.pop(message.mail_id, None)
        return Sent("") if said else Refused(_NOTHING)  # the platform gives these messages no name

    def _pieces(self, message: Outbound) -> list[Piece]:
        pieces: list[Piece] = [partial(self._picture, name) for name in message.photos]
        for number, part in enumerate(message.parts):
            pieces.append(partial(_text, part, message.mentions if number == 0 else ()))
        return pieces + [partial(self._file, name) for name in message.files]

    async def _taken(self, key: str, content: Json) -> bool:
        """Say one; a picture or file that is not taken is left out, for the words matter more."""
        try:
            await self._call("send", key, json=content)
        except _Ended as ended:
            if content["msgtype"] == "text" or not isinstance(ended.outcome, Refused):
                raise
            log.warning("a file was not taken: %s", ended.outcome.why)
            return False
        return True

    async def _picture(self, name: str, key: str) -> Json | None:
        data = await self._read(name)
        if data is None:
            return None
        try:
            small = await asyncio.to_thread(as_small_picture, data)
        except (OSError, ValueError) as error:
            log.warning("a picture cannot be shown: %s", type(error).__name__)
            return None
        digest = hashlib.md5(small, usedforsecurity=False).hexdigest()
        return {"msgtype": "image", "image": {"base64": base64.b64encode(small).decode(), "md5": digest}}

    async def _file(self, name: str, key: str) -> Json | None:
        data = await self._read(name)
        if data is None:
            return None
        files = {"media": (f"file.{name.rpartition('.')[2]}", data, "application/octet-stream")}
        try:
            answer = await self._call("upload_media", key, {"type": "file"}, files=files)
        except _Ended as ended:
            if not isinstance(ended.outcome, Refused):
                raise
            log.warning("a file was not taken: %s", ended.outcome.why)
            return None
        return {"msgtype": "file", "file": {"media_id": str(answer.get("media_id", ""))}}

    async def _read(self, name: str) -> bytes | None:
        """A kept picture or file; None when it is lost, and the words go without it."""
        try:
            if self._media is not None:
                return await asyncio.to_thread(self._media.read, name)
        except (NoSuchMedia, OSError) as error:
            log.warning("a file cannot be read: %s", type(error).__name__)
        return None

    async def _call(self, what: str, key: str, query: dict[str, str] | None = None, **more: Any) -> Json:
        """Call a robot. Raises _Ended, httpx.HTTPError, or Closed."""
        address = f"{self._base_url}/cgi-bin/webhook/{what}"
        answer = await self._line.post(address, params={"key": key, **(query or {})}, **more)
        if answer.status_code == 429:
            raise _Ended(Later(REST.total_seconds()))
        if not answer.is_success:
            raise _Ended(Broken(f"HTTP {answer.status_code}"))
        try:
            told = dict(answer.json())
            code = int(told.get("errcode", -1))
        except (ValueError, TypeError):
            raise _Ended(Broken("the answer is not WeCom's: is the base address right?")) from None
        if code != 0:
            raise _Ended(_outcome(code))
        return told

    # -- what it cannot -----------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Refuse all: such a robot hears nothing."""
        raise Untrusted("a group's robot hears nothing")

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Nothing was ever sent to it."""
        return None

    async def start(self, accept: Accept) -> None:
        """There is nothing to listen to; it may speak again after it was stopped."""
        self._line.open()

    async def stop(self) -> None:
        """Release connections."""
        await self._line.close()


def _key_of(secret: str) -> str:
    """The key in what was bound, be it bare or in its webhook's address; empty where there is none."""
    try:
        found = read_robot_key(secret)
    except ValueError:
        return ""
    return found[1] if found is not None and found[0] == NAME else ""


async def _text(words: str, mentions: Sequence[str], _: str) -> Json | None:
    """Plain words: 微信插件 shows nothing else. Nobody calls a whole group."""
    words = writable(words)
    if not words.strip():
        return None
    mobiles = [found[1] for name in mentions if (found := _MOBILE.fullmatch(name))]
    users = [name for name in mentions if not _MOBILE.fullmatch(name) and name != "@all"]
    called = {"mentioned_list": users, "mentioned_mobile_list": mobiles}
    return {
        "msgtype": "text",
        "text": {"content": words} | {field: some for field, some in called.items() if some},
    }


def _outcome(code: int) -> Outcome:
    """What an error number means. The platform's own words stay out: they may quote ours."""
    if code in _TOO_MUCH:
        return Later(REST.total_seconds())
    if code in _BUSY:
        return Broken(f"WeCom is busy ({code})")
    if code in _NO_ROBOT:
        return Gone(f"群里的机器人已不在、被停用，或它的地址不对（{code}）；请重新绑定。")
    return Refused(_SAID.get(code, f"企业微信不接受这条消息（{code}）。"))
