"""Handling: accept, arrive, finish, check the result, and take one's own last step back."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.amending import Withdraw, withdraw
from handlers.asking import ask_reporters, last_result
from handlers.cases import (
    about,
    call_of,
    choice,
    make,
    must_cover,
    must_own,
    name_of,
    participants,
    reporter_words,
    role_and_name,
    someone_above,
    tell_owner,
    tell_reporters,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dispatching import PartDone, part_done
from handlers.dues import by_when, settle
from handlers.material import Given, attach
from handlers.promise import read_promise
from handlers.refusal import Refusal
from handlers.work import Work
from models import IN_HAND, Incident, IncidentEvent, Move, Part, State


class Accept(Command):
    """Take on a case: from now on the reporter knows who comes."""

    name: ClassVar[str] = "accept"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="to_accept")]


class Arrive(Command):
    """Say that one is on the spot."""

    name: ClassVar[str] = "arrive"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="in_hand")]


class Finish(Command):
    """Report what was done; the reporter is asked whether it is solved."""

    name: ClassVar[str] = "finish"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="to_finish")]
    result: Annotated[str, Ask("text"), Field(min_length=2, max_length=1000)]
    media: Annotated[tuple[Given, ...], Ask("quiet")] = ()
    anyway: Annotated[bool, Ask("quiet")] = False
    """Finish although a helper's part is still open."""


class Verify(Command):
    """Somebody else has checked the result and passes it on to the reporter."""

    name: ClassVar[str] = "verify"
    may: ClassVar[str | None] = "review"
    incident: Annotated[int, Ask("case", among="to_verify")]


class Rework(Command):
    """The result is not good enough: back to the handler, with a reason."""

    name: ClassVar[str] = "rework"
    may: ClassVar[str | None] = "review"
    incident: Annotated[int, Ask("case", among="to_verify")]
    reason: Annotated[str, Ask("text"), Field(min_length=2, max_length=500)]


class Undo(Command):
    """Take back one's own last step within the place's minutes."""

    name: ClassVar[str] = "undo"
    in_group: ClassVar[bool] = True
    in_api: ClassVar[bool] = False


@handles(Accept)
def accept(work: Work, command: Accept) -> Done:
    """Twice gives the same answer; what somebody else has accepted is said with their name."""
    incident = access.find(work, command.incident, lock=True)
    if incident.owner_id == work.actor.id and incident.state in IN_HAND:
        work.reply("accept.already", incident=incident, **about(work, incident))
        return Done({"number": incident.id, "state": incident.state}, incident.id)
    must_own(work, incident)
    make(work, incident, Move.ACCEPT)
    incident.handler_id = work.actor.id
    settle(work, incident)
    tell_reporters(
        work,
        incident,
        "accept.reporter",
        event=f"accepted:{incident.version}",
        owner=role_and_name(work, work.actor.id),
        phone=call_of(work, work.actor.id),
        **by_when(incident),
    )
    work.reply(
        "accept.done",
        incident=incident,
        reporter=reporter_words(work, incident),
        choices=[
            choice(work, "arrive", incident),
            choice(work, "finish", incident),
            choice(work, "return_case", incident),
        ],
        **about(work, incident),
    )
    return Done({"number": incident.id, "state": incident.state}, incident.id)


@handles(Arrive)
def arrive(work: Work, command: Arrive) -> Done:
    """Going there is also accepting; no photo, no track is asked for."""
    incident = access.find(work, command.incident, lock=True)
    must_own(work, incident)
    make(work, incident, Move.ARRIVE)
    incident.handler_id = work.actor.id
    settle(work, incident)
    tell_reporters(
        work, incident, "arrive.reporter", event=f"arrived:{incident.version}", owner=work.actor.name
    )
    work.reply(
        "arrive.done",
        incident=incident,
        choices=[choice(work, "finish", incident)],
        **about(work, incident),
    )
    return Done({"number": incident.id, "state": incident.state}, incident.id)


@handles(Finish)
def finish(work: Work, command: Finish) -> Done:
    """Handled is not closed: only the reporter's word closes a case. A helper's 办结 is for their part."""
    incident = access.find(work, command.incident, lock=True)
    if incident.owner_id != work.actor.id and access.is_helper(work, incident):
        return part_done(work, PartDone(incident=command.incident, result=command.result))
    must_own(work, incident)
    _must_have_parts(work, incident, command)
    make(work, incident, Move.FINISH, reason=None, result=command.result)
    incident.handler_id = work.actor.id
    attach(work, incident, command.media)
    verifier = _verifier(work, incident)
    if verifier is not None:
        _to_verifier(work, incident, verifier, command.result)
    else:
        make(work, incident, Move.VERIFY, auto=True)
        ask_reporters(work, incident, command.result)
    settle(work, incident)
    return Done({"number": incident.id, "state": incident.state}, incident.id)


def _must_have_parts(work: Work, incident: Incident, command: Finish) -> None:
    helpers = participants(work, incident, Part.HELPER)
    open_parts = [name_of(work, part.person_id) for part in helpers if part.done_at is None]
    if open_parts and not command.anyway:
        work_left = "、".join(open_parts)
        raise Refusal(
            "finish.parts_open",
            number=incident.id,
            who=work_left,
            choices=[
                choice(work, "finish", incident, label="label.anyway", result=command.result, anyway=True),
                choice(work, "show", incident, label="label.wait_for_them"),
            ],
        )


def _verifier(work: Work, incident: Incident) -> int | None:
    if not read_promise(incident.promise).needs_verification:
        return None
    return someone_above(work, incident.grid_id, "review", besides=(work.actor.id,))


def _to_verifier(work: Work, incident: Incident, verifier: int, result: str) -> None:
    incident.owner_id = verifier
    tell_owner(
        work,
        incident,
        "verify.asked",
        event=f"verify:{incident.version}",
        choices=[choice(work, "verify", incident), choice(work, "rework", incident)],
        still="handled",
        by=work.actor.name,
        result=result,
    )
    work.reply(
        "finish.to_verify", incident=incident, owner=role_and_name(work, verifier), **about(work, incident)
    )


@handles(Verify)
def verify(work: Work, command: Verify) -> Done:
    """By somebody else than the handler."""
    incident = access.find(work, command.incident, lock=True)
    _must_check(work, incident)
    make(work, incident, Move.VERIFY)
    ask_reporters(work, incident, last_result(work, incident))
    settle(work, incident)
    text = "verify.done" if incident.is_open else "verify.closed"
    work.reply(text, incident=incident, **about(work, incident))
    return Done({"number": incident.id, "state": incident.state}, incident.id)


@handles(Rework)
def rework(work: Work, command: Rework) -> Done:
    """The clock that stood while the result was checked runs on."""
    incident = access.find(work, command.incident, lock=True)
    _must_check(work, incident)
    make(work, incident, Move.REWORK, reason=command.reason)
    incident.owner_id = incident.handler_id
    settle(work, incident)
    tell_owner(
        work,
        incident,
        "rework.owner",
        event=f"rework:{incident.version}",
        still="mine",
        choices=[choice(work, "finish", incident)],
        by=role_and_name(work, work.actor.id),
        reason=command.reason,
    )
    work.reply("rework.done", incident=incident, **about(work, incident))
    return Done({"number": incident.id, "state": incident.state}, incident.id)


def _must_check(work: Work, incident: Incident) -> None:
    if incident.handler_id == work.actor.id:
        raise Refusal("verify.own", number=incident.id)
    if incident.owner_id != work.actor.id:
        must_cover(work, incident, "review")


# ---- taking back -----------------------------------------------------------------------------------------

_FILING = frozenset({Move.REPORT, Move.TRIAGE, Move.DISPATCH, Move.SELF_HANDLE})
_FINISHING = frozenset({Move.FINISH, Move.VERIFY, Move.ASK_REPORTER})


@handles(Undo)
def undo(work: Work, command: Undo) -> Done:
    """Filing becomes a withdrawal, finishing is retracted; anything else has its own word for going back."""
    event = _last_own_event(work)
    if event is None:
        raise Refusal("undo.nothing", minutes=work.book.incidents.undo_minutes)
    if event.move in _FILING and event.before not in (State.RETURNED, State.ARBITRATION):
        return withdraw(work, Withdraw(incident=event.incident_id))
    incident = access.find(work, event.incident_id, lock=True)
    if event.move in _FINISHING and incident.handler_id == work.actor.id:
        return _retract(work, incident)
    if event.move is Move.WITHDRAW:
        raise Refusal("undo.withdrawn", number=event.incident_id)
    raise Refusal("undo.other" if work.actor.is_staff else "undo.said", number=event.incident_id)


def _last_own_event(work: Work) -> IncidentEvent | None:
    window = timedelta(minutes=work.book.incidents.undo_minutes)
    query = (
        select(IncidentEvent)
        .where(col(IncidentEvent.actor_id) == work.actor.id, col(IncidentEvent.at) >= work.now - window)
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    return work.session.execute(query).scalar_one_or_none()


def _retract(work: Work, incident: Incident) -> Done:
    make(work, incident, Move.RETRACT)
    incident.owner_id = incident.handler_id
    settle(work, incident)
    tell_reporters(
        work, incident, "retract.reporter", event=f"retracted:{incident.version}", owner=work.actor.name
    )
    work.reply(
        "retract.done",
        incident=incident,
        choices=[choice(work, "finish", incident)],
        **about(work, incident),
    )
    return Done({"number": incident.id, "state": incident.state}, incident.id)
