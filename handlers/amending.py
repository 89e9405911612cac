"""Putting a report right after it was filed: taking it back, words, place, kind and grade, more material."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from handlers import access
from handlers.cases import (
    about,
    choice,
    hand_to,
    keeper_from,
    make,
    owner_words,
    participants,
    tell_owner,
    tell_reporters,
    tell_worker,
)
from handlers.command import Ask, Command, Done, handles
from handlers.dues import by_when, settle
from handlers.grids.spans import path_at
from handlers.material import Given, attach, in_words
from handlers.promise import promise_of, read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.reporting import (
    Lat,
    Lon,
    Quiet,
    What,
    first_owner,
    grade_for,
    reply_alarm,
    tell_ladder,
    tell_new,
)
from handlers.work import Work
from models import CHANGEABLE, REOPENABLE, TO_BE_DONE, Correction, Incident, Move, Part, State

_GRADED_ANEW = frozenset({*TO_BE_DONE, State.RETURNED})
"""States in which another grade starts another ladder."""
Case = Annotated[int, Ask("case", among="reported")]


class Withdraw(Command):
    """The reporter takes a report back."""

    name: ClassVar[str] = "withdraw"
    in_menu: ClassVar[bool] = False
    """Help says 撤回 once: `undo` withdraws what was just filed, and any case that is named."""
    in_group: ClassVar[bool] = True
    incident: Case


class Reword(Command):
    """The reporter puts the words of a report right."""

    name: ClassVar[str] = "reword"
    in_menu: ClassVar[bool] = False
    incident: Case
    what: What


class Relocate(Command):
    """Put the place of a case right; it goes to whoever answers for that place."""

    name: ClassVar[str] = "relocate"
    in_menu: ClassVar[bool] = False
    incident: Annotated[int, Ask("case", among="changeable")]
    grid: Annotated[int, Ask("place")]
    spot: Annotated[str, Quiet] = ""


class Recategorise(Command):
    """Put the kind of a case right; what the words had suggested is kept beside it to learn from."""

    name: ClassVar[str] = "recategorise"
    in_menu: ClassVar[bool] = False
    incident: Annotated[int, Ask("case", among="changeable")]
    category: Annotated[str, Ask("option", among="categories")]


class Regrade(Command):
    """A worker puts the grade right: new hours, new ladder, a clock that starts anew."""

    name: ClassVar[str] = "regrade"
    may: ClassVar[str | None] = "handle"
    incident: Annotated[int, Ask("case", among="changeable")]
    grade: Annotated[str, Ask("option", among="grades")]


class Amend(Command):
    """Ask what should be changed in a report."""

    name: ClassVar[str] = "amend"
    in_api: ClassVar[bool] = False
    incident: Annotated[int, Ask("case", among="changeable")]


class AddMaterial(Command):
    """Photos, a place or a remark that come after the report."""

    name: ClassVar[str] = "add_material"
    in_group: ClassVar[bool] = True
    in_menu: ClassVar[bool] = False
    incident: Case
    media: Annotated[tuple[Given, ...], Quiet, Field(max_length=50)] = ()
    note: Annotated[str, Quiet, Field(max_length=2000)] = ""
    lat: Annotated[Lat | None, Quiet] = None
    lon: Annotated[Lon | None, Quiet] = None


@handles(Withdraw)
def withdraw(work: Work, command: Withdraw) -> Done:
    """Only who reported it; the owner is told, so that nobody goes for nothing."""
    incident = access.find(work, command.incident, lock=True)
    if not access.is_reporter(work, incident) and not _just_filed_for_another(work, incident):
        raise NotAllowed("withdraw.not_yours", number=incident.id)
    _must_be_withdrawable(work, incident)
    if len(participants(work, incident, Part.REPORTER)) > 1:
        raise Refusal("withdraw.shared", number=incident.id)
    owner = incident.owner_id
    make(work, incident, Move.WITHDRAW)
    work.reply("withdraw.done", incident=incident, number=incident.id, title=incident.title)
    if owner is not None and owner != work.actor.id:
        tell_worker(
            work,
            owner,
            "withdraw.owner",
            key=f"incident:{incident.id}:withdrawn:{incident.version}",
            incident=incident,
            number=incident.id,
            title=incident.title,
        )
    return Done({"number": incident.id, "state": incident.state}, incident.id)


_INSTEAD = {
    State.WITHDRAWN: "withdraw.already",
    State.MERGED: "withdraw.merged",
    State.WAITING_REPORTER: "withdraw.waiting",
    State.CLOSED_INVALID: "withdraw.over",
    **dict.fromkeys(REOPENABLE, "withdraw.closed"),
}
"""What to say where it is too late, and what one can do instead."""


def _must_be_withdrawable(work: Work, incident: Incident) -> None:
    deed = incident.state is State.CLOSED_SOLVED and _just_self_handled(work, incident)
    if incident.may(Move.WITHDRAW) and (deed or incident.is_open):
        return
    text = _INSTEAD.get(incident.state, "withdraw.too_late")
    raise Refusal(text, number=incident.id, stage=work.stage(incident.state))


def _just_filed_for_another(work: Work, incident: Incident) -> bool:
    """Who filed for a resident may take back a slip within the undo window, and never the resident's case."""
    window = timedelta(minutes=work.book.incidents.undo_minutes)
    return incident.filed_by_id == work.actor.id and incident.opened_at >= work.now - window


def _just_self_handled(work: Work, incident: Incident) -> bool:
    """A self-handled deed can be taken back by its worker within the undo window."""
    window = timedelta(minutes=work.book.incidents.undo_minutes)
    return (
        incident.handler_id == incident.reporter_id == work.actor.id
        and incident.opened_at >= work.now - window
    )


@handles(Reword)
def reword(work: Work, command: Reword) -> Done:
    """The first words stay in the log."""
    incident = access.find(work, command.incident, lock=True)
    _must_be_changeable(work, incident)
    old, incident.what = incident.what, command.what.strip()
    make(work, incident, Move.NOTE, was=old, field="what")
    work.reply("amend.done", incident=incident, **about(work, incident))
    tell_owner(work, incident, "amend.owner", event=f"reworded:{incident.version}")
    heed(work, incident, command.what)
    return Done({"number": incident.id}, incident.id)


@handles(Recategorise)
def recategorise(work: Work, command: Recategorise) -> Done:
    """The grade follows the kind unless somebody has already set it by hand."""
    incident = access.find(work, command.incident, lock=True)
    _must_be_changeable(work, incident)
    if work.book.category_or_none(command.category) is None:
        raise Refusal("report.no_such_kind")
    _keep_correction(work, incident, "category", incident.category, command.category)
    incident.category = command.category
    make(work, incident, Move.RECLASSIFY, category=command.category)
    _follow_kind(work, incident)
    work.reply("amend.done", incident=incident, **about(work, incident))
    tell_owner(work, incident, "amend.owner", event=f"recategorised:{incident.version}")
    return Done({"number": incident.id, "category": incident.category}, incident.id)


def _follow_kind(work: Work, incident: Incident) -> None:
    """Before anybody has begun, the new kind decides grade and owner as it would have from the start."""
    if incident.danger or incident.state is not State.DISPATCHED:
        return
    grade = grade_for(work, incident.category)
    if grade != incident.grade and not _graded_by_hand(work, incident):
        _change_grade(work, incident, grade)
    elif _is_untouched(incident):
        owner, step, _ = first_owner(work, incident, read_promise(incident.promise))
        _hand_over(work, incident, owner, step, "recategorised")


def _graded_by_hand(work: Work, incident: Incident) -> bool:
    query = select(col(Correction.id)).where(
        col(Correction.incident_id) == incident.id, col(Correction.field) == "grade"
    )
    return work.session.execute(query.limit(1)).first() is not None


def _is_untouched(incident: Incident) -> bool:
    """Whether nobody has done anything with a case yet, so that it may start where it should have."""
    fresh = incident.round == 1 and not incident.returns and not incident.step
    return fresh and incident.state is State.DISPATCHED


@handles(Regrade)
def regrade(work: Work, command: Regrade) -> Done:
    """A grade is changed by who has the case or stands above; the reporter hears the new deadline."""
    incident = access.find(work, command.incident, lock=True)
    if not work.actor.has(incident.owner_id) and not access.stands_above(work, incident):
        raise NotAllowed()
    if command.grade not in work.book.incidents.grades:
        raise Refusal("report.no_such_kind")
    if incident.state not in _GRADED_ANEW:
        raise Refusal("incident.wrong_move", state=work.stage(incident.state), number=incident.id)
    if command.grade == incident.grade:
        work.reply("amend.done", incident=incident, **about(work, incident))
        return Done({"number": incident.id, "grade": incident.grade}, incident.id)
    _keep_correction(work, incident, "grade", incident.grade, command.grade)
    _change_grade(work, incident, command.grade)
    work.reply("amend.done", incident=incident, **about(work, incident))
    tell_owner(work, incident, "amend.owner", event=f"regraded:{incident.version}")
    tell_reporters(
        work,
        incident,
        "regrade.reporter",
        event=f"regraded:{incident.version}",
        grade=read_name(work, incident),
        **by_when(incident),
    )
    return Done({"number": incident.id, "grade": incident.grade}, incident.id)


def read_name(work: Work, incident: Incident) -> str:
    """The grade's name as it was promised."""
    return work.book.grade(incident.grade).name


def _change_grade(work: Work, incident: Incident, grade: str) -> None:
    """A new promise, with whoever it names first. Its clock starts anew, but not by its owner's own word."""
    own = work.actor.has(incident.owner_id) and not incident.danger
    incident.grade = grade
    promise, incident.promise = promise_of(work.book, grade)
    make(work, incident, Move.RECLASSIFY, grade=grade)
    assert incident.owner_id is not None
    owner, incident.step, _ = first_owner(work, incident, promise)
    hand_to(work, incident, Move.TRANSFER, owner, regraded=True, kept=own or None)
    settle(work, incident)
    tell_new(work, incident, event=f"new:{incident.version}")


def heed(work: Work, incident: Incident, words: str) -> None:
    """Words that came later may mean danger: the case is then dealt with as one filed with them."""
    danger = work.book.danger.find(words)
    if danger is None or incident.danger or not incident.is_open:
        return
    incident.danger = danger.key
    grade = work.book.incidents.danger_grade
    if grade != incident.grade and incident.state in _GRADED_ANEW:
        _change_grade(work, incident, grade)
    tell_ladder(work, incident)
    reply_alarm(work, incident)


@handles(Relocate)
def relocate(work: Work, command: Relocate) -> Done:
    """Before anybody has begun, the case moves to the keeper of the right place."""
    incident = access.find(work, command.incident, lock=True)
    _must_be_changeable(work, incident)
    grid = work.tree.today(command.grid)
    if grid is None:
        raise Refusal("report.no_such_place")
    _keep_correction(work, incident, "grid", str(incident.grid_id), str(grid))
    old_owner, incident.grid_id, incident.spot = incident.owner_id, grid, command.spot
    incident.opened_in = path_at(work.session, grid, incident.opened_at) or work.tree.nodes[grid].path
    make(work, incident, Move.RECLASSIFY, grid=grid)
    promise = read_promise(incident.promise)
    owner: int | None
    if _is_untouched(incident):
        owner, step, _ = first_owner(work, incident, promise)
    else:
        owner, step = keeper_from(work, grid, promise, incident.step) or (old_owner, incident.step)
    if not (incident.may(Move.TRANSFER) and _hand_over(work, incident, owner, step, "relocated")):
        tell_owner(work, incident, "amend.owner", event=f"relocated:{incident.version}")
    if incident.danger:
        tell_ladder(work, incident)
    work.reply("amend.done", incident=incident, **about(work, incident))
    return Done({"number": incident.id, "grid": incident.grid_id}, incident.id)


def _hand_over(work: Work, incident: Incident, owner: int | None, step: int, why: str) -> bool:
    """Give the case to who should have had it from the start. Returns False where they have it."""
    former = incident.owner_id
    if owner is None or owner == former:
        return False
    incident.step = step
    hand_to(work, incident, Move.TRANSFER, owner, because=why)
    settle(work, incident)
    tell_new(work, incident, event=f"new:{incident.version}")
    _tell_relieved(work, incident, former)
    return True


def _tell_relieved(work: Work, incident: Incident, former: int | None) -> None:
    """Who had the case before need not go there any more."""
    if former is not None and former != work.actor.id:
        tell_worker(
            work,
            former,
            "transfer.former",
            key=f"incident:{incident.id}:relieved:{incident.version}",
            incident=incident,
            owner=owner_words(work, incident),
            **about(work, incident),
        )


def _must_be_changeable(work: Work, incident: Incident) -> None:
    mine = access.is_reporter(work, incident) or work.actor.has(incident.owner_id)
    if not (mine or incident.filed_by_id == work.actor.id or access.stands_above(work, incident)):
        raise NotAllowed()
    if incident.state not in CHANGEABLE:
        raise Refusal("amend.too_late", number=incident.id, stage=work.stage(incident.state))


def _keep_correction(work: Work, incident: Incident, field: str, proposed: str, chosen: str) -> None:
    assert incident.id is not None
    assert work.actor.id is not None
    work.session.add(
        Correction(
            at=work.now,
            incident_id=incident.id,
            person_id=work.actor.id,
            field=field,
            proposed=proposed,
            chosen=chosen,
            text=incident.what,
        )
    )


@handles(Amend)
def amend(work: Work, command: Amend) -> Done:
    """A case has three things a reporter can put right; a worker also its grade."""
    incident = access.find(work, command.incident)
    _must_be_changeable(work, incident)
    choices = [
        choice(work, "reword", incident),
        choice(work, "relocate", incident),
        choice(work, "recategorise", incident),
    ]
    if (work.actor.may("handle") and access.stands_above(work, incident)) or work.actor.has(
        incident.owner_id
    ):
        choices.append(choice(work, "regrade", incident))
    work.reply("amend.what", incident=incident, choices=choices, **about(work, incident))
    return Done({"number": incident.id}, incident.id)


@handles(AddMaterial)
def add_material(work: Work, command: AddMaterial) -> Done:
    """Anything that comes later goes to the case it belongs to, and its owner hears of it."""
    incident = access.find_main(work, command.incident, lock=True)
    attach(work, incident, command.media)
    if command.lat is not None:
        incident.lat, incident.lon = command.lat, command.lon
    make(work, incident, Move.NOTE, files=len(command.media), note=command.note)
    work.reply("material.added", incident=incident, number=command.incident, title=incident.title)
    if incident.is_open:
        tell_owner(
            work,
            incident,
            "material.owner",
            event=f"material:{incident.version}",
            note=command.note or in_words(work.book, command.media),
        )
    heed(work, incident, command.note)
    return Done({"number": incident.id}, command.incident)
