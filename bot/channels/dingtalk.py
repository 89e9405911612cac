"""DingTalk's application robot (企业内部应用机器人): hears by a line it opens itself."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from mimetypes import guess_extension
from typing import Final

import httpx

from bot.channel import Accept, Can, Outcome, Rate, Request, Unreadable, Untrusted
from bot.channels.caller import Closed
from bot.channels.dingtalk_api import Api, App, DingTalkError
from bot.channels.dingtalk_checks import troubles
from bot.channels.dingtalk_reading import NAME, read
from bot.channels.dingtalk_sending import TOGETHER, Sender
from bot.channels.dingtalk_stream import SILENCE, Stream
from bot.channels.insist import Rest, insist
from bot.leases import Leases
from bot.media import MediaStore
from bot.message import Inbound, Outbound
from bot.tokens import Tokens

log = logging.getLogger(__name__)

LONGEST: Final = 5000
"""Bytes of a text; the platform says no number for what a robot pushes, so this is well below its others."""
_CODE: Final = re.compile(r"[A-Za-z0-9+/=_\-:.$]{8,2000}")

Bury = Callable[[Unreadable, bytes], Awaitable[None]]
"""Keeps a delivery that cannot be read, as the webhook's door does for its own."""


async def log_unreadable(error: Unreadable, body: bytes) -> None:
    """Say in the log that a delivery was left out; its content stays out of the log."""
    log.error("delivery %s of %d bytes cannot be read: %s", error.message_id, len(body), error)


class DingTalkChannel:
    """An application's robot in stream mode: no public address is needed.

    Args:
        app: the application, and where DingTalk is.
        tokens: where access tokens are kept for all processes.
        now: gives aware UTC.
        media: where photos and files to be sent are read from.
        leases: where it is kept that a line is held.
        bury: keeps deliveries that cannot be read.
        rest: waits between failures.
        silence: seconds without a frame after which the line is opened anew.
        patience: seconds until a call that is not answered is given up.
    """

    name = NAME
    can = Can(
        photos=True,
        files=True,
        groups=True,
        group_push=True,
        mentions=True,
        webhook=False,
        longest=LONGEST,
        per_second=15.0,  # each interface takes 20 a second
        rates=(Rate("group", 18, timedelta(minutes=1)),),
        together=TOGETHER,
        at_once=5,
    )

    def __init__(
        self,
        app: App,
        tokens: Tokens,
        *,
        now: Callable[[], datetime],
        media: MediaStore | None = None,
        leases: Leases | None = None,
        bury: Bury = log_unreadable,
        rest: Rest = asyncio.sleep,
        silence: float = SILENCE,
        patience: float = 10.0,
    ) -> None:
        self._api = Api(app, tokens, patience)
        self._sender = Sender(self._api, media, now)
        self._bury = bury
        self._insist = partial(insist, rest=rest, tell=_tell)
        self._silence = silence
        self._leases = leases
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None

    # -- hearing ------------------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Refuse all: nothing is delivered by webhook."""
        raise Untrusted("deliveries come by the line alone")

    async def start(self, accept: Accept) -> None:
        """Begin to listen as soon as the gateway can be reached; returns at once."""
        self._api.line.open()
        self._task = asyncio.create_task(self._listen(accept), name=self.name)

    async def stop(self) -> None:
        """Stop listening. What was delivered and not yet kept comes again."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.forget()
        await self._api.line.close()

    async def _listen(self, accept: Accept) -> None:
        self._stream = stream = Stream(self._api, partial(self._take, accept), self._silence, self._leases)
        while True:
            await self._insist(stream.hold)

    async def _take(self, accept: Accept, data: str) -> None:
        try:
            message, door = read(data)
        except Unreadable as error:
            await self._bury(error, data.encode("utf-8", "replace"))
            return
        if message is None:
            return
        if door is not None and message.addressed:
            self._sender.doors[message.chat] = door
        await accept([message])

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        return await self._sender.send(message)

    async def send_together(self, messages: Sequence[Outbound]) -> Sequence[Outcome]:
        """Say the same to up to twenty people in one call. See `SendsTogether`."""
        return await self._sender.send_together(messages)

    async def recall(self, message: Outbound, sent_as: str) -> bool:
        """Take a message back. See `Recalls`."""
        return await self._sender.recall(message, sent_as)

    # -- fetching -----------------------------------------------------------------------------------------

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Download what somebody sent. See `Channel.fetch`.

        Raises ConnectionError when it should be tried again.
        """
        channel, _, code = key.partition(":")
        if channel != self.name or not _CODE.fullmatch(code):
            return None
        try:
            found = await self._api.download(code)
        except DingTalkError as error:
            if error.status == 400 and not (error.stale or error.throttled):
                return None
            raise ConnectionError(_tell(error)) from None
        except (httpx.HTTPError, Closed) as error:
            raise ConnectionError(_tell(error)) from None
        if found is None:
            return None
        data, kind = found
        return data, (guess_extension(kind.partition(";")[0].strip()) or ".bin").lstrip(".")

    # -- checking -----------------------------------------------------------------------------------------

    async def check(self) -> Sequence[str]:
        """What is wrong with the settings. See `Checks`."""
        return await troubles(self._api)


def _tell(error: Exception) -> str:
    """Words of a failure; what the clients say themselves may hold an address with a ticket or a token."""
    return str(error) if isinstance(error, DingTalkError | ConnectionError) else type(error).__name__
