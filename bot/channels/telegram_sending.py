"""What is said on Telegram: in pieces, each once, and what became of it."""

import contextlib
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Final

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channel import Broken, Gone, Later, Outcome, Refused, Sent
from bot.channels.edge import Recent, writable
from bot.channels.telegram_reading import NAME
from bot.media import MediaStore, NoSuchMedia
from bot.message import Outbound

log = logging.getLogger(__name__)

_GONE_SIGNS: Final = (
    "chat not found",
    "deactivated",
    "peer_id_invalid",
    "user not found",
    "not enough rights",
)


class Sender:
    """Says messages through a bot.

    Args:
        bot: of the library.
        media: where photos to be sent are read from.
        pressed: buttons that wait for their answer, by chat and handle.
        tell: writes an error down without the bot's token.
    """

    def __init__(
        self,
        bot: Bot,
        media: MediaStore | None,
        pressed: Recent[tuple[str, str], str],
        tell: Callable[[Exception], str],
    ) -> None:
        self._bot = bot
        self._media = media
        self._pressed = pressed
        self._tell = tell
        self._halfway: Recent[int, list[str]] = Recent(1000)
        """Pieces of a message that were sent before it failed, by mail id."""
        self._moved: Recent[str, str] = Recent(1000)
        """Groups that got another id."""

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
        if channel == NAME:
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
            return Later(asked_to_wait(error))
        if isinstance(error, Forbidden):
            return Gone(why)
        if isinstance(error, BadRequest):  # the library holds it for a kind of network error: it comes first
            return Gone(why) if _is_gone(why) else Refused(why)
        return Broken(why)


def asked_to_wait(error: Exception) -> float:
    """Seconds that Telegram asked to wait."""
    if not isinstance(error, RetryAfter):
        return 0.0
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _is_gone(why: str) -> bool:
    return any(sign in why.lower() for sign in _GONE_SIGNS)


def _keyboard(message: Outbound) -> InlineKeyboardMarkup | None:
    """Make the buttons: two in a row where all are short."""
    buttons = [InlineKeyboardButton(text=label, callback_data=payload) for label, payload in message.buttons]
    wide = 2 if all(len(label) <= 8 for label, _ in message.buttons) else 1
    rows = [buttons[start : start + wide] for start in range(0, len(buttons), wide)]
    return InlineKeyboardMarkup(rows) if rows else None
