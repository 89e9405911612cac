"""Telegram: the only file that knows its library."""

import asyncio
import contextlib
import hmac
import json
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from telegram import (
    Bot,
    CallbackQuery,
    File,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
    User,
)
from telegram.constants import ChatType
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from bot.channel import (
    Accept,
    Broken,
    Can,
    Gone,
    Later,
    Outcome,
    Refused,
    Request,
    Sent,
    Unreadable,
    Untrusted,
)
from bot.channels.edge import Recent, fingerprint, load_json, writable
from bot.channels.insist import Rest, insist
from bot.channels.telegram_words import COMMANDS, Heard, Mark, Me, hear
from bot.media import LARGEST, MediaStore, NoSuchMedia
from bot.message import Attachment, Inbound, Outbound, Place

log = logging.getLogger(__name__)

SECRET_HEADER: Final = "x-telegram-bot-api-secret-token"
_HEARD_KINDS: Final = ("message", "edited_message", "callback_query")
_GONE_SIGNS: Final = (
    "chat not found",
    "deactivated",
    "peer_id_invalid",
    "user not found",
    "not enough rights",
)
_FILES: Final[tuple[tuple[str, Literal["voice", "video", "file"]], ...]] = (
    ("voice", "voice"),
    ("video", "video"),
    ("video_note", "video"),
    ("animation", "video"),
    ("audio", "file"),
    ("document", "file"),
)

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

    name = "telegram"
    can = Can(buttons=True, photos=True, places=True, groups=True, longest=4096, per_second=25.0, at_once=25)

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
        self._id = int(token.partition(":")[0])
        self._username = username
        self._media = media
        self._secret = secret
        self._webhook_url = webhook_url
        self._poll_seconds = poll_seconds
        self._patience = patience
        self._bury = bury
        self._insist = partial(insist, rest=rest, tell=self._tell, asked=_asked)
        self._lines = (_line(patience, calls=1), _line(patience, calls=32))
        self._bot = _Bot(token, base_url, base_file_url, self._lines[1], self._lines[0])
        self._offset: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._halfway: Recent[int, list[str]] = Recent(1000)
        """Pieces of a message that were sent before it failed, by mail id."""
        self._pressed: Recent[tuple[str, str], str] = Recent(1000)
        """Buttons that turn their circle until they are answered, by chat and handle."""
        self._albums: Recent[str, bool] = Recent(100)
        """Group albums whose caption speaks to the bot: only one of their photos carries it."""
        self._moved: Recent[str, str] = Recent(1000)
        """Groups that got another id."""

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
        return self._read(data, request.body)

    def _read(self, data: Any, body: bytes) -> Sequence[Inbound]:
        """The one edge where an update of any shape becomes messages, or Unreadable."""
        number = data.get("update_id") if isinstance(data, dict) else None
        known = type(number) is int
        try:
            if not known:
                raise TypeError("no update_id")
            return self._messages(Update.de_json(data))
        except Untrusted:
            raise
        except Exception as error:
            name = str(number) if known else fingerprint(body)
            raise Unreadable(name, type(error).__name__) from error

    def _messages(self, update: Update) -> Sequence[Inbound]:
        if update.callback_query is not None:
            return self._press(update.update_id, update.callback_query)
        if update.message is not None:
            return self._message(update.update_id, update.message)
        if update.edited_message is not None and update.edited_message.location is None:
            return self._message(update.update_id, update.edited_message, edited=True)
        return ()  # a live location moves on as edits: nobody is asked to be followed

    def _press(self, number: int, query: CallbackQuery) -> Sequence[Inbound]:
        if query.data is None or query.message is None:
            return ()
        chat = query.message.chat
        self._pressed[str(chat.id), str(query.from_user.id)] = query.id
        common = self._common(number, query.from_user, str(chat.id), group=_is_group(chat.type))
        return (Inbound(**common, pressed=query.data),)

    def _message(self, number: int, message: Message, edited: bool = False) -> Sequence[Inbound]:
        sender = message.from_user
        if sender is None or sender.is_bot or message.sender_chat is not None:
            return ()  # a bot, a channel, or an administrator who hides: nobody who could be answered for it
        group = _is_group(message.chat.type)
        heard = self._hear(message, group)
        if heard is None:
            return ()
        sticker = message.sticker.emoji if message.sticker else None
        said = Inbound(
            **self._common(number, sender, str(message.chat.id), group),
            text=heard.text or sticker or "",
            place=_place(message),
            attachments=_attachments(message),
            start=heard.start,
            edited=edited,
            sent_at=message.edit_date or message.date,
        )
        # Somebody joined, a title changed, a poll: nothing is said to anybody.
        return (said,) if said.text or said.place or said.attachments or said.start else ()

    def _common(self, number: int, sender: User, chat: str, group: bool) -> dict[str, Any]:
        return {
            "channel": self.name,
            "message_id": str(number),
            "chat": chat,
            "handle": str(sender.id),
            "sender_name": sender.full_name,
            "group": group,
        }

    def _hear(self, message: Message, group: bool) -> Heard | None:
        """What is said, or None for what a group says among itself."""
        if group and self._username is None:
            raise Untrusted("the bot's own name is not known yet: let it be delivered again")
        text = message.text or message.caption or ""
        marks = [
            Mark(str(entity.type), entity.offset, entity.length, entity.user.id if entity.user else None)
            for entity in (*message.entities, *message.caption_entities)
        ]
        heard = hear(text, marks, Me(self._id, self._username or ""))
        if heard.addressed and message.media_group_id:
            self._albums[message.media_group_id] = True
        return heard if not group or heard.addressed or self._is_for_me(message) else None

    def _is_for_me(self, message: Message) -> bool:
        """An answer to the bot's own words, or a further photo of an album that spoke to it."""
        answered = message.reply_to_message and message.reply_to_message.from_user
        return (answered is not None and answered.id == self._id) or message.media_group_id in self._albums

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        try:
            return await self._say(message)
        except ChatMigrated as moved:
            self._moved[message.chat] = str(moved.new_chat_id)
            return Later(1.0)
        except TelegramError as error:
            return self._outcome(error)
        except Exception as error:
            log.exception("mail %d was not sent", message.mail_id)
            return Broken(self._tell(error))

    async def _say(self, message: Outbound) -> Outcome:
        chat = self._moved.get(message.chat, message.chat)
        pieces = [partial(self._show, chat, photo) for photo in message.photos]
        pieces += [partial(self._write, chat, part, None) for part in message.parts[:-1]]
        pieces += [partial(self._write, chat, part, _keyboard(message)) for part in message.parts[-1:]]
        said = self._halfway.setdefault(message.mail_id, [])
        for piece in pieces[len(said) :]:
            said.append(await piece())
        self._halfway.pop(message.mail_id, None)
        await self._answer_press(message)
        return Sent(said[-1] if said else "")

    async def _write(self, chat: str, words: str, buttons: InlineKeyboardMarkup | None) -> str:
        plain = LinkPreviewOptions(is_disabled=True)
        sent = await self._bot.send_message(
            chat, writable(words), reply_markup=buttons, link_preview_options=plain
        )
        return str(sent.message_id)

    async def _show(self, chat: str, key: str) -> str:
        """Send one photo; one that is lost or not taken is left out, for the words matter more."""
        try:
            photo = self._photo(key)
            return str((await self._bot.send_photo(chat, photo)).message_id)
        except (NoSuchMedia, OSError) as error:
            log.warning("photo %s cannot be read: %s", key, error)
        except BadRequest as error:
            if _is_gone(str(error)):
                raise
            log.warning("photo %s was not taken: %s", key, self._tell(error))
        return ""

    def _photo(self, key: str) -> bytes | str:
        channel, _, name = key.partition(":")
        if channel == self.name:
            return name
        if self._media is None:
            raise NoSuchMedia(key)
        return self._media.read(key)

    async def _answer_press(self, message: Outbound) -> None:
        """Let the button that brought this answer rest; a press too old for that is nobody's loss."""
        query = self._pressed.pop((message.chat, message.handle), None)
        if query is not None:
            with contextlib.suppress(TelegramError):
                await self._bot.answer_callback_query(query)

    def _outcome(self, error: TelegramError) -> Outcome:
        why = self._tell(error)
        if isinstance(error, RetryAfter):
            return Later(_asked(error))
        if isinstance(error, Forbidden):
            return Gone(why)
        if isinstance(error, BadRequest):  # the library holds it for a kind of network error: it comes first
            return Gone(why) if _is_gone(why) else Refused(why)
        return Broken(why)

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

    async def _listen(self, accept: Accept) -> None:
        await self._insist(self._prepare)
        while self._webhook_url is None:
            await self._insist(partial(self._poll, accept))

    async def _prepare(self) -> None:
        """Learn the bot's own name, and say how updates shall come."""
        self._username = (await self._bot.get_me()).username
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
            return self._read(writable(update), body)
        except Unreadable as error:
            await self._bury(error, body)
            return ()


def _line(patience: float, calls: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=calls, read_timeout=patience, write_timeout=patience, connect_timeout=patience
    )


def _asked(error: Exception) -> float:
    """Seconds that Telegram asked to wait."""
    if not isinstance(error, RetryAfter):
        return 0.0
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _is_gone(why: str) -> bool:
    return any(sign in why.lower() for sign in _GONE_SIGNS)


def _is_group(kind: str) -> bool:
    return kind in (ChatType.GROUP, ChatType.SUPERGROUP)


def _place(message: Message) -> Place | None:
    venue, point = message.venue, message.location
    if venue is not None:
        point = venue.location
    if point is None or not (-90 <= point.latitude <= 90 and -180 <= point.longitude <= 180):
        return None
    words = f"{venue.title} {venue.address}".strip() if venue is not None else ""
    return Place(lat=point.latitude, lon=point.longitude, words=words)


def _attachments(message: Message) -> tuple[Attachment, ...]:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return (Attachment(kind="photo", key=f"telegram:{largest.file_id}"),)
    for field, kind in _FILES:
        file = getattr(message, field)
        if file is not None:
            shown = (getattr(file, "mime_type", None) or "").startswith("image/")
            return (Attachment(kind="photo" if shown else kind, key=f"telegram:{file.file_id}"),)
    return ()


def _keyboard(message: Outbound) -> InlineKeyboardMarkup | None:
    """Make the buttons: two in a row where all are short."""
    buttons = [InlineKeyboardButton(text=label, callback_data=payload) for label, payload in message.buttons]
    wide = 2 if all(len(label) <= 8 for label, _ in message.buttons) else 1
    rows = [buttons[start : start + wide] for start in range(0, len(buttons), wide)]
    return InlineKeyboardMarkup(rows) if rows else None
