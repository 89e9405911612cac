"""Pausing: a resting case (挂账) is taken up again, by a person or because its day has come."""

from typing import Annotated, ClassVar

from handlers import access
from handlers.cases import (
    about,
    make,
    must_cover,
    owner_words,
    tell_owner,
    tell_reporters,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import by_when, settle
from handlers.refusal import Refusal
from handlers.work import Work
from models import Incident, Move, State


class Unsuspend(Command):
    """Take a resting case up again."""

    name: ClassVar[str] = "unsuspend"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="paused")]


@handles(Unsuspend)
def unsuspend(work: Work, command: Unsuspend) -> Done:
    """The clock runs on from where it stood."""
    incident = access.find(work, command.incident, lock=True)
    if not work.actor.has(incident.owner_id):
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
        owner=owner_words(work, incident),
        **by_when(incident),
    )
    tell_owner(work, incident, "resume.done", event=f"resumed:{incident.version}:o", still="mine")
