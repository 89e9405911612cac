"""Pressing: what time, a reporter or a superior does to a case that does not move."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.asking import ask_reporters, last_result
from handlers.cases import (
    about,
    call_of,
    choice,
    given_back_choices,
    hand_to,
    make,
    must_cover,
    owner_words,
    responsible,
    role_and_name,
    rung_above,
    someone_above,
    tell_owner,
    tell_reporters,
    tell_worker,
)
from handlers.clocks import Due, Kind
from handlers.closing import close_by_silence
from handlers.command import Ask, Command, Done, OwnCommand, handles
from handlers.dues import by_when, due_now, settle
from handlers.pausing import resume
from handlers.promise import read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.reporting import new_choices
from handlers.requesting import climb_request
from handlers.work import Work
from models import IN_HAND, OPEN, Incident, IncidentEvent, Move, State


class Urge(Command):
    """The reporter asks where the case stays; the owner hears it."""

    name: ClassVar[str] = "urge"
    incident: Annotated[int, Ask("case", among="reported")]


class Supervise(Command):
    """A superior presses a case (督办)."""

    name: ClassVar[str] = "supervise"
    may: ClassVar[str | None] = "supervise"
    incident: Annotated[int, Ask("case", among="in_area")]
    words: Annotated[str, Ask("text"), Field(max_length=500)] = ""


class FollowDue(OwnCommand):
    """The clock: nudge, warn, climb, resume or close every case whose next due time has come."""

    name: ClassVar[str] = "follow_due"
    limit: int = 500


@handles(Urge)
def urge(work: Work, command: Urge) -> Done:
    """Heard once in the place's hours, so that neither side is worn down."""
    incident = access.find_main(work, command.incident, lock=True)
    if not access.is_reporter(work, incident) and incident.filed_by_id != work.actor.id:
        raise NotAllowed("close.not_reporter", number=command.incident)
    if not incident.is_open:
        raise Refusal("urge.closed", number=command.incident, stage=work.stage(incident.state))
    last = _last(work, incident, Move.URGE)
    if last is not None:
        again = work.book.calendars[read_promise(incident.promise).calendar].due(
            last, work.book.incidents.urge_every
        )
        if again.at is not None and work.now < again.at:
            raise Refusal(
                "urge.too_soon",
                number=command.incident,
                title=incident.title,
                owner=owner_words(work, incident),
                phone=call_of(work, responsible(work, incident)),
            )
    make(work, incident, Move.URGE)
    tell_owner(
        work,
        incident,
        "urge.owner",
        event=f"urged:{incident.version}",
        choices=new_choices(work, incident) if incident.state is State.DISPATCHED else None,
        still="open",
    )
    work.reply(
        "urge.done",
        incident=incident,
        owner=owner_words(work, incident),
        phone=call_of(work, responsible(work, incident)),
        **about(work, incident, command.incident),
    )
    return Done({"number": incident.id}, command.incident)


def _last(work: Work, incident: Incident, move: Move) -> datetime | None:
    query = (
        select(col(IncidentEvent.at))
        .where(col(IncidentEvent.incident_id) == incident.id, col(IncidentEvent.move) == move)
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    return work.session.execute(query).scalar()


@handles(Supervise)
def supervise(work: Work, command: Supervise) -> Done:
    """The case stays where it is; its owner and the level above hear of it."""
    incident = access.find(work, command.incident, lock=True)
    must_cover(work, incident, "supervise")
    if not incident.may(Move.SUPERVISE):
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=incident.id)
    incident.supervised = True
    make(work, incident, Move.SUPERVISE, reason=command.words or None)
    tell_owner(
        work,
        incident,
        "supervise.owner",
        event=f"supervised:{incident.version}",
        by=role_and_name(work, work.actor.id),
        words=command.words or work.word("said.hurry"),
        still="open",
    )
    work.reply(
        "supervise.done",
        incident=incident,
        owner=owner_words(work, incident),
        **about(work, incident),
    )
    return Done({"number": incident.id}, incident.id)


# ---- the clock -------------------------------------------------------------------------------------------


@handles(FollowDue)
def follow_due(work: Work, command: FollowDue) -> Done:
    """Each case in a savepoint of its own: one that fails does not stop the others."""
    query = (
        select(col(Incident.id))
        .where(col(Incident.next_due) <= work.now, col(Incident.state).in_(OPEN))
        .order_by(col(Incident.next_due), col(Incident.id))
        .limit(command.limit)
    )
    numbers = list(work.session.execute(query).scalars())
    failed: list[int] = []
    for number in numbers:
        try:
            with work.savepoint():
                _follow(work, number)
        except Exception:
            failed.append(number)
            work.log.exception("case could not be followed", extra={"incident": number})
    return Done({"followed": len(numbers) - len(failed), "failed": failed})


def _follow(work: Work, number: int) -> None:
    query = select(Incident).where(col(Incident.id) == number).with_for_update()
    incident = work.session.execute(query.execution_options(populate_existing=True)).scalar_one()
    if not incident.is_open or incident.next_due is None or incident.next_due > work.now:
        return
    if incident.request_until is not None and incident.request_until <= work.now:
        climb_request(work, incident)
    elif incident.state is State.PAUSED:
        if incident.paused_until is not None and incident.paused_until <= work.now:
            resume(work, incident)
    else:
        _act(work, incident, due_now(work, incident))
    settle(work, incident)


def _act(work: Work, incident: Incident, dues: list[Due]) -> None:
    """The gravest thing that is due now decides; of several nudges only the last one is sent."""
    missed = {due.kind for due in dues if due.percent is None}
    if Kind.SILENCE in missed:
        close_by_silence(work, incident)
    elif Kind.VERIFY in missed:
        _pass_on(work, incident)
    elif missed & set(_GRAVEST):
        _overdue(work, incident, missed)
    elif Kind.ARRIVE in missed:
        _warn(work, incident, Kind.ARRIVE)
    else:
        nudges = [due for due in dues if due.percent is not None]
        if nudges:
            _nudge(work, incident, nudges[-1])
        else:
            _top(work, incident, Kind.TOP)


_GRAVEST = (Kind.RESOLVE, Kind.ACCEPT, Kind.ASSIGN, Kind.ARBITRATE)
"""Clocks which make a case climb, the gravest first."""


def _pass_on(work: Work, incident: Incident) -> None:
    """Nobody checked the result in time: the reporter, who knows best, is asked."""
    if incident.state is State.HANDLED:
        make(work, incident, Move.VERIFY, auto=True)
    ask_reporters(work, incident, last_result(work, incident))


def _nudge(work: Work, incident: Incident, due: Due) -> None:
    make(work, incident, Move.NUDGE, clock=due.kind, percent=due.percent)
    tell_owner(
        work,
        incident,
        "nudge.accepted" if incident.state in IN_HAND else "nudge.waiting",
        event=f"nudge:{incident.version}",
        choices=None if incident.state in IN_HAND else new_choices(work, incident),
        still="mine",
        percent=due.percent,
    )


def _overdue(work: Work, incident: Incident, missed: set[Kind]) -> None:
    kinds = [kind for kind in _GRAVEST if kind in missed]
    promise = read_promise(incident.promise)
    if (
        promise.auto_return
        and Kind.RESOLVE in missed
        and incident.state in IN_HAND
        and _take_back(work, incident)
    ):
        return
    found = rung_above(work, incident, promise, incident.owner_id, start=incident.step)
    if found is None:
        _top(work, incident, *kinds)
    else:
        _climb(work, incident, *found, kind=kinds[0])


def _take_back(work: Work, incident: Incident) -> bool:
    """自动退回: accepted, but nothing came of it; given anew by the level above."""
    upper = someone_above(work, incident.grid_id, "assign", over=incident.owner_id)
    if upper is None:
        return False
    former = incident.owner_id
    make(work, incident, Move.AUTO_RETURN, to=upper)
    incident.owner_id = upper
    make(work, incident, Move.WARN, clock=Kind.RESOLVE)
    settle(work, incident)
    event = f"auto_return:{incident.version}"
    tell_owner(
        work,
        incident,
        "auto_return.upper",
        event=event,
        still="mine",
        choices=given_back_choices(work, incident),
        by=role_and_name(work, former),
    )
    _tell_former(work, incident, former, event)
    return True


LATE = {
    Kind.RESOLVE: "late.resolve",
    Kind.ACCEPT: "late.accept",
    Kind.ASSIGN: "late.assign",
    Kind.ARBITRATE: "late.arbitrate",
    Kind.TOP: "late.top",
}
"""What was missed: keys of its words."""


def _climb(work: Work, incident: Incident, owner: int, step: int, *, kind: Kind) -> None:
    former = incident.owner_id
    incident.step = step
    hand_to(work, incident, Move.CLIMB, owner, clock=kind, former=former)
    settle(work, incident)
    event = f"climb:{incident.version}"
    tell_owner(
        work,
        incident,
        "climb.upper",
        event=event,
        choices=[
            choice(work, "accept", incident),
            choice(work, "transfer", incident, label="label.pass_on"),
        ],
        still="mine",
        late=work.word(LATE[kind]),
        by=role_and_name(work, former),
        urgent=incident.danger is not None,
    )
    _tell_former(work, incident, former, event)
    tell_reporters(
        work,
        incident,
        "climb.reporter",
        event=event,
        late=work.word(LATE[kind]),
        owner=role_and_name(work, owner),
        **by_when(incident),
    )


def _tell_former(work: Work, incident: Incident, former: int | None, event: str) -> None:
    if former is not None and former != incident.owner_id:
        tell_worker(
            work,
            former,
            "climb.former",
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            owner=owner_words(work, incident),
            **about(work, incident),
        )


def _warn(work: Work, incident: Incident, kind: Kind) -> None:
    """Arrival is late: the owner and the level above hear it; the case stays with who is on the way."""
    make(work, incident, Move.WARN, clock=kind)
    event = f"late_arrival:{incident.version}"
    tell_owner(work, incident, "arrive.late", event=event, urgent=True, still="mine")
    upper = someone_above(work, incident.grid_id, "supervise", over=incident.owner_id)
    if upper is not None:
        work.tell(
            upper,
            "arrive.late_upper",
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            urgent=True,
            owner=owner_words(work, incident),
            phone=call_of(work, responsible(work, incident)),
            **about(work, incident),
        )


def _top(work: Work, incident: Incident, *kinds: Kind) -> None:
    """Nobody stands above: the 兜底 cannot pass it on and is reminded, daily at first, then weekly."""
    for kind in kinds:
        make(work, incident, Move.WARN, clock=kind)
    tell_owner(
        work,
        incident,
        "climb.top",
        event=f"top:{incident.version}",
        choices=new_choices(work, incident) if incident.state is State.DISPATCHED else None,
        still="mine",
        late=work.word(LATE[kinds[0]]),
    )
