"""Dispatching: whose case it is. Give, pass on, give back, ask for help, settle who it is."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.cases import (
    about,
    choice,
    given_back_choices,
    hand_to,
    highest_in_reach,
    is_backstop,
    least_loaded,
    make,
    must_cover,
    must_own,
    owner_words,
    participants,
    rank,
    role_and_name,
    someone_above,
    tell_owner,
    tell_reporters,
    tell_worker,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import settle
from handlers.promise import read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.reporting import tell_new
from handlers.work import Work
from models import Incident, IncidentEvent, Move, Part, Participant, State

Reason = Annotated[str, Ask("text"), Field(min_length=2, max_length=500)]
Colleague = Annotated[int, Ask("person", among="colleagues")]


class Dispatch(Command):
    """Give a case that has come back (or is one's own) to somebody in one's area, or to a unit."""

    name: ClassVar[str] = "dispatch"
    may: ClassVar[str | None] = "assign"
    incident: Annotated[int, Ask("case", among="to_assign")]
    to: Colleague


class Transfer(Command):
    """Pass a case on to somebody who is better placed, with a reason."""

    name: ClassVar[str] = "transfer"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="mine")]
    to: Colleague
    reason: Annotated[str, Ask("text"), Field(max_length=500)] = ""


class ReturnCase(Command):
    """Give a case back with a reason; it goes one level up to be given anew."""

    name: ClassVar[str] = "return_case"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="mine")]
    reason: Reason


class Arbitrate(Command):
    """Settle whose case it is; who is named now cannot give it back."""

    name: ClassVar[str] = "arbitrate"
    may: ClassVar[str | None] = "arbitrate"
    incident: Annotated[int, Ask("case", among="in_arbitration")]
    to: Colleague
    reason: Reason


class Join(Command):
    """Ask somebody to help with a part of a case; the owner stays accountable."""

    name: ClassVar[str] = "join"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="mine")]
    to: Colleague
    task: Annotated[str, Ask("text"), Field(min_length=2, max_length=500)]


class PartDone(Command):
    """A helper says that their part is done."""

    name: ClassVar[str] = "part_done"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="helping")]
    result: Annotated[str, Ask("text"), Field(min_length=2, max_length=1000)]


@handles(Dispatch)
def dispatch(work: Work, command: Dispatch) -> Done:
    """Only over one's own area, and only to somebody who handles cases there."""
    incident = access.find(work, command.incident, lock=True)
    _must_assign(work, incident)
    _must_be_able(work, incident, command.to)
    _must_skip_nobody(work, incident, command.to)
    move = Move.DISPATCH if incident.state is State.RETURNED else Move.TRANSFER
    return _give(work, incident, move, command.to)


@handles(Transfer)
def transfer(work: Work, command: Transfer) -> Done:
    """The reporter hears the new name, the clock goes on: passing on wins no time."""
    incident = access.find(work, command.incident, lock=True)
    if not work.actor.has(incident.owner_id):
        _must_assign(work, incident)
    _must_be_able(work, incident, command.to)
    _must_skip_nobody(work, incident, command.to)
    return _give(work, incident, Move.TRANSFER, command.to, reason=command.reason or None)


def _give(work: Work, incident: Incident, move: Move, to: int, *, reason: str | None = None) -> Done:
    before = incident.owner_id
    beside = _comes_along(work, incident, to)
    if to == before:
        raise Refusal("transfer.same", number=incident.id, to=role_and_name(work, to))
    hand_to(work, incident, move, to, reason=reason)
    settle(work, incident)
    event = f"given:{incident.version}"
    tell_new(work, incident, event=event)
    for colleague in beside:
        _add_helper(work, incident, colleague, work.word("team.along"))
    tell_reporters(work, incident, "transfer.reporter", event=event, owner=owner_words(work, incident))
    if before is not None and before != to and not work.actor.has(before):
        tell_worker(
            work,
            before,
            "transfer.former",
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            owner=role_and_name(work, to),
            **about(work, incident),
        )
    work.reply("transfer.done", incident=incident, owner=owner_words(work, incident), **about(work, incident))
    return Done({"number": incident.id, "owner": to}, incident.id)


def _comes_along(work: Work, incident: Incident, person_id: int) -> list[int]:
    """Colleagues of the same team who must go along (执法人员不得少于两人), the least loaded first.

    Raises Refusal where the team has too few people.
    """
    found: list[int] = []
    for role, least in work.book.teams.together.items():
        grids = [post.grid_id for post in work.tree.staff[person_id].posts if post.role == role]
        if not grids:
            continue
        team = [one for one in work.tree.holders.get((grids[0], role), ()) if one != person_id]
        if len(team) + 1 < least:
            name, place = work.book.role_name(role), work.tree.named(grids[0])
            raise Refusal("transfer.too_few", role=name, place=place, least=least, count=len(team) + 1)
        for _ in range(least - 1):
            found.append(least_loaded(work, [one for one in team if one not in found]))
    there = {one.person_id for one in participants(work, incident, Part.HELPER)}
    return [one for one in found if one not in there]


def _must_assign(work: Work, incident: Incident) -> None:
    if work.actor.has(incident.owner_id):
        return
    must_cover(work, incident, "assign")
    if incident.state is State.ARBITRATION:
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=incident.id)


def _must_be_able(work: Work, incident: Incident, person_id: int) -> None:
    """The person must hold a post with 'handle' on the case's branch, or in a unit that serves it."""
    actor = work.tree.staff.get(person_id)
    able = [post for post in actor.posts if "handle" in post.abilities] if actor else []
    if not able:
        raise Refusal("transfer.nobody")
    line = {node.id for node in work.tree.upward(incident.grid_id)}
    town = work.tree.town_of(incident.grid_id)
    near = any(post.grid_id in line or post.path.startswith(town.path) for post in able)
    if not near:
        raise Refusal("transfer.too_far", to=role_and_name(work, person_id))


def _must_skip_nobody(work: Work, incident: Incident, person_id: int) -> None:
    """To a unit, to the same level or below, or one rung up: whoever is skipped would never hear of it."""
    giver = rank(work, work.actor.id)
    if not work.actor.ranges:  # a unit's people stand where the case stands
        ladder = read_promise(incident.promise).ladder
        giver = 2 * work.book.level_index(ladder[incident.step].to)
    if rank(work, person_id) < highest_in_reach(work, incident.grid_id, giver):
        raise Refusal("transfer.too_high", number=incident.id, to=role_and_name(work, person_id))


@handles(ReturnCase)
def return_case(work: Work, command: ReturnCase) -> Done:
    """Twice at most; the third time it is settled by arbitration. The 兜底 cannot give a case back at all."""
    incident = access.find(work, command.incident, lock=True)
    must_own(work, incident)
    promise = read_promise(incident.promise)
    arbiter = someone_above(work, incident.grid_id, "arbitrate", besides=(work.actor.id,))
    upper = _who_assigns(work, incident)
    often = incident.returns >= promise.max_returns
    if upper is None or is_backstop(work, incident) or (arbiter is None and often):
        raise Refusal("return.backstop", number=incident.id, title=incident.title)
    if _was_arbitrated(work, incident):
        raise Refusal("return.arbitrated", number=incident.id, title=incident.title)
    if often and arbiter is not None:
        return _to_arbitration(work, incident, arbiter, command.reason)
    incident.returns += 1
    make(work, incident, Move.RETURN, reason=command.reason, to=upper)
    incident.owner_id, incident.unit_id = upper, None
    settle(work, incident)
    tell_owner(
        work,
        incident,
        "return.upper",
        event=f"returned:{incident.version}",
        still="mine",
        choices=given_back_choices(work, incident),
        by=work.actor.name,
        reason=command.reason,
    )
    work.reply("return.done", incident=incident, owner=role_and_name(work, upper), **about(work, incident))
    return Done({"number": incident.id, "owner": upper, "returns": incident.returns}, incident.id)


def _who_assigns(work: Work, incident: Incident) -> int | None:
    return someone_above(work, incident.grid_id, "assign", over=incident.owner_id)


def _was_arbitrated(work: Work, incident: Incident) -> bool:
    """Whether the last time the case was handed over it was by arbitration."""
    handed = (Move.DISPATCH, Move.TRANSFER, Move.ARBITRATE, Move.CLIMB, Move.REOPEN)
    query = (
        select(col(IncidentEvent.move))
        .where(col(IncidentEvent.incident_id) == incident.id, col(IncidentEvent.move).in_(handed))
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    return work.session.execute(query).scalar() == Move.ARBITRATE


def _to_arbitration(work: Work, incident: Incident, arbiter: int, reason: str) -> Done:
    make(work, incident, Move.APPEAL_RETURN, reason=reason, to=arbiter)
    incident.owner_id, incident.unit_id = arbiter, None
    settle(work, incident)
    tell_owner(
        work,
        incident,
        "arbitrate.asked",
        event=f"arbitration:{incident.version}",
        still="mine",
        choices=[choice(work, "arbitrate", incident)],
        by=work.actor.name,
        reason=reason,
        returns=incident.returns,
    )
    work.reply(
        "return.arbitration", incident=incident, owner=role_and_name(work, arbiter), **about(work, incident)
    )
    return Done({"number": incident.id, "owner": arbiter, "state": incident.state}, incident.id)


@handles(Arbitrate)
def arbitrate(work: Work, command: Arbitrate) -> Done:
    """The arbiter's word ends the passing around (首接负责)."""
    incident = access.find(work, command.incident, lock=True)
    if incident.state is not State.ARBITRATION:
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=incident.id)
    if not work.actor.has(incident.owner_id):
        must_cover(work, incident, "arbitrate")
    _must_be_able(work, incident, command.to)
    hand_to(work, incident, Move.ARBITRATE, command.to, reason=command.reason)
    settle(work, incident)
    event = f"arbitrated:{incident.version}"
    tell_owner(
        work,
        incident,
        "arbitrate.owner",
        event=event,
        still="not_accepted",
        choices=[choice(work, "accept", incident)],
        by=role_and_name(work, work.actor.id),
        reason=command.reason,
    )
    tell_reporters(work, incident, "transfer.reporter", event=event, owner=role_and_name(work, command.to))
    work.reply(
        "transfer.done", incident=incident, owner=role_and_name(work, command.to), **about(work, incident)
    )
    return Done({"number": incident.id, "owner": command.to}, incident.id)


@handles(Join)
def join(work: Work, command: Join) -> Done:
    """Each helper has a part of their own; the case is finished when all parts are."""
    incident = access.find(work, command.incident, lock=True)
    if not work.actor.has(incident.owner_id):
        must_cover(work, incident, "assign")
    _must_be_able(work, incident, command.to)
    if command.to == incident.owner_id:
        raise Refusal("join.owner", number=incident.id)
    if any(part.person_id == command.to for part in participants(work, incident, Part.HELPER)):
        raise Refusal("join.already", number=incident.id, to=role_and_name(work, command.to))
    _add_helper(work, incident, command.to, command.task)
    work.reply("join.done", incident=incident, to=role_and_name(work, command.to), **about(work, incident))
    return Done({"number": incident.id, "helper": command.to}, incident.id)


def _add_helper(work: Work, incident: Incident, person_id: int, task: str) -> None:
    assert incident.id is not None
    make(work, incident, Move.JOIN, to=person_id, task=task)
    work.session.add(Participant(incident_id=incident.id, person_id=person_id, part=Part.HELPER, task=task))
    tell_worker(
        work,
        person_id,
        "join.helper",
        key=f"incident:{incident.id}:join:{person_id}",
        incident=incident,
        still="open",
        choices=[choice(work, "part_done", incident, label="label.my_part")],
        task=task,
        owner=owner_words(work, incident),
        **about(work, incident),
    )


@handles(PartDone)
def part_done(work: Work, command: PartDone) -> Done:
    """The owner hears it, and how many parts are still open."""
    incident = access.find(work, command.incident, lock=True)
    helpers = participants(work, incident, Part.HELPER)
    mine = next((part for part in helpers if part.person_id == work.actor.id), None)
    if mine is None:
        raise NotAllowed("join.not_helper", number=incident.id)
    if mine.done_at is None:
        mine.done_at = work.now
        make(work, incident, Move.PART_DONE, result=command.result)
        _tell_part_done(work, incident, helpers, command.result)
    work.reply("join.thanks", incident=incident, **about(work, incident))
    return Done({"number": incident.id, "left": _left(helpers)}, incident.id)


def _left(helpers: Sequence[Participant]) -> int:
    return sum(part.done_at is None for part in helpers)


def _tell_part_done(work: Work, incident: Incident, helpers: Sequence[Participant], result: str) -> None:
    left = _left(helpers)
    tell_owner(
        work,
        incident,
        "join.part_done",
        event=f"part:{work.actor.id}:{incident.version}",
        still="mine",
        choices=[choice(work, "finish", incident)] if not left else None,
        by=work.actor.name,
        result=result,
        left=left,
    )
