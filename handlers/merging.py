"""Merging: the same thing was reported twice and becomes one case with all its reporters."""

from typing import Annotated, ClassVar

from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.asking import ask, last_result
from handlers.cases import known_number, make, participants, role_and_name, tell_reporters
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed, Refusal
from handlers.work import Work
from models import Incident, Move, Part, Participant, Privacy, State


class Merge(Command):
    """The same thing was reported before: put this case into the main one; everybody keeps their number."""

    name: ClassVar[str] = "merge"
    may: ClassVar[str | None] = "handle"
    confirm: ClassVar[bool] = True
    incident: Annotated[int, Ask("case", among="mine")]
    into: Annotated[int, Ask("case", among="in_area")]


@handles(Merge)
def merge(work: Work, command: Merge) -> Done:
    """Every reporter of the merged case becomes a reporter of the main one and is asked in their own chat."""
    _lock_both(work, command)
    incident = access.find(work, command.incident, lock=True)
    main = access.find_main(work, command.into, lock=True)
    if command.into == command.incident:
        raise Refusal("merge.same", number=incident.id)
    if main.id == incident.id:
        raise Refusal("merge.circle", number=incident.id, into=command.into)
    if not main.is_open:
        raise Refusal("merge.closed", number=main.id, stage=work.stage(main.state))
    if main.privacy is not Privacy.OPEN and _has_strangers(work, incident, main):
        raise Refusal("merge.private", number=incident.id, into=main.id)
    if incident.owner_id != work.actor.id and not access.stands_above(work, incident):
        raise NotAllowed()
    make(work, incident, Move.MERGE, into=main.id)
    incident.main_id = main.id
    make(work, main, Move.ABSORB, other=incident.id)
    came = _move_reporters(work, incident, main)
    tell_reporters(
        work,
        incident,
        "merge.reporter",
        event="merged",
        main=str(main.id),
        main_title=main.title,
        owner=role_and_name(work, main.owner_id),
    )
    if main.state is State.WAITING_REPORTER:
        for part in came:
            ask(work, main, part, last_result(work, main))
    work.reply("merge.done", incident=main, number=incident.id, title=incident.title, main=str(main.id))
    return Done({"number": incident.id, "into": main.id}, main.id)


def _has_strangers(work: Work, incident: Incident, main: Incident) -> bool:
    """Whether somebody would get to read a report whose writer asked for silence."""
    known = {part.person_id for part in participants(work, main, Part.REPORTER)}
    return any(part.person_id not in known for part in participants(work, incident, Part.REPORTER))


def _lock_both(work: Work, command: Merge) -> None:
    """By their numbers' order: two who merge the same cases crosswise would wait for each other for ever."""
    into: int | None = command.into
    numbers = {command.incident}
    while into is not None and into not in numbers:
        numbers.add(into)
        into = work.session.execute(select(col(Incident.main_id)).where(col(Incident.id) == into)).scalar()
    query = select(col(Incident.id)).where(col(Incident.id).in_(numbers)).order_by(col(Incident.id))
    work.session.execute(query.with_for_update()).all()


def _move_reporters(work: Work, incident: Incident, main: Incident) -> list[Participant]:
    """Everybody who reported the merged case and not the main one, now with a part in the main one."""
    assert main.id is not None
    known = {part.person_id for part in participants(work, main, Part.REPORTER)}
    came = [
        Participant(
            incident_id=main.id,
            person_id=part.person_id,
            part=Part.REPORTER,
            told_as=known_number(incident, part),
        )
        for part in participants(work, incident, Part.REPORTER)
        if part.person_id not in known
    ]
    work.session.add_all(came)
    return came
