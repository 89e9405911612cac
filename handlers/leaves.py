"""Leave: somebody is away, and what arrives meanwhile goes to a deputy or to the level above."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import func, or_, select
from sqlmodel import col

from handbook.calendar import WorkCalendar
from handbook.periods import Period, spoken_period
from handlers.cases import choice, name_of, rank, role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed, Refusal
from handlers.standing import UPWARD, deputies_of, may_speak_for
from handlers.tree import Tree, load_tree, registry_changed
from handlers.work import Reading, Work
from models import OPEN, Incident, Leave

LONGEST = timedelta(days=366)
_MINUTE = timedelta(minutes=1)

Whose = Annotated[int | None, Ask("quiet")]


class TakeLeave(Command):
    """Say from when to when one is away, and who acts meanwhile; somebody above may say it for others."""

    name: ClassVar[str] = "take_leave"
    may: ClassVar[str | None] = "handle"
    days: Annotated[str, Ask("period"), Field(max_length=80)]
    """Two moments with a stroke between them, or words: 3天, 到周五, 11月25日."""
    deputy: Annotated[int | None, Ask("person", among="deputies", offered=True)] = None
    who: Whose = None


class EndLeave(Command):
    """Say that one is back, or that one will not be away after all."""

    name: ClassVar[str] = "end_leave"
    may: ClassVar[str | None] = "handle"
    who: Whose = None


# ---- going -----------------------------------------------------------------------------------------------


@handles(TakeLeave)
def take_leave(work: Work, command: TakeLeave) -> Done:
    """The latest word holds: of an earlier leave only what lies before this one is left."""
    person = _whose(work, command.who)
    period = read_period(work, command.days)
    leave = _enter(work, person, _deputy(work, person, command.deputy, period), period)
    stands_in = _tree_at(work, max(work.now, leave.since)).away.get(person)
    if stands_in is None:
        raise Refusal("leave.nobody", name=name_of(work, person))
    _tell_of(work, leave, stands_in)
    return Done({"leave": leave.id, "since": leave.since, "until": leave.until, "deputy": stands_in})


def _whose(work: Work, who: int | None) -> int:
    """Oneself, or somebody below in one's own area."""
    assert work.actor.id is not None
    if who is None or who == work.actor.id:
        return work.actor.id
    if not may_speak_for(work, who):
        raise NotAllowed()
    return who


def read_period(work: Work, words: str) -> Period:
    """From when to when, as a chat keeps it or as people write it. Raises Refusal."""
    try:
        period = Period.parse(words)
    except ValueError:
        spoken = spoken_period(words, work.now, office(work), work.book.zone)
        if spoken is None:
            raise Refusal("leave.unclear", said=words[:20]) from None
        period = spoken.period
    since = max(period.since, work.now)
    if not since < period.until <= work.now + LONGEST:
        raise Refusal("leave.unclear", said=words[:20])
    return Period(since, period.until)


def office(reading: Reading) -> WorkCalendar:
    """The calendar by which days of leave are counted: that of an ordinary case."""
    rules = reading.book.incidents
    return reading.book.calendars[rules.grades[rules.grade_of["ordinary"]].calendar]


def _deputy(work: Work, person: int, deputy: int | None, period: Period) -> int | None:
    """Who was named; nobody was: who acts already, if a leave that still runs is only made longer."""
    if deputy == UPWARD:
        return None
    if deputy is None:
        return next((row.deputy_id for row in leaves_of(work, person) if row.since <= period.since), None)
    if deputy == person:
        raise Refusal("leave.own_deputy")
    if deputy not in [option.value for option in deputies_of(work, person)]:
        raise Refusal("leave.no_deputy", name=name_of(work, deputy))
    return deputy


def _enter(work: Work, person: int, deputy: int | None, period: Period) -> Leave:
    for earlier in leaves_of(work, person):
        if earlier.since < period.until and earlier.until > period.since:
            earlier.until = max(earlier.since, period.since)
    assert work.actor.id is not None
    leave = Leave(
        person_id=person,
        deputy_id=deputy,
        since=period.since,
        until=period.until,
        said_by=work.actor.id,
    )
    work.session.add(leave)
    work.session.flush()
    registry_changed(work.session)
    return leave


def leaves_of(reading: Reading, person: int) -> list[Leave]:
    """A person's leaves that are not over, the next first."""
    query = select(Leave).where(
        col(Leave.person_id) == person, col(Leave.until) > reading.now, col(Leave.until) > col(Leave.since)
    )
    return list(reading.session.execute(query.order_by(col(Leave.since), col(Leave.id))).scalars())


def _tree_at(work: Work, moment: datetime) -> Tree:
    """The registry as it will stand: who then stands in is told today."""
    return load_tree(work.session, work.book, moment)


def _tell_of(work: Work, leave: Leave, stands_in: int) -> None:
    person, days = leave.person_id, days_words(work, leave.since, leave.until)
    deputy = role_and_name(work, stands_in)
    facts: dict[str, Any] = {"name": role_and_name(work, person), "days": days, "deputy": deputy}
    count = _on_the_table(work, person)
    table = work.word("leave.table", count=count, deputy=deputy) if count else ""
    work.reply("leave.done", choices=[choice(work, "end_leave", who=person)], table=table, **facts)
    if stands_in != work.actor.id:
        table = work.word("leave.table_to_see", count=count) if count else ""
        work.tell(stands_in, "leave.deputy", key=f"leave:{leave.id}", table=table, **facts)
    if person != work.actor.id:
        by = role_and_name(work, work.actor.id)
        work.tell(person, "leave.entered", key=f"leave:{leave.id}", by=by, **facts)
    upper = keeper_above(work, person, besides=(stands_in, work.actor.id))
    if upper is not None:
        work.tell(upper, "leave.upper", key=f"leave:{leave.id}", **facts)


def _on_the_table(reading: Reading, person: int) -> int:
    theirs = or_(col(Incident.owner_id) == person, col(Incident.approver_id) == person)
    query = select(func.count()).select_from(Incident).where(theirs, col(Incident.state).in_(OPEN))
    return int(reading.session.execute(query).scalar_one())


def keeper_above(reading: Reading, person: int, besides: tuple[int | None, ...] = ()) -> int | None:
    """Who answers for the level above somebody's first post today; None where that is among `besides`."""
    actor = reading.tree.staff.get(person)
    if actor is None or not actor.own_posts:
        return None
    for node in reading.tree.upward(actor.own_posts[0].grid_id):
        for keeper in reading.tree.keepers(node.id):
            if rank(reading, keeper) < rank(reading, person):
                return None if keeper in besides else keeper
    return None


def days_words(reading: Reading, since: datetime, until: datetime) -> str:
    """从现在起到11月25日: whole days by their dates, parts of a day with the hour."""
    if since > reading.now:
        return reading.word("leave.days", since=_edge(reading, since), until=_edge(reading, until, last=True))
    return reading.word("leave.days_from_now", until=_edge(reading, until, last=True))


def _edge(reading: Reading, moment: datetime, *, last: bool = False) -> str:
    local = moment.astimezone(reading.book.zone)
    midnight = local.hour == local.minute == 0
    day = local - _MINUTE if last and midnight else local
    words = reading.word("area.day", month=day.month, day=day.day)
    return words if midnight else f"{words}{local:%H:%M}"


# ---- coming back -----------------------------------------------------------------------------------------


@handles(EndLeave)
def end_leave(work: Work, command: EndLeave) -> Done:
    """The leave that runs ends now, else the next one is taken back; what was taken on meanwhile stays."""
    person = _whose(work, command.who)
    leave = next(iter(leaves_of(work, person)), None)
    if leave is None:
        raise Refusal("leave.none", name=name_of(work, person))
    began = leave.since <= work.now
    stands_in = _tree_at(work, max(work.now, leave.since)).away.get(person)
    leave.until = work.now if began else leave.since
    work.session.flush()
    registry_changed(work.session)
    who = role_and_name(work, person)
    work.reply("leave.ended", name=who, count=_on_the_table(work, person))
    for other in {stands_in, keeper_above(work, person), person} - {None, work.actor.id}:
        work.tell(other or 0, "leave.back", key=f"leave:{leave.id}:back", name=who)
    return Done({"leave": leave.id, "until": leave.until})
