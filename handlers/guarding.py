"""Guarding: whoever writes somebody's number into a group is told aside; the group reads no more of it."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from sqlalchemy import Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col

from handlers.actor import Actor
from handlers.command import Done, OwnCommand, handles
from handlers.refusal import NotAllowed
from handlers.work import Return, Work
from models import Account, Conversation, Warned

WARNED: Table = Warned.__table__  # type: ignore[attr-defined]
ASIDE: Final = timedelta(minutes=10)
"""Within which nobody is told aside twice about one group."""
OPENLY: Final = timedelta(hours=1)
"""Within which a group is reminded once."""
_KINDS = {
    "id_card": "number.id_card",
    "phone": "number.phone",
    "landline": "number.phone",
    "bank_card": "number.bank_card",
    "plate": "number.plate",
}


class WarnOfNumbers(OwnCommand):
    """Somebody's numbers were written into a group; given by the door that masked them."""

    name: ClassVar[str] = "warn_of_numbers"
    kinds: tuple[str, ...]
    person: int | None
    """Who wrote them; None: nobody we know."""


@handles(WarnOfNumbers)
def warn_of_numbers(work: Work, command: WarnOfNumbers) -> Done:
    """Told aside what to do; only whoever cannot be reached so makes a neutral line in the group."""
    group = work.back
    if group is None or not group.group:
        raise NotAllowed()
    work.actor = Actor(command.person, "")
    private = _private_chat(work, group)
    if private is None:
        if _is_first(work, group, "", OPENLY):
            work.reply("guard.group")
        return Done({"aside": False})
    if _is_first(work, group, group.handle, ASIDE):
        words = dict.fromkeys(work.word(_KINDS[kind]) for kind in command.kinds)
        key = f"guard:{work.channel}:{work.message_id}"
        work.whisper(private, "guard.aside", key=key, kinds="、".join(words))
    return Done({"aside": True})


def _private_chat(work: Work, group: Return) -> Return | None:
    """Where the writer has spoken with us alone; many platforms let a bot write nowhere else."""
    mine = (col(Account.channel) == group.channel, col(Account.handle) == group.handle)
    chat = work.session.execute(select(col(Account.chat)).where(*mine, col(Account.gone).is_(False))).scalar()
    if chat is None or work.actor.id is None:
        return None
    key = f"{group.channel}|{chat}|{group.handle}"
    spoken = select(col(Conversation.chat_key)).where(col(Conversation.chat_key) == key)
    if work.session.execute(spoken).first() is None:
        return None
    return Return(group.channel, chat, group.handle)


def _is_first(work: Work, group: Return, handle: str, within: timedelta) -> bool:
    """Whether nobody was warned so lately; two at once are asked one after the other by the database."""
    row = {"channel": group.channel, "chat": group.chat, "handle": handle, "at": work.now}
    return work.session.execute(_entry(work, row, work.now - within)).first() is not None


def _entry(work: Work, row: dict[str, Any], since: datetime) -> Any:
    dialect = postgresql if work.session.get_bind().dialect.name == "postgresql" else sqlite
    entry = dialect.insert(WARNED).values(row)
    again = entry.on_conflict_do_update(
        index_elements=[WARNED.c.channel, WARNED.c.chat, WARNED.c.handle],
        set_={"at": row["at"]},
        where=WARNED.c.at <= since,
    )
    return again.returning(WARNED.c.channel)
