"""After an alarm: what its reporter says next is heard by whoever is on the way."""

from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.amending import Case
from handlers.cases import call_of, make, role_and_name, tell_owner
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed
from handlers.reporting import danger_advice, tell_line
from handlers.work import Work
from models import Incident, Move, Outbox

_WITH_ADVICE = {"alarm.noted": "alarm.noted_other", "alarm.worse_noted": "alarm.worse_noted_other"}
_AGAIN = 300
"""Seconds within which everybody is told only once of a kind of news: that it grows, that he jumped."""


class TellMore(Command):
    """Words that follow an alarm: for its owner, and for everybody where it grows worse or is over."""

    name: ClassVar[str] = "tell_more"
    in_menu: ClassVar[bool] = False
    in_api: ClassVar[bool] = False
    in_group: ClassVar[bool] = True
    incident: Case
    note: Annotated[str, Ask("text"), Field(min_length=1, max_length=2000)]
    over: Annotated[bool, Ask("quiet")] = False
    """The reporter takes the alarm back in words that do not say so themselves (撤回)."""


@handles(TellMore)
def tell_more(work: Work, command: TellMore) -> Done:
    """Nobody is called back by words alone: the case stays open until somebody has looked."""
    incident = access.find_main(work, command.incident, lock=True)
    if not access.is_reporter(work, incident) and incident.filed_by_id != work.actor.id:
        raise NotAllowed("close.not_reporter", number=command.incident)
    make(work, incident, Move.NOTE, reason=command.note)
    danger = work.book.danger
    if command.over or danger.is_over(command.note):
        _all_clear(work, incident, command.note)
    else:
        _more(work, incident, command.note)
    return Done({"number": incident.id}, command.incident)


def _more(work: Work, incident: Incident, note: str) -> None:
    event = f"more:{incident.version}"
    tell_owner(work, incident, "alarm.owner", event=event, urgent=True, still="open", note=note)
    worse = work.book.danger.worse(note)
    passed = int((work.now - incident.opened_at).total_seconds()) // _AGAIN
    again = f"worse:{worse}:{passed}"
    news = worse is not None and not _was_told(work, incident, again)
    if news:
        tell_line(work, incident, "alarm.worse", event=again, note=note)
    _answer(work, incident, "alarm.worse_noted" if news else "alarm.noted", note)


def _was_told(work: Work, incident: Incident, event: str) -> bool:
    key = f"incident:{incident.id}:{event}:"
    return (
        work.session.execute(select(col(Outbox.id)).where(col(Outbox.key).startswith(key)).limit(1)).first()
        is not None
    )


def _answer(work: Work, incident: Incident, text: str, note: str) -> None:
    """What to do comes first where the words tell of another danger: he jumped, now there is blood."""
    new = work.book.danger.find(note)
    other = new if new is not None and new.key != incident.danger else None
    known = work.book.data.danger.kinds.get(incident.danger or "")
    work.reply(
        _WITH_ADVICE[text] if other is not None else text,
        incident=incident,
        advice=danger_advice(work, other.key) if other is not None else None,
        call=known.call if known is not None else "120",
        number=incident.number,
        owner=role_and_name(work, incident.owner_id),
        phone="" if _in_group(work) else call_of(work, incident.owner_id),
    )


def _in_group(work: Work) -> bool:
    return work.back is not None and work.back.group


def _all_clear(work: Work, incident: Incident, note: str) -> None:
    event = f"clear:{incident.version}"
    tell_owner(work, incident, "alarm.clear", event=event, urgent=True, still="open", note=note)
    tell_line(work, incident, "alarm.clear", event="clear", note=note)
    work.reply(
        "alarm.clear_noted",
        incident=incident,
        number=incident.number,
        title=incident.title,
        owner=role_and_name(work, incident.owner_id),
        phone="" if _in_group(work) else call_of(work, incident.owner_id),
    )
