"""What an official account says: in the answer that is open, else by messages of its own, each part once."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakValueDictionary

from bot.channel import Broken, Closed, Gone, Later, Outcome, Refused, Sent
from bot.channels.edge import Recent, writable
from bot.channels.wechat_answering import LONGEST, Answering
from bot.channels.wechat_client import FORBIDDEN, WeChatClient, outcome_of, words_of
from bot.channels.wechat_knock import Knock
from bot.channels.wecom_client import Json, WeComError
from bot.channels.wecom_files import Uploads
from bot.media import NoSuchMedia
from bot.message import Outbound

log = logging.getLogger(__name__)

SILENT: Final = timedelta(hours=1)
"""How long an account without 认证 is believed to be one; then it is tried whether that has changed."""
BEHIND: Final = 1.0
"""Seconds after which a letter is tried again whose predecessor failed."""
_LOST_FILES: Final = frozenset({40004, 40005, 40006, 40007, 40009})


@dataclass
class _Chat:
    """Who is written to now: one letter after the other."""

    latest: asyncio.Event | None = None
    """Set when the letter that came last has ended."""
    failures: int = 0
    last: Outcome = field(default_factory=lambda: Broken(""))


class Sender:
    """Says messages in the name of an account.

    Args:
        client: of the account.
        answering: the answers that are open.
        uploads: pictures that go along.
        knock: asks somebody to write, where the window is closed.
        now: gives aware UTC.
    """

    def __init__(
        self,
        client: WeChatClient,
        answering: Answering,
        uploads: Uploads,
        knock: Knock | None,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._answering = answering
        self._uploads = uploads
        self._knock = knock
        self._now = now
        self._chats: WeakValueDictionary[str, _Chat] = WeakValueDictionary()
        self._halfway: Recent[int, int] = Recent(5000)
        """Pieces that were said before a message failed, by mail id."""
        self._silent_until: datetime | None = None

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        unfit = _unfit(message)
        if unfit is not None:
            return unfit
        chat = self._chats.setdefault(message.handle, _Chat())
        failures, before, mine = chat.failures, chat.latest, asyncio.Event()
        chat.latest = mine
        try:
            outcome = await self._in_turn(message, chat, before, failures)
        except Exception as error:
            log.exception("mail %d was not sent", message.mail_id)
            outcome = Broken(type(error).__name__)
        finally:
            mine.set()
        return outcome

    async def _in_turn(
        self, message: Outbound, chat: _Chat, before: asyncio.Event | None, failures: int
    ) -> Outcome:
        """Offer it to the open answer at once; what is left of it waits for the letter before it."""
        await self._answered(message)
        if before is not None:
            await before.wait()
        if chat.failures != failures and not self._is_told(message):
            return chat.last if isinstance(chat.last, Closed | Gone) else Later(BEHIND)
        outcome = await self._rest(message)
        if not isinstance(outcome, Sent | Refused):
            chat.failures, chat.last = chat.failures + 1, outcome
        return outcome

    async def _answered(self, message: Outbound) -> None:
        """Give the words that were not said yet to the answer that is open."""
        start = self._halfway.get(message.mail_id, 0)
        left = message.parts[start:]
        told = await self._answering.offer(message.handle, left) if left else 0
        if told:
            self._halfway[message.mail_id] = start + told

    def _is_told(self, message: Outbound) -> bool:
        return self._halfway.get(message.mail_id, 0) >= len(message.parts)

    async def _rest(self, message: Outbound) -> Outcome:
        """The pieces that are left: the words first, for the window may close behind them."""
        start = self._halfway.get(message.mail_id, 0)
        words = len(message.parts)
        for number in range(start, words + len(message.photos)):
            trouble = await self._piece(message, number)
            if isinstance(trouble, Closed) and number >= words > 0:
                log.info("a picture was not sent: %s", trouble.why)
                break
            if trouble is not None:
                return await self._shut(message, trouble) if isinstance(trouble, Closed) else trouble
            self._halfway[message.mail_id] = number + 1
        self._halfway.pop(message.mail_id, None)
        return Sent("answer" if start == words and start else "custom")

    async def _shut(self, message: Outbound, closed: Closed) -> Outcome:
        """Knock, where the account has a template for that; the letter itself waits for its reader."""
        if self._knock is not None and self._silent_until is None:
            await self._knock(message, self._now())
        return closed

    async def _piece(self, message: Outbound, number: int) -> Outcome | None:
        """Say one piece. None when it is said, or is nothing."""
        if self._silent_until is not None and self._now() < self._silent_until:
            return Closed(f"{FORBIDDEN} 公众号没有认证，等对方再说话时一起回复")
        self._silent_until = None
        try:
            content = await self._content(message, number)
            if content is not None:
                await self._client.post("message/custom/send", {"touser": message.handle, **content})
        except (WeComError, ConnectionError) as error:
            return self._failed(error, message, number)
        return None

    async def _content(self, message: Outbound, number: int) -> Json | None:
        if number < len(message.parts):
            words = writable(message.parts[number])
            return {"msgtype": "text", "text": {"content": words}} if words.strip() else None
        key = message.photos[number - len(message.parts)]
        try:
            return {"msgtype": "image", "image": {"media_id": await self._uploads.media_id(key, "image")}}
        except ConnectionError:
            raise
        except (NoSuchMedia, OSError, ValueError) as error:
            log.warning("a picture cannot be read: %s", type(error).__name__, extra={"key": key})
        return None

    def _failed(self, error: Exception, message: Outbound, number: int) -> Outcome | None:
        """What a failed piece means; a picture that WeChat does not take is left out."""
        if not isinstance(error, WeComError):
            return outcome_of(error)
        if error.code == FORBIDDEN:
            self._silent_until = self._now() + SILENT
            log.warning("the official account is not verified: it can answer, and say nothing unasked")
        elif number >= len(message.parts) and error.code in _LOST_FILES:
            log.warning("a picture was not taken: %s", words_of(error))
            return None
        return outcome_of(error)


def _unfit(message: Outbound) -> Outcome | None:
    """Why a message cannot be said to whom it is for; None where it can."""
    if message.group:
        return Refused("an official account has no groups")
    if not message.handle.strip():
        return Gone("no account")
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in message.parts):
        return Refused("longer than WeChat takes")
    return None
