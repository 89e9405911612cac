"""Telegram: how its updates come, how files are fetched; reading and saying have modules of their own."""

import asyncio
import contextlib
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final

from telegram import Bot, File
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.channel import Accept, Can, Outcome, Request, Unreadable, Untrusted
from bot.channels.edge import fingerprint, load_json, writable
from bot.channels.insist import Rest, insist
from bot.channels.telegram_reading import NAME, Reader
from bot.channels.telegram_sending import Sender, asked_to_wait
from bot.channels.telegram_words import COMMANDS
from bot.media import LARGEST, MediaStore
from bot.message import Inbound, Outbound

log = logging.getLogger(__name__)

SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"
_HEARD_KINDS: Final = ("message", "edited_message", "callback_query")

# The library logs addresses, and Telegram's addresses hold the bot's token.
for _name in ("httpx", "httpcore", "telegram"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# Opt in to what the library will do anyway: waits as timedelta, without a warning at each.
os.environ.setdefault("PTB_TIMEDELTA", "true")

Bury = Callable[[Unreadable, bytes], Awaitable[None]]
"""Keeps an update from polling that cannot be read, as the webhook's door does for its own."""


async def log_unreadable(error: Unreadable, body: bytes) -> None:
    """Say in the log that an update was left out; its content stays out of the log."""
    log.error("update %s of %d bytes cannot be read: %s", error.message_id, len(body), error)


class _Bot(Bot):
    async def raw_updates(self, offset: int | None, seconds: float, patience: float) -> list[dict[str, Any]]:
        """Ask for updates without reading them: the library would throw away all for one that is strange."""
        asked = {"offset": offset, "timeout": int(seconds), "allowed_updates": list(_HEARD_KINDS)}
        got: list[dict[str, Any]] = await self._post("getUpdates", asked, read_timeout=seconds + patience)
        return got


class TelegramChannel:
    """Telegram by long polling, or by webhook when it is given the address of one.

    Args:
        token: the bot's token, "<its id>:<secret>".
        media: where photos to be sent are read from.
        secret: what Telegram repeats in a header of each webhook request; without one none is trusted.
        webhook_url: where Telegram shall post updates; None: they are polled for.
        username: the bot's name without "@", when it is known before Telegram is asked.
        base_url, base_file_url: another server than Telegram's own.
        poll_seconds: how long one poll stays open.
        patience: seconds until a call that is not answered is given up.
        bury: keeps polled updates that cannot be read.
        rest: waits between failures.
    """

    name = NAME
    can = Can(buttons=True, photos=True, places=True, groups=True, longest=4096, per_second=25.0, at_once=5)

    def __init__(
        self,
        token: str,
        *,
        media: MediaStore | None = None,
        secret: str = "",
        webhook_url: str | None = None,
        username: str | None = None,
        base_url: str = "https://api.telegram.org/bot",
        base_file_url: str = "https://api.telegram.org/file/bot",
        poll_seconds: float = 25.0,
        patience: float = 10.0,
        bury: Bury = log_unreadable,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self._token = token
        self._reader = Reader(int(token.partition(":")[0]), username)
        self._secret = secret
        self._webhook_url = webhook_url
        self._poll_seconds = poll_seconds
        self._patience = patience
        self._bury = bury
        self._insist = partial(insist, rest=rest, tell=self._tell, asked=asked_to_wait)
        self._lines = (_line(patience, calls=1), _line(patience, calls=32))
        self._bot = _Bot(token, base_url, base_file_url, self._lines[1], self._lines[0])
        self._sender = Sender(self._bot, media, self._reader.pressed, self._tell)
        self._offset: int | None = None
        self._task: asyncio.Task[None] | None = None

    # -- hearing ------------------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Read one update that Telegram posted. See `Channel.parse`."""
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "replace")
        if not self._secret or not hmac.compare_digest(given, self._secret.encode()):
            raise Untrusted("wrong secret")
        try:
            data = load_json(request.body)
        except Exception as error:
            raise Unreadable(fingerprint(request.body), type(error).__name__) from error
        return self._reader.read(data, request.body)

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        return await self._sender.send(message)

    def _tell(self, error: Exception) -> str:
        return f"{type(error).__name__}: {error}".replace(self._token, "<token>")

    # -- fetching -----------------------------------------------------------------------------------------

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Download an attachment of at most 20 MB. See `Channel.fetch`.

        Raises ConnectionError when it should be tried again.
        """
        file_id = key.removeprefix(f"{self.name}:")
        try:
            file = await self._bot.get_file(file_id)
            if not file.file_path or (file.file_size or 0) > LARGEST:
                return None
            data = await self._download(file)
        except BadRequest:
            return None
        except TelegramError as error:
            raise ConnectionError(self._tell(error)) from None
        return None if data is None else (data, PurePosixPath(file.file_path).suffix.lstrip("."))

    async def _download(self, file: File) -> bytes | None:
        """Bytes of a file that Telegram just named; None when it has taken it away since."""
        try:
            return bytes(await file.download_as_bytearray())
        except InvalidToken:  # how the library calls a 404
            return None

    # -- listening ----------------------------------------------------------------------------------------

    async def start(self, accept: Accept) -> None:
        """Begin to poll, or ask Telegram to post, as soon as it can be reached; returns at once."""
        for line in self._lines:
            await line.initialize()
        self._task = asyncio.create_task(self._listen(accept), name=self.name)

    async def stop(self) -> None:
        """Stop polling. What was asked for but not yet accepted is delivered again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for line in self._lines:
            await line.shutdown()

    @property
    def username(self) -> str | None:
        """The bot's name without "@"; None until Telegram has told it."""
        return self._reader.username

    async def _listen(self, accept: Accept) -> None:
        await self._insist(self._prepare)
        while self._webhook_url is None:
            await self._insist(partial(self._poll, accept))

    async def _prepare(self) -> None:
        """Learn the bot's own name, and say how updates shall come."""
        self._reader.username = (await self._bot.get_me()).username
        if self._webhook_url is None:
            await self._bot.delete_webhook()  # both at once are not allowed; what waits there is kept
        else:
            await self._bot.set_webhook(
                self._webhook_url, secret_token=self._secret, allowed_updates=_HEARD_KINDS
            )
        with contextlib.suppress(TelegramError):  # the menu is an ornament
            await self._bot.set_my_commands([(name, about) for name, (_, about) in COMMANDS.items()])

    async def _poll(self, accept: Accept) -> None:
        """Take what is new; Telegram forgets it only when the next poll tells that it is kept."""
        try:
            updates = await self._bot.raw_updates(self._offset, self._poll_seconds, self._patience)
        except Conflict:
            await self._bot.delete_webhook()
            raise
        messages = [message for update in updates for message in await self._take(update)]
        if messages:
            await accept(messages)
        if updates:
            self._offset = max(update["update_id"] for update in updates) + 1

    async def _take(self, update: dict[str, Any]) -> Sequence[Inbound]:
        body = json.dumps(update).encode()
        try:
            return self._reader.read(writable(update), body)
        except Unreadable as error:
            await self._bury(error, body)
            return ()


def _line(patience: float, calls: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=calls, read_timeout=patience, write_timeout=patience, connect_timeout=patience
    )
