"""Approving: the second person who allows what was asked for, or does not."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from handlers import access
from handlers.cases import (
    about,
    make,
    must_cover,
    phone_of,
    role_and_name,
    tell_reporters,
    tell_worker,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import deadline, settle
from handlers.refusal import NotAllowed, Refusal
from handlers.requesting import allowed_before, request_words
from handlers.work import Work
from models import Incident, Move


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


@handles(Approve)
def approve(work: Work, command: Approve) -> Done:
    """The second person's yes carries the request out."""
    incident = _requested(work, command.incident)
    request = incident.request
    assert request is not None
    incident.drop_request()
    _CARRY_OUT[Move(request["move"])](work, incident, request)
    settle(work, incident)
    tell_worker(
        work,
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
    tell_worker(
        work,
        request["by"],
        "approval.refused",
        key=f"incident:{incident.id}:refused:{incident.version}",
        incident=incident,
        asks=request_words(work, request),
        by=role_and_name(work, work.actor.id),
        reason=command.reason or work.word("said.no_reason"),
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
    if not work.actor.has(incident.approver_id):
        must_cover(work, incident, "review")
        if incident.request["move"] == Move.EXTEND and allowed_before(work, incident) == work.actor.id:
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
