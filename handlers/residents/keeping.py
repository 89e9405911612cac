"""Keeping: everything is kept for as long as the book says and then taken out, every night, bit by bit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, String, Table, and_, cast, delete, exists, func, or_, select, update
from sqlmodel import col

from handlers.audit import note
from handlers.command import Done, OwnCommand, handles
from handlers.forgetting import CHATS, INBOX, MAIL, make_nobody
from handlers.residents.details import AGREEMENTS
from handlers.residents.scope import DETAILS, MEMBERS, PEOPLE
from handlers.work import Reading, Work
from handlers.writing import insert_new
from models import (
    OPEN,
    Account,
    Deed,
    Imported,
    InboxState,
    Incident,
    Joined,
    MailState,
    Participant,
    Person,
    Post,
    Subject,
    Swept,
)

AT_ONCE = 500
"""Rows of one kind in one work, so that messages which come in meanwhile need not wait."""
SHOWN_FOR = timedelta(days=1)
SHOWN = ("reveal.phone", "reveal.detail")
"""Letters with a whole phone or a sealed value in them: their words go after a day."""
_IMPORTS: Table = Imported.__table__  # type: ignore[attr-defined]
_JOINED: Table = Joined.__table__  # type: ignore[attr-defined]
_SWEPT: Table = Swept.__table__  # type: ignore[attr-defined]
EXPIRED = "expired"
"""The chat that emptied messages belong to."""


class Retain(OwnCommand):
    """The clock: take out what was kept for long enough, so many of each kind."""

    name: ClassVar[str] = "retain"
    most: int = Field(default=AT_ONCE, ge=1)
    closed: bool = False
    """Also what modules keep that are switched off: only at the command line, for a wrong setting could
    switch them all off."""


@dataclass(frozen=True)
class Due:
    """One kind of thing whose time is up: how many there are, in words."""

    kind: str
    count: int
    args: Mapping[str, Any]

    @property
    def text(self) -> str:
        """Key of its words."""
        return _TEXTS[self.kind]


_TEXTS: Mapping[str, str] = {
    "details": "retention.details",
    "details_lasting": "retention.details_lasting",
    "closed": "retention.closed",
    "residents": "retention.residents",
    "messages": "retention.messages",
    "letters": "retention.letters",
    "imports": "retention.imports",
    "joins": "retention.joins",
    "talks": "retention.talks",
    "shown": "retention.shown",
}


@handles(Retain)
def retain(work: Work, command: Retain) -> Done:
    """Says what went, and whether there is more."""
    went = {
        kind: count
        for kind, take in _TAKES.items()
        if (kind != "closed" or command.closed) and (count := take(work, command.most))
    }
    if set(went) - {"residents"}:
        note(work, Deed.EXPIRE, Subject.DATABASE)
    return Done({"went": went, "more": any(count >= command.most for count in went.values())})


def due(reading: Reading, *, closed: bool = False) -> list[Due]:
    """What would go now, in the order in which it goes; nothing is written."""
    found = [one for look in _LOOKS for one in look(reading)]
    return [one for one in found if one.count and (closed or one.kind != "closed")]


def _count(reading: Reading, query: Any) -> int:
    found: int = reading.session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    return found


def _before(reading: Reading, days: int) -> datetime:
    return reading.now - timedelta(days=days)


# ---- what the modules keep -------------------------------------------------------------------------------


def _gone_before(moment: datetime, person: Any) -> ColumnElement[bool]:
    """Condition: somebody left every door of theirs, or died, before a moment."""
    member, later = MEMBERS.alias("ended"), MEMBERS.alias("later")
    ended = exists().where(member.c.person_id == person, member.c.until < moment)
    still = exists().where(later.c.person_id == person, or_(later.c.until.is_(None), later.c.until >= moment))
    dead = exists().where(PEOPLE.c.id == person, PEOPLE.c.died_at < moment)
    return or_(and_(ended, ~still), dead)


def _details_of(reading: Reading, module: str) -> ColumnElement[bool]:
    """Condition: the time of what a module keeps is up."""
    spec = reading.book.residents.modules[module]
    mine = DETAILS.c.module == module
    over = [
        and_(DETAILS.c.person_id.is_not(None), _gone_before(_before(reading, spec.keep), DETAILS.c.person_id))
    ]
    if spec.lasts is not None:
        over.append(DETAILS.c.since < _before(reading, spec.lasts))
    return and_(mine, or_(*over))


def _closed(reading: Reading) -> ColumnElement[bool]:
    return DETAILS.c.module.not_in(list(reading.book.residents.on))


def _look_details(reading: Reading) -> Iterator[Due]:
    for module, spec in reading.book.residents.on.items():
        count = _count(reading, select(DETAILS.c.id).where(_details_of(reading, module)))
        lasts = spec.lasts if spec.lasts is not None else 0
        kind = "details_lasting" if lasts else "details"
        yield Due(
            kind, count, {"what": spec.name, "purpose": spec.purpose, "keep": spec.keep, "lasts": lasts}
        )
    yield Due("closed", _count(reading, select(DETAILS.c.id).where(_closed(reading))), {})


def _take_details(work: Work, most: int) -> int:
    conditions = [_details_of(work, module) for module in work.book.residents.on]
    return _take(work, or_(*conditions), most) if conditions else 0


def _take_closed(work: Work, most: int) -> int:
    return _take(work, _closed(work), most)


def _take(work: Work, condition: ColumnElement[bool], most: int) -> int:
    """Delete details, with the yes to a module of which nothing is left."""
    query = select(DETAILS.c.id, DETAILS.c.person_id, DETAILS.c.module).where(condition).limit(most)
    rows = work.session.execute(query).all()
    work.session.execute(delete(DETAILS).where(DETAILS.c.id.in_([row.id for row in rows])))
    for person, module in {(row.person_id, row.module) for row in rows if row.person_id is not None}:
        left = exists().where(DETAILS.c.person_id == person, DETAILS.c.module == module)
        mine = (AGREEMENTS.c.person_id == person, AGREEMENTS.c.module == module, ~left)
        work.session.execute(delete(AGREEMENTS).where(*mine, AGREEMENTS.c.withdrawn_at.is_(None)))
        note(work, Deed.EXPIRE, Subject.PERSON, person)
    return len(rows)


# ---- people ----------------------------------------------------------------------------------------------


def _left_for_good(reading: Reading) -> ColumnElement[bool]:
    """Condition: a person who left or died long ago, and whom no account and no post ties to the place."""
    keep = reading.book.residents.keep
    has_account = exists().where(col(Account.person_id) == PEOPLE.c.id)
    held = exists().where(col(Post.person_id) == PEOPLE.c.id)
    alive = PEOPLE.c.died_at.is_(None)
    gone = or_(
        and_(alive, _gone_before(_before(reading, keep.left), PEOPLE.c.id)),
        PEOPLE.c.died_at < _before(reading, keep.died),
    )
    busy = (_has_case(reading), _takes_part(reading))
    known = (PEOPLE.c.forgotten_at.is_(None), PEOPLE.c.joined_into.is_(None))
    return and_(*known, gone, ~has_account, ~held, *(~case for case in busy))


def _fresh_cases(reading: Reading) -> ColumnElement[bool]:
    """Condition: a case that is open, or ended no longer ago than somebody who left is kept."""
    before = _before(reading, reading.book.residents.keep.left)
    return or_(col(Incident.state).in_(OPEN), col(Incident.ended_at) >= before)


def _has_case(reading: Reading) -> ColumnElement[bool]:
    return exists().where(col(Incident.reporter_id) == PEOPLE.c.id, _fresh_cases(reading))


def _takes_part(reading: Reading) -> ColumnElement[bool]:
    in_case = col(Participant.incident_id) == col(Incident.id)
    return exists().where(in_case, col(Participant.person_id) == PEOPLE.c.id, _fresh_cases(reading))


def _look_people(reading: Reading) -> Iterator[Due]:
    keep = reading.book.residents.keep
    count = _count(reading, select(PEOPLE.c.id).where(_left_for_good(reading)))
    yield Due("residents", count, {"left": keep.left, "died": keep.died})


def _take_people(work: Work, most: int) -> int:
    query = select(PEOPLE.c.id).where(_left_for_good(work)).order_by(PEOPLE.c.id).limit(min(most, 100))
    numbers = list(work.session.execute(query).scalars())
    found = select(Person).where(col(Person.id).in_(numbers)).order_by(col(Person.id))
    people = work.session.execute(found.execution_options(populate_existing=True)).scalars().all()
    if people:
        make_nobody(work, people)
    return most if len(people) == min(most, 100) else len(people)


# ---- words -----------------------------------------------------------------------------------------------


def _swept(reading: Reading, what: str) -> int:
    """The id up to which the words of a kind are out already."""
    found: int = reading.session.execute(select(_SWEPT.c.upto).where(_SWEPT.c.what == what)).scalar() or 0
    return found


def _sweep_to(work: Work, what: str, upto: int) -> None:
    work.session.execute(insert_new(work.session, _SWEPT), [{"what": what, "upto": upto}])
    work.session.execute(update(_SWEPT).where(_SWEPT.c.what == what).values(upto=upto))


def _old(reading: Reading, table: Table, what: str, moment: Any, before: datetime) -> Any:
    """Rows of a growing table from where one stopped, as long as they are old."""
    return select(table.c.id).where(table.c.id > _swept(reading, what), moment < before)


def _run(work: Work, table: Table, what: str, moment: Any, before: datetime, most: int) -> list[int]:
    """The next old rows; where one stopped is kept."""
    query = _old(work, table, what, moment, before).order_by(table.c.id).limit(most)
    ids = list(work.session.execute(query).scalars())
    if ids:
        _sweep_to(work, what, ids[-1])
    return ids


def _look_words(reading: Reading) -> Iterator[Due]:
    keep = reading.book.residents.keep
    kinds = (
        ("messages", INBOX, INBOX.c.received_at, keep.messages),
        ("letters", MAIL, MAIL.c.at, keep.letters),
        ("imports", _IMPORTS, _IMPORTS.c.at, keep.imports),
        ("joins", _JOINED, _JOINED.c.at, keep.joins),
    )
    for what, table, moment, days in kinds:
        count = _count(reading, _old(reading, table, what, moment, _before(reading, days)))
        yield Due(what, count, {"days": days})
    yield Due(
        "talks", _count(reading, select(CHATS.c.chat_key).where(_old_talk(reading))), {"days": keep.talks}
    )
    shown = _old(reading, MAIL, "shown", MAIL.c.at, reading.now - SHOWN_FOR).where(MAIL.c.text.in_(SHOWN))
    yield Due("shown", _count(reading, shown), {})


def _take_messages(work: Work, most: int) -> int:
    """That a message came stays known, or a platform could deliver it again."""
    before = _before(work, work.book.residents.keep.messages)
    ids = _run(work, INBOX, "messages", INBOX.c.received_at, before, most)
    rows = (INBOX.c.id.in_(ids), INBOX.c.state != InboxState.WAITING)
    empty: Mapping[str, Any] = {"body": {}, "trouble": None, "chat_key": EXPIRED}
    work.session.execute(update(INBOX).where(*rows).values(empty))
    return len(ids)


_NOTHING: Mapping[str, Any] = {"words": None, "args": {}, "choices": [], "chat": None, "handle": None}


def _empty_letters(work: Work, ids: list[int]) -> None:
    """What was not sent in all that time is not sent any more."""
    mine = MAIL.c.id.in_(ids)
    unsent = MAIL.c.state.in_((MailState.WAITING, MailState.CLAIMED))
    work.session.execute(update(MAIL).where(mine, unsent).values(state=MailState.DROPPED))
    work.session.execute(update(MAIL).where(mine).values(_NOTHING))


def _take_letters(work: Work, most: int) -> int:
    """That a letter was promised stays known, or it would be promised again."""
    before = _before(work, work.book.residents.keep.letters)
    ids = _run(work, MAIL, "letters", MAIL.c.at, before, most)
    _empty_letters(work, ids)
    return len(ids)


def _take_shown(work: Work, most: int) -> int:
    ids = _run(work, MAIL, "shown", MAIL.c.at, work.now - SHOWN_FOR, most * 10)
    told = (MAIL.c.id.in_(ids), MAIL.c.text.in_(SHOWN))
    shown = list(work.session.execute(select(MAIL.c.id).where(*told)).scalars())
    _empty_letters(work, shown)
    return most if len(ids) == most * 10 else len(shown)


def _old_talk(reading: Reading) -> ColumnElement[bool]:
    before = _before(reading, reading.book.residents.keep.talks)
    return and_(CHATS.c.touched_at < before, cast(CHATS.c.state, String) != "{}")


def _take_talks(work: Work, most: int) -> int:
    keys = list(work.session.execute(select(CHATS.c.chat_key).where(_old_talk(work)).limit(most)).scalars())
    empty: Mapping[str, Any] = {"state": {}, "half_done": False}
    work.session.execute(update(CHATS).where(CHATS.c.chat_key.in_(keys)).values(empty))
    return len(keys)


def _take_imports(work: Work, most: int) -> int:
    before = _before(work, work.book.residents.keep.imports)
    ids = _run(work, _IMPORTS, "imports", _IMPORTS.c.at, before, most)
    work.session.execute(update(_IMPORTS).where(_IMPORTS.c.id.in_(ids)).values(changed=[]))
    return len(ids)


def _take_joins(work: Work, most: int) -> int:
    before = _before(work, work.book.residents.keep.joins)
    ids = _run(work, _JOINED, "joins", _JOINED.c.at, before, most)
    work.session.execute(update(_JOINED).where(_JOINED.c.id.in_(ids)).values(changes=[]))
    return len(ids)


def import_expired(reading: Reading, number: int) -> bool:
    """Whether what an import changed is out already, so that it cannot be undone any more."""
    return number <= _swept(reading, "imports")


_LOOKS: tuple[Callable[[Reading], Iterator[Due]], ...] = (_look_details, _look_people, _look_words)
_TAKES: Mapping[str, Callable[[Work, int], int]] = {
    "details": _take_details,
    "closed": _take_closed,
    "residents": _take_people,
    "messages": _take_messages,
    "letters": _take_letters,
    "shown": _take_shown,
    "talks": _take_talks,
    "imports": _take_imports,
    "joins": _take_joins,
}
