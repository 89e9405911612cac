"""Telegram's updates: what each of them says, and to whom."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from telegram import CallbackQuery, Message, Update, User
from telegram.constants import ChatType

from bot.channel import Unreadable, Untrusted
from bot.channels.edge import Recent, fingerprint
from bot.channels.telegram_words import Heard, Mark, Me, hear
from bot.message import Attachment, Inbound, Place
from handbook.personal import find_personal

LONGEST_NAME: Final = 100
"""Characters of a file's name that are kept."""
NAME: Final = "telegram"
"""What the channel is called in addresses and keys."""
_FILES: Final[tuple[tuple[str, Literal["voice", "video", "file"]], ...]] = (
    ("voice", "voice"),
    ("video", "video"),
    ("video_note", "video"),
    ("animation", "video"),
    ("audio", "file"),
    ("document", "file"),
)


class Reader:
    """Turns updates into messages.

    Args:
        number: of the bot's own account.
        username: the bot's name without "@"; None until Telegram has told it.
    """

    def __init__(self, number: int, username: str | None) -> None:
        self._id = number
        self.username = username
        self.pressed: Recent[tuple[str, str], str] = Recent(1000)
        """Buttons that turn their circle until they are answered, by chat and handle."""
        self._albums: Recent[str, bool] = Recent(100)
        """Group albums whose caption speaks to the bot: only one of their photos carries it."""

    def read(self, data: Any, body: bytes) -> Sequence[Inbound]:
        """The one edge where an update of any shape becomes messages.

        Args:
            data: the update as JSON gave it.
            body: its bytes, to call it by when it has no number.

        Raises:
            Unreadable: it has no shape that is known.
            Untrusted: it came before the bot's own name was known; it is delivered again.
        """
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
        self.pressed[str(chat.id), str(query.from_user.id)] = query.id
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
        if not heard.addressed and group and not self._is_for_me(message):
            common = self._common(number, sender, str(message.chat.id), group)
            return (Inbound(**common, text=heard.text, addressed=False, edited=edited),)
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
            "channel": NAME,
            "message_id": str(number),
            "chat": chat,
            "handle": str(sender.id),
            "sender_name": sender.full_name,
            "group": group,
        }

    def _hear(self, message: Message, group: bool) -> Heard | None:
        """What is said, or None for what a group says among itself without telling anybody's number."""
        if group and self.username is None:
            raise Untrusted("the bot's own name is not known yet: let it be delivered again")
        text = message.text or message.caption or ""
        marks = [
            Mark(str(entity.type), entity.offset, entity.length, entity.user.id if entity.user else None)
            for entity in (*message.entities, *message.caption_entities)
        ]
        heard = hear(text, marks, Me(self._id, self.username or ""))
        if heard.addressed and message.media_group_id:
            self._albums[message.media_group_id] = True
        heeded = not group or heard.addressed or self._is_for_me(message)
        return heard if heeded or find_personal(heard.text) else None

    def _is_for_me(self, message: Message) -> bool:
        """An answer to the bot's own words, or a further photo of an album that spoke to it."""
        answered = message.reply_to_message and message.reply_to_message.from_user
        return (answered is not None and answered.id == self._id) or message.media_group_id in self._albums


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
        return (Attachment(kind="photo", key=f"{NAME}:{largest.file_id}"),)
    for field, kind in _FILES:
        file = getattr(message, field)
        if file is not None:
            key = f"{NAME}:{file.file_id}"
            if (getattr(file, "mime_type", None) or "").startswith("image/"):
                return (Attachment(kind="photo", key=key),)
            if kind != "file":
                return (Attachment(kind=kind, key=key),)
            name = (getattr(file, "file_name", None) or "")[-LONGEST_NAME:]
            return (Attachment(kind=kind, key=key, name=name, size=file.file_size or 0),)
    return ()
