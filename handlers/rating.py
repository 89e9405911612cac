"""Rating: the reporter rates the work once, and may say why."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from handlers import access
from handlers.amending import heed
from handlers.asking import reported
from handlers.cases import make, tell_owner
from handlers.closing import answer_for, decide
from handlers.command import Ask, Command, Done, handles
from handlers.confirming import noted
from handlers.refusal import Refusal
from handlers.work import Work
from models import Move, State

Rating = Literal["satisfied", "basically_satisfied", "dissatisfied"]


class Rate(Command):
    """The reporter rates the work, once."""

    name: ClassVar[str] = "rate"
    incident: Annotated[int, Ask("case", among="to_rate")]
    rating: Annotated[Rating, Ask("option", among="ratings")]
    reason: Annotated[str, Ask("text"), Field(max_length=1000)] = ""


class Explain(Command):
    """Words that follow a bad rating or an 未解决: kept with it and told to who has the case."""

    name: ClassVar[str] = "explain"
    in_menu: ClassVar[bool] = False
    incident: Annotated[int, Ask("case", among="reported")]
    note: Annotated[str, Ask("text"), Field(min_length=1, max_length=1000)]


@handles(Rate)
def rate(work: Work, command: Rate) -> Done:
    """Once, by the reporter, never by who did the work."""
    incident, part = reported(work, command.incident)
    if incident.handler_id == work.actor.id or access.is_helper(work, incident):
        raise Refusal("rate.own", number=command.incident)
    if incident.rating is not None:
        rating = work.book.incidents.ratings[_rating(incident.rating)]
        raise Refusal("rate.already", number=command.incident, rating=rating)
    if incident.state is State.WAITING_REPORTER:
        answer_for(work, incident, part, "solved")
        decide(work, incident, besides=work.actor.id)
    if incident.state is State.WAITING_REPORTER:
        return noted(work, incident, command.incident)
    make(work, incident, Move.RATE, reason=command.reason or None, rating=command.rating)
    incident.rating, incident.rating_reason = command.rating, command.reason or None
    label = work.book.incidents.ratings[command.rating]
    why = command.rating != "satisfied" and not command.reason
    work.reply(
        "rate.thanks_why" if why else "rate.thanks",
        incident=incident,
        rating=label,
        number=command.incident,
        title=incident.title,
    )
    data = {"number": incident.id, "rating": command.rating, "category": incident.category}
    return Done(data, command.incident, "explain" if why else None)


@handles(Explain)
def explain(work: Work, command: Explain) -> Done:
    """The owner of an open case hears it; for a closed one it is the reason of the rating."""
    incident, _ = reported(work, command.incident)
    make(work, incident, Move.NOTE, reason=command.note)
    if incident.is_open:
        tell_owner(work, incident, "material.owner", event=f"explained:{incident.version}", note=command.note)
    elif incident.rating is not None and incident.rating_reason is None:
        incident.rating_reason = command.note
    work.reply("material.noted", incident=incident, number=command.incident, title=incident.title)
    heed(work, incident, command.note)
    return Done({"number": incident.id}, command.incident)


def _rating(value: str) -> Rating:
    if value == "satisfied":
        return "satisfied"
    return "basically_satisfied" if value == "basically_satisfied" else "dissatisfied"
