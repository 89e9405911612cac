"""Closing: the reporter's word ends a case, opens it again, and rates it once."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import select, update
from sqlmodel import col

from handlers import access
from handlers.amending import heed
from handlers.cases import (
    Choices,
    about,
    choice,
    choice_of,
    hand_to,
    known_number,
    make,
    participants,
    rank,
    role_and_name,
    rung_above,
    tell_owner,
    tell_reporters,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import deadline, settle
from handlers.people import has_account
from handlers.promise import read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.reporting import tell_new
from handlers.work import Work
from models import REOPENABLE, Incident, IncidentEvent, Move, Part, Participant, State

Rating = Literal["satisfied", "basically_satisfied", "dissatisfied"]


class Solved(Command):
    """The reporter says that it is solved."""

    name: ClassVar[str] = "solved"
    incident: Annotated[int, Ask("case", among="to_confirm")]


class Unsolved(Command):
    """The reporter says that it is not: opened again, one level up, with a new clock."""

    name: ClassVar[str] = "unsolved"
    incident: Annotated[int, Ask("case", among="to_reopen")]
    reason: Annotated[str, Ask("text"), Field(max_length=1000)] = ""


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


class Merge(Command):
    """The same thing was reported before: put this case into the main one; everybody keeps their number."""

    name: ClassVar[str] = "merge"
    may: ClassVar[str | None] = "handle"
    confirm: ClassVar[bool] = True
    incident: Annotated[int, Ask("case", among="mine")]
    into: Annotated[int, Ask("case", among="in_area")]


def last_result(work: Work, incident: Incident) -> str:
    """What the handler said was done, the last time (in an earlier work)."""
    query = (
        select(col(IncidentEvent.data))
        .where(col(IncidentEvent.incident_id) == incident.id, col(IncidentEvent.move) == Move.FINISH)
        .order_by(col(IncidentEvent.id).desc())
        .limit(1)
    )
    data = work.session.execute(query).scalar()
    return str(data.get("result", "")) if data else ""


# ---- asking ----------------------------------------------------------------------------------------------


def ask_reporters(work: Work, incident: Incident, result: str) -> None:
    """Hand the question to everybody who reported the case. A worker's own find is closed by their own
    report.
    """
    make(work, incident, Move.ASK_REPORTER)
    incident.owner_id = incident.handler_id
    parts = participants(work, incident, Part.REPORTER)
    others = [part for part in parts if part.person_id != incident.handler_id]
    if not others:
        make(work, incident, Move.CLOSE_SOLVED, own=True)
        _tell_own(work, incident)
        return
    for part in parts:
        part.answer = None
    for part in others:
        _ask(work, incident, part, result)
    if incident.owner_id == work.actor.id:
        work.reply(
            "finish.done",
            incident=incident,
            minutes=work.book.incidents.undo_minutes,
            **about(work, incident),
        )
    else:
        tell_owner(work, incident, "finish.passed", event=f"passed:{incident.version}")


def _tell_own(work: Work, incident: Incident) -> None:
    """A worker's own find is closed by their own result, also when somebody else has checked it."""
    if incident.handler_id == work.actor.id:
        work.reply("finish.own", incident=incident, **about(work, incident))
    else:
        tell_owner(work, incident, "finish.own", event=f"closed:{incident.version}")


def _ask(work: Work, incident: Incident, part: Participant, result: str) -> None:
    person = _who_answers(work, incident, part)
    number = known_number(incident, part)
    work.tell(
        person,
        "close.ask" if person == part.person_id else "close.ask_filer",
        key=f"incident:{incident.id}:ask:{incident.version}",
        incident=incident,
        choices=[
            choice_of("已解决", "solved", number),
            choice_of("未解决", "unsolved", number),
        ],
        still="waiting",
        number=str(number),
        title=incident.title,
        result=result,
        owner=role_and_name(work, incident.handler_id),
        days=_days(work, incident),
    )


def _days(work: Work, incident: Incident) -> int:
    return max(1, round(read_promise(incident.promise).silence.length.total_seconds() / 86400))


def _who_answers(work: Work, incident: Incident, part: Participant) -> int:
    """The reporter, or who filed for them when they cannot be written to (and did not do the work)."""
    filer = _filer(work, incident, part)
    if part.person_id == filer or filer == incident.handler_id or has_account(work, part.person_id):
        return part.person_id
    return filer


def _filer(work: Work, incident: Incident, part: Participant) -> int:
    """Who wrote a reporter's own report, which may since have been merged into this case."""
    if part.told_as is None:
        return incident.filed_by_id
    query = select(col(Incident.filed_by_id)).where(col(Incident.id) == part.told_as)
    filer: int = work.session.execute(query).scalar_one()
    return filer


# ---- the reporter's word ---------------------------------------------------------------------------------


def _reported(work: Work, number: int) -> tuple[Incident, Participant]:
    """The case a reporter means by their own number, and the part for which they may speak."""
    incident = access.find_main(work, number, lock=True)
    parts = [
        part
        for part in participants(work, incident, Part.REPORTER)
        if work.actor.id in (part.person_id, _who_answers(work, incident, part))
    ]
    if not parts:
        raise NotAllowed("close.not_reporter", number=number)
    return incident, next((part for part in parts if known_number(incident, part) == number), parts[0])


@handles(Solved)
def solved(work: Work, command: Solved) -> Done:
    """Closes when more than half of those who reported it agree."""
    incident, part = _reported(work, command.incident)
    if incident.state is State.CLOSED_SOLVED:
        return _closed_already(work, incident, command.incident)
    if incident.state is not State.WAITING_REPORTER:
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=command.incident)
    _answer(work, incident, part, "solved")
    _decide(work, incident)
    return _noted(work, incident, command.incident)


def _noted(work: Work, incident: Incident, number: int) -> Done:
    """The word counts, and it is said when it does not settle the matter alone."""
    if incident.state is State.WAITING_REPORTER:
        work.reply("close.noted", incident=incident, number=number, title=incident.title)
    return Done({"number": incident.id, "state": incident.state}, number)


def _closed_already(work: Work, incident: Incident, number: int) -> Done:
    work.reply(
        "close.already",
        incident=incident,
        choices=rating_choices(work, number) if incident.rating is None else (),
        **about(work, incident, number),
    )
    return Done({"number": incident.id, "state": incident.state}, number)


@handles(Unsolved)
def unsolved(work: Work, command: Unsolved) -> Done:
    """Never argued with while the place's days have not run out."""
    incident, part = _reported(work, command.incident)
    if incident.state is State.WAITING_REPORTER:
        _answer(work, incident, part, "unsolved", command.reason)
        _decide(work, incident, reason=command.reason)
        _noted(work, incident, command.incident)
    elif incident.state in REOPENABLE:
        _must_be_in_time(work, incident, command.incident)
        reopen(work, incident, reason=command.reason)
    else:
        raise Refusal(
            "unsolved.still_open", number=command.incident, title=incident.title, **_standing(work, incident)
        )
    reopened = not command.reason and incident.state is State.DISPATCHED
    data = {
        "number": incident.id,
        "state": incident.state,
        "round": incident.round,
        "category": incident.category,
    }
    return Done(data, command.incident, "explain" if reopened else None)


def _standing(work: Work, incident: Incident) -> dict[str, Any]:
    return {
        "stage": work.stage(incident.state),
        "owner": role_and_name(work, incident.owner_id),
        "due": deadline(incident),
    }


def _must_be_in_time(work: Work, incident: Incident, number: int) -> None:
    assert incident.ended_at is not None
    window = read_promise(incident.promise).reopen_within
    until = work.book.calendars[incident.promise["calendar"]].due(incident.ended_at, window).at
    if until is not None and work.now > until:
        raise Refusal(
            "unsolved.too_late",
            number=number,
            title=incident.title,
            choices=[choice("重新上报", "report")],
        )


def _answer(work: Work, incident: Incident, part: Participant, answer: str, reason: str = "") -> None:
    make(work, incident, Move.ANSWER, reason=reason or None, answer=answer, person=part.person_id)
    part.answer = answer
    work.session.flush()


def _decide(
    work: Work, incident: Incident, *, reason: str = "", silent: bool = False, besides: int | None = None
) -> None:
    """More than half of those who were asked settle it at once; silence lets those who answered settle it.

    Where all have spoken and are divided evenly it is not solved. `besides` is somebody who need not be told
    that it is closed.
    """
    parts = [p for p in participants(work, incident, Part.REPORTER) if p.person_id != incident.handler_id]
    yes = sum(part.answer == "solved" for part in parts)
    no = sum(part.answer == "unsolved" for part in parts)
    asked = yes + no if silent else len(parts)
    if no * 2 > asked or (no and no * 2 == asked == yes + no):
        reopen(work, incident, reason=reason)
    elif yes * 2 > asked or silent:
        close(work, incident, silent=silent and not yes, besides=besides)


def close(work: Work, incident: Incident, *, silent: bool = False, besides: int | None = None) -> None:
    """Close as solved and ask each reporter for a rating; by silence that is said too."""
    make(work, incident, Move.CLOSE_SOLVED, silent=silent)
    text = "close.silent" if silent else "close.reporter"
    tell_reporters(
        work,
        incident,
        text,
        event=f"closed:{incident.version}",
        besides=besides,
        offer=lambda number: rating_choices(work, number),
        days=_days(work, incident),
    )
    if incident.handler_id != incident.reporter_id and incident.handler_id is not None:
        work.tell(
            incident.handler_id,
            "close.handler",
            key=f"incident:{incident.id}:closed:{incident.version}:h",
            incident=incident,
            how="居民未回复，按默认办结" if silent else "居民确认已解决",
            **about(work, incident),
        )


def close_by_silence(work: Work, incident: Incident) -> None:
    """The place's days are over without (enough of) an answer."""
    _decide(work, incident, silent=True)
    settle(work, incident)


def rating_choices(work: Work, number: int) -> Choices:
    """The place's words for the three ratings, for a case by the number its reporter knows."""
    return [
        choice_of(label, "rate", number, rating=rating)
        for rating, label in work.book.incidents.ratings.items()
    ]


def reopen(work: Work, incident: Incident, *, reason: str) -> None:
    """One level up, a new clock; the old clocks stay in the log as kept or missed."""
    former = incident.handler_id
    owner, incident.step = _one_level_up(work, incident)
    incident.round += 1
    incident.returns = incident.extensions = 0
    incident.rating = incident.rating_reason = None
    work.session.execute(
        update(Participant)
        .where(col(Participant.incident_id) == incident.id)
        .values(answer=None, done_at=None)
    )
    hand_to(work, incident, Move.REOPEN, owner, reason=reason or None, round=incident.round)
    settle(work, incident)
    event = f"reopened:{incident.round}"
    tell_reporters(
        work,
        incident,
        "reopen.reporter",
        event=event,
        owner=role_and_name(work, owner),
        due=deadline(incident),
    )
    tell_new(work, incident, event=event)
    if former is not None and former != owner:
        work.tell(
            former,
            "reopen.former",
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            owner=role_and_name(work, owner),
            reason=reason or "未说明",
            **about(work, incident),
        )


def _one_level_up(work: Work, incident: Incident) -> tuple[int, int]:
    """(person, rung): above whoever had it last; where nobody stands above, they have it again."""
    assert incident.owner_id is not None
    promise = read_promise(incident.promise)
    last = min((incident.owner_id, incident.handler_id or incident.owner_id), key=lambda p: rank(work, p))
    for start in (incident.step + 1, incident.step):
        found = rung_above(work, incident, promise, last, start=start)
        if found is not None:
            return found
    return last, incident.step


@handles(Rate)
def rate(work: Work, command: Rate) -> Done:
    """Once, by the reporter, never by who did the work."""
    incident, part = _reported(work, command.incident)
    if incident.handler_id == work.actor.id or access.is_helper(work, incident):
        raise Refusal("rate.own", number=command.incident)
    if incident.rating is not None:
        rating = work.book.incidents.ratings[_rating(incident.rating)]
        raise Refusal("rate.already", number=command.incident, rating=rating)
    if incident.state is State.WAITING_REPORTER:
        _answer(work, incident, part, "solved")
        _decide(work, incident, besides=work.actor.id)
    if incident.state is State.WAITING_REPORTER:
        return _noted(work, incident, command.incident)
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
    incident, _ = _reported(work, command.incident)
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


# ---- merging ---------------------------------------------------------------------------------------------


@handles(Merge)
def merge(work: Work, command: Merge) -> Done:
    """Every reporter of the merged case becomes a reporter of the main one and is asked in their own chat."""
    _lock_both(work, command)
    incident = access.find(work, command.incident, lock=True)
    main = access.find_main(work, command.into, lock=True)
    if main.id == incident.id:
        raise Refusal("merge.same", number=incident.id)
    if not main.is_open:
        raise Refusal("merge.closed", number=main.id, stage=work.stage(main.state))
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
            _ask(work, main, part, last_result(work, main))
    work.reply("merge.done", incident=main, number=incident.id, title=incident.title, main=str(main.id))
    return Done({"number": incident.id, "into": main.id}, main.id)


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
