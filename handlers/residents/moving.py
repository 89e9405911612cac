"""Moving: out, in, from door to door, death; the history of where somebody lived never overlaps."""

from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import insert, select, update

from handbook.doors import door_words
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.grids.tallies import homes_of, recount, recount_around
from handlers.refusal import NotFound, Refusal
from handlers.residents.details import lock_person
from handlers.residents.doors import find_doors, one_door
from handlers.residents.new_doors import entered, grid_for, planned_door
from handlers.residents.scope import (
    MEMBERS,
    PEOPLE,
    RECORD,
    Door,
    Resident,
    door_label,
    door_of,
    home_label,
    lives_there,
    resident_of,
)
from handlers.residents.who import Again, resident_meant
from handlers.work import Reading, Work
from handlers.writing import Writing
from models import Deed, Ending, Person, Subject

SLIP = timedelta(days=1)
"""For so long a move is taken back as if it had not been, by whoever entered it."""


class MoveOut(Command):
    """Somebody does not live here any more."""

    name: ClassVar[str] = "move_out"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=80)]
    resident: Annotated[int | None, Ask("quiet")] = None


class MoveTo(Command):
    """Somebody lives behind another door now: 搬到 张三 4栋502."""

    name: ClassVar[str] = "move_to"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=120)]
    resident: Annotated[int | None, Ask("quiet")] = None
    to: Annotated[str, Ask("text"), Field(max_length=80)] = ""
    household: Annotated[int | None, Ask("quiet")] = None
    grid: Annotated[int | None, Ask("quiet")] = None
    """Where a door lies that is not known yet."""
    new: Annotated[bool, Ask("quiet")] = False


class Died(Command):
    """Somebody has died: nobody is sent to them any more."""

    name: ClassVar[str] = "died"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    confirm: ClassVar[bool] = True
    who: Annotated[str, Ask("text"), Field(max_length=80)]
    resident: Annotated[int | None, Ask("quiet")] = None


class Restore(Command):
    """A move, a leaving or a death was entered by mistake: they live where they lived."""

    name: ClassVar[str] = "restore_resident"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = RECORD
    who: Annotated[str, Ask("text"), Field(max_length=80)]
    resident: Annotated[int | None, Ask("quiet")] = None


@handles(MoveOut)
def move_out(work: Work, command: MoveOut) -> Done:
    """The history stays for as long as the book says (keep.left)."""
    resident = resident_meant(work, command.who, command.resident, RECORD, Again("move_out")).resident
    place = home_label(work, resident)
    _end(work, resident.id, Ending.LEFT)
    recount_around(work.session, work.now, [resident.id])
    work.session.execute(update(PEOPLE).where(PEOPLE.c.id == resident.id).values(home_grid_id=None))
    note(work, Deed.MOVE, Subject.PERSON, resident.id)
    work.reply("move_out.done", name=resident.name, place=place, choices=[_undo(work, resident)])
    return Done({"resident": resident.id})


@handles(MoveTo)
def move_to(work: Work, command: MoveTo) -> Done:
    """Out of the old door and into the new one at the same moment."""
    again = Again("move_to", {"to": command.to, "household": command.household})
    meant = resident_meant(work, command.who, command.resident, RECORD, again)
    words = command.to or meant.rest
    if not words and command.household is None:
        work.reply("move_to.to.ask")
        known = {"who": meant.resident.name, "resident": meant.resident.id}
        return Done(asks=("move_to", "to", known))
    door = _new_home(work, command, meant.resident, words)
    if meant.resident.door is not None and meant.resident.door.id == door.id:
        raise Refusal("move_to.there", name=meant.resident.name, place=door_label(work, door))
    before = home_label(work, meant.resident)
    moved = live_at(work, meant.resident.id, door)
    work.session.execute(
        update(PEOPLE).where(PEOPLE.c.id == meant.resident.id).values(home_grid_id=door.grid_id)
    )
    note(work, Deed.MOVE, Subject.PERSON, meant.resident.id)
    choices = [_undo(work, meant.resident)] if moved else []
    work.reply(
        "move_to.done",
        name=meant.resident.name,
        before=before,
        place=door_label(work, door),
        choices=choices,
    )
    return Done({"resident": meant.resident.id, "household": door.id})


def _new_home(work: Work, command: MoveTo, resident: Resident, words: str) -> Door:
    if command.household is not None:
        return door_of(work, RECORD, command.household)
    known = {"who": resident.name, "resident": resident.id, "to": words}
    if command.new or command.grid is not None:
        grid = command.grid or grid_for(work, words, "move_to", {**known, "new": True})
        return entered(work, planned_door(work, grid, words))
    found = find_doors(work, words, RECORD)
    if len(found.doors) == 1 and not found.left:
        return found.doors[0]
    return _chosen(work, words, known)


def _chosen(work: Work, words: str, known: dict[str, Any]) -> Door:
    """Raises Refusal with numbered doors, the last of which is a new one."""
    try:
        return one_door(work, words, RECORD, "move_to", **known)
    except Refusal as no:
        offered = [_for_move(one, known) for one in no.args_.pop("choices", [])]
        if door_words(words).numbers:
            label = work.word("move_to.new", door=words[:20])
            offered.append({"label": label, "do": "move_to", "known": {**known, "new": True}})
        raise Refusal(no.text, choices=offered, **no.args_) from None


def _for_move(choice: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    to = choice["known"].pop("door")
    return {**choice, "known": {**choice["known"], **known, "to": to}}


@handles(Died)
def died(work: Work, command: Died) -> Done:
    """What the modules keep goes after as many days as they say (keep)."""
    resident = resident_meant(work, command.who, command.resident, RECORD, Again("died")).resident
    _end(work, resident.id, Ending.DIED)
    recount_around(work.session, work.now, [resident.id])
    work.session.execute(update(PEOPLE).where(PEOPLE.c.id == resident.id).values(died_at=work.now))
    note(work, Deed.MOVE, Subject.PERSON, resident.id)
    place = home_label(work, resident)
    work.reply("died.done", name=resident.name, place=place, choices=[_undo(work, resident)])
    return Done({"resident": resident.id})


@handles(Restore)
def restore(work: Work, command: Restore) -> Done:
    """The last door they left is theirs again; whoever takes them out of a later one must serve that too."""
    person = command.resident or _left_last(work, command.who)
    lock_person(work, person)
    row = work.session.get(Person, person, populate_existing=True)
    last, current = _ended_last(work.session, person), _current(work, person)
    if row is None or last is None or row.joined_into is not None or row.forgotten_at is not None:
        resident_of(work, RECORD, person)
        raise Refusal("restore_resident.nothing")
    door = _served(work, last.household_id)
    for now_at in current:
        _served(work, now_at.household_id)
    _must_be_fresh(work, last, current)
    touched = homes_of(work.session, [person])
    _back(work, last, current)
    row.died_at, row.home_grid_id = None, door.grid_id
    work.session.flush()
    recount(work.session, work.now, touched | homes_of(work.session, [person]))
    note(work, Deed.MOVE, Subject.PERSON, person)
    work.reply("restore_resident.done", name=row.name, place=door_label(work, door))
    return Done({"resident": person, "household": door.id})


def _served(work: Work, household_id: int) -> Door:
    """A door of the actor's. Raises NotFound, as if there were nobody."""
    try:
        return door_of(work, RECORD, household_id)
    except NotFound:
        raise NotFound("resident.not_found") from None


def _must_be_fresh(work: Work, last: Any, current: list[Any]) -> None:
    """A mistake is seen soon; later than that somebody has come back. Raises Refusal."""
    if any(now_at.since < last.until for now_at in current):
        raise Refusal("restore_resident.nothing")
    days = work.book.residents.keep.moves
    if work.now - last.until > timedelta(days=days):
        raise Refusal("restore_resident.too_late", days=days)


def _back(work: Work, last: Any, current: list[Any]) -> None:
    """One's own slip of the day leaves no trace; else a later door stays as history, as it was."""
    if all(now_at.said_by == work.actor.id and work.now - now_at.since < SLIP for now_at in current):
        work.session.execute(MEMBERS.delete().where(MEMBERS.c.id.in_([now_at.id for now_at in current])))
        said = {"until": None, "ending": None, "said_by": work.actor.id}
        work.session.execute(update(MEMBERS).where(MEMBERS.c.id == last.id).values(said))
        return
    _end(work, last.person_id, Ending.MOVED)
    row = {"household_id": last.household_id, "person_id": last.person_id, "head": last.head}
    work.session.execute(insert(MEMBERS), [{**row, "since": work.now, "said_by": work.actor.id}])


def _left_last(work: Work, words: str) -> int:
    """Somebody of the name who left a door within reach, the latest. Raises NotFound."""
    name = words.strip().split(" ")[0]
    left = (
        select(PEOPLE.c.id, MEMBERS.c.household_id)
        .join(MEMBERS, MEMBERS.c.person_id == PEOPLE.c.id)
        .where(PEOPLE.c.name == name, MEMBERS.c.until.is_not(None), MEMBERS.c.until <= work.now)
    )
    for row in work.session.execute(left.order_by(MEMBERS.c.until.desc(), MEMBERS.c.id.desc()).limit(20)):
        try:
            door_of(work, RECORD, row.household_id)
        except NotFound:
            continue
        return int(row.id)
    raise NotFound("resident.nobody", name=name[:20])


def _undo(work: Work, resident: Resident) -> dict[str, Any]:
    return {
        "label": work.word("restore_resident.label"),
        "do": "restore_resident",
        "known": {"who": resident.name, "resident": resident.id},
    }


# ---- rows ------------------------------------------------------------------------------------------------


def live_at(work: Work, person_id: int, door: Door) -> bool:
    """From now on somebody lives behind a door, and nowhere else. Returns whether they lived elsewhere."""
    lock_person(work, person_id)
    moved = _end(work, person_id, Ending.MOVED)
    others = select(MEMBERS.c.id).where(MEMBERS.c.household_id == door.id, lives_there(work.now))
    head = work.session.execute(others.limit(1)).first() is None
    row = {"household_id": door.id, "person_id": person_id, "head": head, "since": work.now}
    work.session.execute(insert(MEMBERS), [{**row, "said_by": work.actor.id}])
    recount_around(work.session, work.now, [person_id])
    return moved


def _end(work: Work, person_id: int, ending: Ending) -> bool:
    """End where somebody lives; Returns whether there was any place."""
    lock_person(work, person_id)
    current = _current(work, person_id)
    for row in current:
        values = {"until": work.now, "ending": ending, "said_by": work.actor.id}
        work.session.execute(update(MEMBERS).where(MEMBERS.c.id == row.id).values(values))
    return bool(current)


def _current(work: Work, person_id: int) -> list[Any]:
    query = select(MEMBERS).where(MEMBERS.c.person_id == person_id, lives_there(work.now))
    return list(work.session.execute(query.order_by(MEMBERS.c.id)))


def _ended_last(session: Writing, person_id: int) -> Any:
    query = select(MEMBERS).where(MEMBERS.c.person_id == person_id, MEMBERS.c.until.is_not(None))
    return session.execute(query.order_by(MEMBERS.c.until.desc(), MEMBERS.c.id.desc()).limit(1)).first()


def where_lived(reading: Reading, person_id: int) -> list[Any]:
    """Everywhere somebody lived, in order."""
    query = select(MEMBERS).where(MEMBERS.c.person_id == person_id)
    return list(reading.session.execute(query.order_by(MEMBERS.c.since, MEMBERS.c.id)))
