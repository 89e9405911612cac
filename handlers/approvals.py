"""Approvals: what the handler of a case cannot decide alone, and the second person who does."""

from collections.abc import Callable, Mapping
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
    must_cover,
    must_own,
    phone_of,
    role_and_name,
    someone_above,
    tell_owner,
    tell_reporters,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import deadline, settle
from handlers.promise import read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.work import Work
from models import Incident, IncidentEvent, Move, State

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


class Approve(Command):
    """Allow what was asked for."""

    name: ClassVar[str] = "approve"
    may: ClassVar[str | None] = "review"
    incident: Annotated[int, Ask("case", among="to_approve")]


class Disapprove(Command):
    """Do not allow what was asked for."""

    name: ClassVar[str] = "disapprove"
    may: ClassVar[str | None] = "review"
    incident: Annotated[int, Ask("case", among="to_approve")]
    reason: Annotated[str, Ask("text"), Field(max_length=500)] = ""


class Unsuspend(Command):
    """Take a resting case up again."""

    name: ClassVar[str] = "unsuspend"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="paused")]


# ---- asking ----------------------------------------------------------------------------------------------


@handles(Extend)
def extend(work: Work, command: Extend) -> Done:
    """At most as many times as was promised when the case was opened."""
    incident = _own(work, command)
    span = read_span(command.span)
    if incident.extensions >= read_promise(incident.promise).max_extensions:
        raise Refusal("extend.too_often", number=incident.id, times=incident.extensions)
    earlier = _approved_before(work, incident) if incident.extensions else None
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


def _approved_before(work: Work, incident: Incident) -> int | None:
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
    work.tell(
        incident.approver_id,
        "approval.request",
        key=f"incident:{incident.id}:request:{incident.version}",
        incident=incident,
        choices=[choice("同意", "approve", incident), choice("不同意", "disapprove", incident)],
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
    return f"{words}（{span_words(span)}）" if span else words


def span_words(span: str) -> str:
    """A span as people read it: 3个工作日, 4个工作小时."""
    parsed = Span.parse(span)
    unit = {"d": "天", "h": "小时", "m": "分钟", "s": "秒"}[str(parsed.unit)]
    if parsed.wall:
        return f"{parsed.amount}{unit}"
    return f"{parsed.amount}个工作{'日' if unit == '天' else unit}"


# ---- deciding --------------------------------------------------------------------------------------------


@handles(Approve)
def approve(work: Work, command: Approve) -> Done:
    """The second person's yes carries the request out."""
    incident = _requested(work, command.incident)
    request = incident.request
    assert request is not None
    incident.drop_request()
    _CARRY_OUT[Move(request["move"])](work, incident, request)
    settle(work, incident)
    work.tell(
        request["by"],
        "approval.granted",
        key=f"incident:{incident.id}:granted:{incident.version}",
        incident=incident,
        asks=request_words(work, request),
        by=role_and_name(work, work.actor.id),
        **about(work, incident),
    )
    work.reply("approval.done", incident=incident, asks=request_words(work, request), **about(work, incident))
    return Done({"number": incident.id, "state": incident.state}, incident.id)


@handles(Disapprove)
def disapprove(work: Work, command: Disapprove) -> Done:
    """The case goes on as it was; the clock has not stopped."""
    incident = _requested(work, command.incident)
    request = incident.request
    assert request is not None
    make(work, incident, Move.REFUSE_REQUEST, reason=command.reason or None, asks=request["move"])
    incident.drop_request()
    settle(work, incident)
    work.tell(
        request["by"],
        "approval.refused",
        key=f"incident:{incident.id}:refused:{incident.version}",
        incident=incident,
        asks=request_words(work, request),
        by=role_and_name(work, work.actor.id),
        reason=command.reason or "未说明",
        **about(work, incident),
    )
    work.reply(
        "approval.not_done", incident=incident, asks=request_words(work, request), **about(work, incident)
    )
    return Done({"number": incident.id, "state": incident.state}, incident.id)


def _requested(work: Work, number: int) -> Incident:
    incident = access.find(work, number, lock=True)
    if incident.request is None:
        raise Refusal("approval.none", number=number)
    if incident.request["by"] == work.actor.id:
        raise NotAllowed("approval.own", number=number)
    if incident.approver_id != work.actor.id:
        must_cover(work, incident, "review")
        if incident.request["move"] == Move.EXTEND and _approved_before(work, incident) == work.actor.id:
            raise NotAllowed(
                "approval.again", number=number, approver=role_and_name(work, incident.approver_id)
            )
    return incident


def _grant_extension(work: Work, incident: Incident, request: Mapping[str, Any]) -> None:
    make(work, incident, Move.EXTEND, reason=request["reason"], span=request["data"]["span"])
    incident.extensions += 1
    settle(work, incident)
    tell_reporters(
        work,
        incident,
        "extend.reporter",
        event=f"extended:{incident.extensions}:{incident.round}",
        reason=request["reason"],
        due=deadline(incident),
    )


def _grant_suspension(work: Work, incident: Incident, request: Mapping[str, Any]) -> None:
    until = request["data"]["resume_at"]
    make(work, incident, Move.SUSPEND, reason=request["reason"], until=until)
    tell_reporters(
        work,
        incident,
        "suspend.reporter",
        event=f"suspended:{incident.version}",
        reason=request["reason"],
        until={"moment": until},
    )


def _grant_ending(work: Work, incident: Incident, request: Mapping[str, Any]) -> None:
    move = Move(request["move"])
    incident.handler_id = incident.handler_id or request["by"]
    make(work, incident, move, reason=request["reason"], asked_by=request["by"])
    tell_reporters(
        work,
        incident,
        f"ended.{move}",
        event=f"ended:{incident.version}",
        reason=request["reason"],
        phone=phone_of(work, request["by"]),
    )


_CARRY_OUT: Mapping[Move, Callable[[Work, Incident, Mapping[str, Any]], None]] = {
    Move.EXTEND: _grant_extension,
    Move.SUSPEND: _grant_suspension,
    Move.CLOSE_NOT_OURS: _grant_ending,
    Move.CLOSE_UNSOLVED: _grant_ending,
    Move.CLOSE_INVALID: _grant_ending,
}


@handles(Unsuspend)
def unsuspend(work: Work, command: Unsuspend) -> Done:
    """The clock runs on from where it stood."""
    incident = access.find(work, command.incident, lock=True)
    if incident.owner_id != work.actor.id:
        must_cover(work, incident, "assign")
    resume(work, incident)
    work.reply("resume.done", incident=incident, **about(work, incident))
    return Done({"number": incident.id, "state": incident.state}, incident.id)


def resume(work: Work, incident: Incident) -> None:
    """Take a resting case up again, by a person or because its day has come."""
    if incident.state is not State.PAUSED:
        raise Refusal("resume.not_paused", number=incident.id, stage=work.stage(incident.state))
    make(work, incident, Move.RESUME)
    settle(work, incident)
    tell_reporters(
        work,
        incident,
        "resume.reporter",
        event=f"resumed:{incident.version}",
        owner=role_and_name(work, incident.owner_id),
        due=deadline(incident),
    )
    tell_owner(work, incident, "resume.done", event=f"resumed:{incident.version}:o", still="mine")


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
