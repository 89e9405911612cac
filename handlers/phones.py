"""Phones as they are kept: sealed, found by a digest, and taken out of the messages that brought them."""

from typing import Annotated, TypedDict

from pydantic import Field
from sqlalchemy import Table, select, update

from handbook.personal import masked
from handbook.signs import plain_number
from handlers.work import Work
from models import Inbox, Person
from models.person import PHONE
from models.sealing import digest

INBOX: Table = Inbox.__table__  # type: ignore[attr-defined]
Phone = Annotated[str, Field(max_length=20, pattern=r"^[+ \-]*([0-9][ \-]*){7,20}$")]
HIDDEN = "***"
LATELY = 20
"""Messages of a chat that may have brought a number on the way to a command."""


def digest_of_phone(phone: str) -> str:
    """By which a person is found, however their phone is typed."""
    return digest(plain_number(phone), PHONE)


class KeptPhone(TypedDict):
    """The columns of a person that keep a phone."""

    phone: str | None
    phone_digest: str | None


def keep_phone(person: Person, phone: str | None) -> None:
    """Give a person a phone, or take it away."""
    kept = kept_phone(phone)
    person.phone, person.phone_digest = kept["phone"], kept["phone_digest"]


def kept_phone(phone: str | None) -> KeptPhone:
    """Both columns, or a phone is not found again."""
    return {"phone": phone or None, "phone_digest": digest_of_phone(phone) if phone else None}


def hide_numbers(work: Work, also: str = "") -> None:
    """Mask the numbers in what was just said in this chat: they are kept sealed now, and not here as well.

    `also`: other words that are kept sealed and are taken out.
    """
    if work.back is None:
        return
    key = f"{work.back.channel}|{work.back.chat}|{work.back.handle}"
    this = select(INBOX.c.id).where(
        INBOX.c.channel == work.back.channel, INBOX.c.message_id == work.message_id
    )
    query = select(INBOX.c.id, INBOX.c.body).where(
        INBOX.c.chat_key == key, INBOX.c.id <= this.scalar_subquery()
    )
    for row in work.session.execute(query.order_by(INBOX.c.id.desc()).limit(LATELY)).all():
        said = row.body.get("text", "")
        hidden = masked(said.replace(also, HIDDEN) if also else said)
        if hidden != said:
            change = update(INBOX).where(INBOX.c.id == row.id).values(body={**row.body, "text": hidden})
            work.session.execute(change)
