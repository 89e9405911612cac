"""What a chat page shows: what was said to us and what we said, merged in order of time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

from sqlalchemy import Exists, Row, ScalarSelect, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.render import clean
from handlers.sealed_words import words_of
from handlers.work import Reading
from models import Account, Inbox, InboxState, MailState, Outbox
from web.login import OURS, WEBCHAT, Speaker
from web.photos import is_kept, photo_name, photos_of_cases

NEWEST: Final = 100
"""Bubbles of a page; older ones are in the cases themselves."""
_BEYOND: Final = 2 * NEWEST
"""Letters looked at by number: one promised long before it was due has an old number and a new time."""


class Button(NamedTuple):
    """One answer that can be tapped."""

    label: str
    payload: str
    words: str
    """What it stands for, shown as said once it is pressed."""


@dataclass(frozen=True)
class Bubble:
    """One thing said, as it is shown."""

    id: str
    """i<message id> for what came in, o<mail id> for what we said."""
    mine: bool
    words: str
    at: datetime
    photos: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    failed: bool = False
    """It was kept but could not be worked on."""

    @property
    def version(self) -> str:
        """Differs whenever the bubble would look different."""
        return sha256(repr(self).encode(errors="replace")).hexdigest()[:12]


@dataclass(frozen=True)
class Page:
    """A chat as it stands, newest last."""

    bubbles: tuple[Bubble, ...]

    @property
    def tag(self) -> str:
        """Differs whenever the page would look different."""
        return sha256(repr(self.bubbles).encode(errors="replace")).hexdigest()[:16]


def page(reading: Reading, speaker: Speaker) -> Page:
    """Read the newest hundred bubbles of a chat."""
    said, told = _inbox(reading, speaker), _outbox(reading, speaker)
    labels = _labels(reading, said, told)
    found = [*_mine(speaker, said, told, labels), *_ours(told, _case_photos(reading, speaker, told))]
    return Page(tuple(bubble for _, bubble in sorted(found, key=lambda item: item[0])[-NEWEST:]))


_Ordered = tuple[tuple[datetime, float, int], Bubble]
"""Moment, number of the letter it belongs to, and 0 for what was said before it."""


# ---- the rows ------------------------------------------------------------------------------------------


def _inbox(reading: Reading, speaker: Speaker) -> Sequence[Row[Any]]:
    key = f"{WEBCHAT}|{speaker.handle}|{speaker.handle}"
    query = (
        select(col(Inbox.message_id), col(Inbox.body), col(Inbox.received_at), col(Inbox.state))
        .where(col(Inbox.channel) == OURS, col(Inbox.chat_key) == key)
        .order_by(col(Inbox.id).desc())
        .limit(NEWEST)
    )
    return reading.session.execute(query).all()


def _outbox(reading: Reading, speaker: Speaker) -> Sequence[Row[Any]]:
    mail = Outbox.__table__.c  # type: ignore[attr-defined]
    whose = (
        select(col(Account.person_id))
        .where(col(Account.channel) == OURS, col(Account.handle) == speaker.handle)
        .scalar_subquery()
    )
    query = (
        select(mail.id, mail.key, mail.words, mail.choices, mail.incident_id, mail.at, mail.sent_at)
        .where(mail.channel == OURS, mail.handle == speaker.handle, mail.words.is_not(None))
        # Who held the account before was told things of their own; what one who is forgotten was told last
        # went to nobody, and is shown until something is said to who comes after.
        .where((mail.person_id == whose) | (mail.person_id.is_(None) & ~_is_told_of(speaker, whose)))
        .where(mail.state.in_((MailState.CLAIMED, MailState.SENT)))
        .order_by(mail.id.desc())
        .limit(_BEYOND)
    )
    return reading.session.execute(query).all()


def _is_told_of(speaker: Speaker, whose: ScalarSelect[Any]) -> Exists:
    """Whether something was said in this chat to who holds it now."""
    mail = aliased(Outbox.__table__)  # type: ignore[attr-defined]
    here = (mail.c.channel == OURS, mail.c.handle == speaker.handle)
    return exists().where(*here, mail.c.person_id == whose)


# ---- what was said to us -------------------------------------------------------------------------------


def _mine(
    speaker: Speaker, said: Sequence[Row[Any]], told: Sequence[Row[Any]], labels: Mapping[str, str]
) -> list[_Ordered]:
    answers = _first_answers(told)
    return [
        ((row.received_at, answers.get(row.message_id, float("inf")), 0), _said(speaker, row, labels))
        for row in said
    ]


def _first_answers(told: Sequence[Row[Any]]) -> dict[str, int]:
    """Message id -> number of the first letter that answers it: at one moment, the question stands before."""
    found: dict[str, int] = {}
    for row in told:
        channel_and_message, is_reply, _ = row.key.rpartition(":reply:")
        if is_reply:
            message_id = channel_and_message.removeprefix(f"{WEBCHAT}:")
            found[message_id] = min(row.id, found.get(message_id, row.id))
    return found


def _said(speaker: Speaker, row: Row[Any], labels: Mapping[str, str]) -> Bubble:
    body = row.body
    words = clean(str(body.get("text", ""))) or labels.get(str(body.get("pressed")), "")
    photos = tuple(photo_name(item["key"]) for item in body.get("attachments", ()) if is_kept(item["key"]))
    return Bubble(
        id="i" + row.message_id.removeprefix(f"{speaker.handle}:"),
        mine=True,
        words=words or _without_words(body, photos),
        at=row.received_at,
        photos=photos,
        failed=row.state == InboxState.DEAD,
    )


def _without_words(body: Mapping[str, Any], photos: tuple[str, ...]) -> str:
    """What a message without words did: a link's secret is never shown."""
    if body.get("start"):
        return "打开邀请链接"
    files = [str(item["name"]) for item in body.get("attachments", ()) if item.get("name")]
    if files:
        return "文件：" + clean("、".join(files))
    return "我的位置" if "place" in body and not photos else ""


def _labels(reading: Reading, said: Sequence[Row[Any]], told: Sequence[Row[Any]]) -> dict[str, str]:
    """Payload of a pressed button -> its words, also for letters that are no longer on the page."""
    pressed = [str(row.body["pressed"]) for row in said if row.body.get("pressed")]
    choices = {row.id: row.choices for row in told}
    wanted = {mail_id for payload in pressed if (mail_id := _mail_id(payload)) and mail_id not in choices}
    if wanted:
        query = select(col(Outbox.id), col(Outbox.choices)).where(col(Outbox.id).in_(wanted))
        choices |= {row.id: row.choices for row in reading.session.execute(query)}
    return {
        f"{mail_id}:{index}": clean(choice["label"])
        for mail_id, offered in choices.items()
        for index, choice in enumerate(offered)
    }


def _mail_id(payload: str) -> int | None:
    number = payload.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else None


# ---- what we said --------------------------------------------------------------------------------------


def _ours(told: Sequence[Row[Any]], photos: Mapping[int, tuple[str, ...]]) -> list[_Ordered]:
    prompt = next((row.id for row in told if row.choices), None)
    return [
        ((row.sent_at or row.at, row.id, 1), _told(row, photos.get(row.id, ()), current=row.id == prompt))
        for row in told
    ]


def _told(row: Row[Any], photos: tuple[str, ...], *, current: bool) -> Bubble:
    """Buttons stay on every letter; numbers, and answers to an open question, only on the latest prompt."""
    choices = list(enumerate(row.choices, start=1))
    lines = [
        f"{0 if choice.get('zero') else number} {clean(choice['label'])}"
        for number, choice in choices
        if not choice.get("listed")
    ]
    words, has_numbers = _without_numbers(words_of(row.words), lines)
    buttons = tuple(
        _button(row.id, number, choice, numbers=current and has_numbers)
        for number, choice in choices
        if current or (choice.get("do") and not choice.get("listed"))
    )
    at = row.sent_at or row.at
    return Bubble(f"o{row.id}", mine=False, words=clean(words), at=at, photos=photos, buttons=buttons)


def _button(mail_id: int, number: int, choice: Mapping[str, Any], *, numbers: bool) -> Button:
    """A choice that stands in the text already is its number alone."""
    words = clean(choice["label"])
    label = f"{0 if choice.get('zero') else number} {words}" if numbers else words
    return Button(str(number) if choice.get("listed") else label, f"{mail_id}:{number - 1}", words)


def _without_numbers(words: str, lines: list[str]) -> tuple[str, bool]:
    """The words without the numbered answers below them, which the page shows as buttons."""
    for ending in ("\n" + "  ".join(lines), "\n" + "\n".join(lines)):
        if lines and words.endswith(ending):
            return words.removesuffix(ending), True
    return words, False


def _case_photos(reading: Reading, speaker: Speaker, told: Sequence[Row[Any]]) -> dict[int, tuple[str, ...]]:
    """Letter -> photos others sent of its case: staff see them below the first letter that can show them."""
    cases = {row.incident_id for row in told if row.incident_id is not None}
    found: dict[int, list[str]] = defaultdict(list)
    for photo in photos_of_cases(reading, speaker.actor, cases):
        letters = [row.id for row in told if row.incident_id == photo.incident_id and row.at >= photo.at]
        if letters:
            found[min(letters)].append(photo_name(photo.key))
    return {mail_id: tuple(names) for mail_id, names in found.items()}
