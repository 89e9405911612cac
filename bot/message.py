"""What every channel speaks: messages in, messages out."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from handlers.material import Media

Attachment = Media
"""A photo, voice message, video or file, as a channel hands it on."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Place(_Frozen):
    """A point somebody sent, in WGS-84 degrees."""

    lat: float
    lon: float
    words: str = ""


class Quoted(_Frozen):
    """The message that somebody's words answer."""

    message_id: str = ""
    text: str = ""
    handle: str = ""
    """Whose words they were; empty where the platform does not tell."""
    name: str = ""
    attachments: tuple[Attachment, ...] = ()
    by_us: bool = False


class Inbound(_Frozen):
    """One message or button press from a person, free of any channel's peculiarities."""

    channel: str
    message_id: str
    chat: str
    handle: str
    """The sender's account on this channel."""
    sender_name: str = ""
    text: str = ""
    pressed: str | None = None
    """Payload of a button: '<mail id>:<choice index>'."""
    place: Place | None = None
    attachments: tuple[Attachment, ...] = ()
    group: bool = False
    addressed: bool = True
    """In a group: whether the bot was spoken to. Of other chatter a channel hands on only words in which
    somebody's number stands, and nothing beside the words.
    """
    personal: tuple[str, ...] = ()
    """Kinds of personal numbers that were masked in what a group was told."""
    quoted: Quoted | None = None
    """What the words answer, where the platform says so."""
    edited: bool = False
    start: str | None = None
    """Payload of a deep link."""
    sent_at: datetime | None = None

    @property
    def chat_key(self) -> str:
        """Messages with the same key are decided in order."""
        return f"{self.channel}|{self.chat}|{self.handle}"


class Choice(_Frozen):
    """One thing a person may answer with a number or a button."""

    label: str
    do: str | None = None
    """Command to give when chosen; None when the choice answers an open question."""
    known: dict[str, Any] = {}
    """Fields of that command that are already known, or {'value': ...} for an open question."""
    listed: bool = False
    """The text itself already shows this choice as a numbered line."""
    zero: bool = False
    """The way out of a question: answered with 0 as well, and shown so."""


class Outbound(_Frozen):
    """Words and choices ready for one channel: already rendered, split and numbered."""

    mail_id: int
    chat: str
    handle: str
    parts: tuple[str, ...]
    buttons: tuple[tuple[str, str], ...] = ()
    """(label, payload) pairs for a channel that can show buttons; otherwise they are in the text."""
    photos: tuple[str, ...] = ()
    """Media keys to show with the words."""
    files: tuple[str, ...] = ()
    """Media keys of files to send along, where the channel can."""
    group: bool = False
    """It goes to a group, where others read it."""
    secret: str = Field(default="", repr=False)
    """A group's own key, where its robot has one."""
    owner: str = ""
    """The account on this channel of whoever has to confirm it for the group."""
    mentions: tuple[str, ...] = ()
    """Accounts to be called by name, in a group."""
    recallable: bool = False
    """It may have to be taken back: of two ways to say it, take the one that allows that."""
