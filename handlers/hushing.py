"""Hushing: a reporter asks afterwards not to be named."""

from typing import Annotated, ClassVar

from sqlalchemy import select
from sqlmodel import col

from handlers.asking import reported
from handlers.cases import make, role_and_name
from handlers.command import Ask, Command, Done, handles
from handlers.work import Work
from models import Incident, Move, Outbox, Privacy

_HOW = {Privacy.ANONYMOUS: "how.anonymous", Privacy.SECRET: "how.secret"}
_NAMED = ("incident.new", "accept.done")
"""Texts in which a handler reads the reporter's name."""


class Hush(Command):
    """Do not name me any more: from now on nobody who deals with the case reads who reported it."""

    name: ClassVar[str] = "hush"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    incident: Annotated[int, Ask("case", among="reported")]
    privacy: Annotated[Privacy, Ask("quiet")] = Privacy.SECRET


@handles(Hush)
def hush(work: Work, command: Hush) -> Done:
    """What was read cannot be unread, and the reporter is told so."""
    incident, _ = reported(work, command.incident)
    before, wanted = incident.privacy, command.privacy
    if before is wanted or before is Privacy.SECRET or wanted is Privacy.OPEN:
        _answer(work, incident, "hush.already", command.incident)
        return Done({"number": incident.id}, command.incident)
    incident.privacy = wanted
    make(work, incident, Move.NOTE, was=str(before), field="privacy")
    seen = _who_saw(work, incident) if before is Privacy.OPEN else []
    names = "、".join(role_and_name(work, person) for person in seen)
    _answer(work, incident, "hush.done_seen" if seen else "hush.done_unseen", command.incident, names)
    return Done({"number": incident.id}, command.incident)


def _answer(work: Work, incident: Incident, text: str, number: int, who: str = "") -> None:
    work.reply(
        text,
        incident=incident,
        number=number,
        title=incident.title,
        how=work.word(_HOW[incident.privacy]),
        who=who,
    )


def _who_saw(work: Work, incident: Incident) -> list[int]:
    """Everybody to whom the case was given while its reporter was named."""
    query = (
        select(col(Outbox.person_id))
        .where(col(Outbox.incident_id) == incident.id, col(Outbox.text).in_(_NAMED))
        .order_by(col(Outbox.id))
    )
    told = [*work.session.execute(query).scalars(), incident.owner_id]
    return [person for person in dict.fromkeys(told) if person not in (None, work.actor.id)]
