"""Requesting: what the handler of a case cannot decide alone and asks a second person to allow."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handbook.spans import Span, spoken_span
from handlers import access
from handlers.cases import (
    about,
    choice,
    make,
    must_own,
    role_and_name,
    someone_above,
    tell_worker,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import settle
from handlers.promise import read_promise
from handlers.refusal import Refusal
from handlers.work import Work
from models import Incident, IncidentEvent, Move

Reason = Annotated[str, Ask("text"), Field(min_length=2, max_length=500)]

SpanText = Annotated[str, Ask("span"), Field(max_length=20)]

Mine = Annotated[int, Ask("case", among="mine")]


class _Asked(Command):
    """Something the owner of a case asks a second person to allow."""

    may: ClassVar[str | None] = "handle"
    move: ClassVar[Move]
    incident: Mine


class Extend(_Asked):
    """Ask for more time. The first is allowed by the level above, a second by the next (domain.md section
    3).
    """

    name: ClassVar[str] = "extend"
    move: ClassVar[Move] = Move.EXTEND
    span: SpanText
    reason: Reason


class Suspend(_Asked):
    """Ask to let a case rest that must wait for a season, parts or a plan (挂账)."""

    name: ClassVar[str] = "suspend"
    move: ClassVar[Move] = Move.SUSPEND
    span: SpanText
    reason: Reason


class NotOurs(_Asked):
    """Ask to close a case that nobody here can handle (转外部)."""

    name: ClassVar[str] = "not_ours"
    move: ClassVar[Move] = Move.CLOSE_NOT_OURS
    reason: Reason


class Unsolvable(_Asked):
    """Ask to close a case honestly as not solved."""

    name: ClassVar[str] = "unsolvable"
    move: ClassVar[Move] = Move.CLOSE_UNSOLVED
    reason: Reason


class Void(_Asked):
    """Ask to close a case as invalid (a test, a joke, nothing there)."""

    name: ClassVar[str] = "void"
    confirm: ClassVar[bool] = True
    move: ClassVar[Move] = Move.CLOSE_INVALID
    reason: Reason


@handles(Extend)
def extend(work: Work, command: Extend) -> Done:
    """At most as many times as was promised when the case was opened."""
    incident = _own(work, command)
    span = read_span(command.span)
    if incident.extensions >= read_promise(incident.promise).max_extensions:
        raise Refusal("extend.too_often", number=incident.id, times=incident.extensions)
    earlier = allowed_before(work, incident) if incident.extensions else None
    return _ask(work, incident, command.move, command.reason, besides=earlier, span=str(span))


@handles(Suspend)
def suspend(work: Work, command: Suspend) -> Done:
    """The clock stands until the day that is named, no longer than the place allows."""
    incident = _own(work, command)
    span = read_span(command.span)
    calendar = work.book.calendars[read_promise(incident.promise).calendar]
    until, longest = (
        calendar.due(work.now, span).at,
        calendar.due(work.now, work.book.incidents.max_suspension).at,
    )
    assert until is not None
    assert longest is not None
    if until > longest:
        raise Refusal("suspend.too_long", longest=longest)
    return _ask(work, incident, command.move, command.reason, resume_at=until.isoformat())


@handles(NotOurs)
def not_ours(work: Work, command: NotOurs) -> Done:
    """Reviewed by a second person before the reporter hears it."""
    return _ask(work, _own(work, command), command.move, command.reason)


@handles(Unsolvable)
def unsolvable(work: Work, command: Unsolvable) -> Done:
    """Reviewed by a second person before the reporter hears it."""
    return _ask(work, _own(work, command), command.move, command.reason)


@handles(Void)
def void(work: Work, command: Void) -> Done:
    """Reviewed by a second person; a case in danger to life is never void by a word alone."""
    return _ask(work, _own(work, command), command.move, command.reason)


def read_span(text: str) -> Span:
    """A length of time as people write it, or as the book does. Raises Refusal."""
    try:
        return spoken_span(text)
    except ValueError as wrong:
        raise Refusal("span.unclear", said=text[:20]) from wrong


def _own(work: Work, command: _Asked) -> Incident:
    incident = access.find(work, command.incident, lock=True)
    must_own(work, incident)
    if not incident.may(command.move):
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=incident.id)
    if incident.request is not None:
        raise Refusal(
            "approval.pending", number=incident.id, approver=role_and_name(work, incident.approver_id)
        )
    return incident


def allowed_before(work: Work, incident: Incident) -> int | None:
    """Who allowed the extension before, since the same person does not allow a second one."""
    query = (
        select(col(IncidentEvent.actor_id))
        .where(col(IncidentEvent.incident_id) == incident.id, col(IncidentEvent.move) == Move.EXTEND)
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    return work.session.execute(query).scalar()


def _ask(
    work: Work, incident: Incident, move: Move, reason: str, *, besides: int | None = None, **data: Any
) -> Done:
    approver = _approver(work, incident, besides)
    if approver is None:
        raise Refusal("approval.nobody", number=incident.id)
    make(work, incident, Move.REQUEST, reason=reason, asks=move, approver=approver, **data)
    incident.request = {"move": str(move), "by": work.actor.id, "reason": reason, "data": data}
    incident.approver_id, incident.request_until = approver, _approval_due(work, incident)
    settle(work, incident)
    _tell_approver(work, incident)
    work.reply(
        "approval.asked", incident=incident, approver=role_and_name(work, approver), **about(work, incident)
    )
    return Done({"number": incident.id, "approver": approver}, incident.id)


def _approver(work: Work, incident: Incident, earlier: int | None) -> int | None:
    """The nearest above who has not allowed it before; for whoever stands at the top, any second person."""
    me, grid = work.actor.id, incident.grid_id
    return (
        someone_above(work, grid, "review", over=me, besides=(earlier,))
        or someone_above(work, grid, "review", over=me)
        or someone_above(work, grid, "review", besides=(me,))
    )


def _approval_due(work: Work, incident: Incident) -> datetime:
    promise = read_promise(incident.promise)
    due = work.book.calendars[promise.calendar].due(work.now, promise.approval).at
    assert due is not None
    return due


def _tell_approver(work: Work, incident: Incident) -> None:
    assert incident.request is not None
    assert incident.approver_id is not None
    tell_worker(
        work,
        incident.approver_id,
        "approval.request",
        key=f"incident:{incident.id}:request:{incident.version}",
        incident=incident,
        choices=[choice(work, "approve", incident), choice(work, "disapprove", incident)],
        still="requested",
        by=role_and_name(work, incident.request["by"]),
        asks=request_words(work, incident.request),
        reason=incident.request["reason"],
        **about(work, incident),
    )


def request_words(work: Work, request: Mapping[str, Any]) -> str:
    """What is asked for, in words."""
    words = work.book.text(f"request.{request['move']}")
    span = request.get("data", {}).get("span")
    return f"{words}（{span_words(work, span)}）" if span else words


def span_words(work: Work, span: str) -> str:
    """A span as people read it: 3个工作日, 4个工作小时."""
    parsed = Span.parse(span)
    return work.word(f"unit.{'' if parsed.wall else 'work_'}{parsed.unit}", amount=parsed.amount)


def climb_request(work: Work, incident: Incident) -> None:
    """Nobody answered a request in time: it goes to the next person above, or waits on at the top."""
    assert incident.request is not None
    asker, late = incident.request["by"], incident.approver_id
    upper = someone_above(work, incident.grid_id, "review", over=late, besides=(asker,))
    if upper is not None:
        incident.approver_id = upper
    incident.request_until = _approval_due(work, incident)
    make(work, incident, Move.NOTE, request="late", approver=incident.approver_id)
    _tell_approver(work, incident)
