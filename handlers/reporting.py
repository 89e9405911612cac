"""Reporting: a sentence becomes a case with an owner and a promise, in one work."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from handbook.schema import CategoryRule
from handlers.cases import (
    Choices,
    about,
    call_of,
    choice,
    is_backstop,
    keeper_from,
    least_loaded,
    owner_words,
    rank,
    reporter_words,
    responsible,
    someone_above,
    tell_owner,
)
from handlers.clocks import Fact
from handlers.command import Ask, Command, Done, handles
from handlers.complaints import CONDUCT, above_complaint, complained_of, is_complaint
from handlers.dues import set_dues
from handlers.material import Given, attach
from handlers.people import resident_by_phone, set_home
from handlers.phones import Phone
from handlers.promise import Promise, promise_of, read_promise
from handlers.refusal import Refusal
from handlers.work import Work
from models import Incident, Move, Part, Participant, Privacy, Register, State

INCIDENTS = Incident.__table__  # type: ignore[attr-defined]
PARTICIPANTS = Participant.__table__  # type: ignore[attr-defined]
COLUMNS = [column.name for column in INCIDENTS.columns]

What = Annotated[str, Ask("text"), Field(min_length=2, max_length=2000)]
GridId = Annotated[Annotated[int, Field(strict=True)] | None, Ask("place", offered=True)]
Quiet = Ask("quiet")
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
"""Degrees of WGS 84."""


class _Told(Command):
    """What every new report may carry besides its words."""

    what: What
    grid: GridId = None
    spot: Annotated[str, Quiet] = ""
    placed: Annotated[bool, Quiet] = True
    """Whether the reporter named the place; otherwise it is their own grid until they say more."""
    category: Annotated[str | None, Quiet] = None
    lat: Annotated[Lat | None, Quiet] = None
    lon: Annotated[Lon | None, Quiet] = None
    media: Annotated[tuple[Given, ...], Quiet] = ()


class Report(_Told):
    """Say that something is wrong; it is registered and given to whoever answers for the place."""

    name: ClassVar[str] = "report"
    in_group: ClassVar[bool] = True
    may: ClassVar[str | None] = "report"
    privacy: Annotated[Privacy, Quiet] = Privacy.OPEN


class ReportOnBehalf(_Told):
    """A worker files for a resident who came by, called, or has no phone app."""

    name: ClassVar[str] = "on_behalf"
    may: ClassVar[str | None] = "handle"
    who: Annotated[str, Ask("text"), Field(min_length=1, max_length=40)]
    phone: Annotated[Phone | None, Quiet] = None


class SelfHandle(_Told):
    """A worker saw it and dealt with it: reported and closed in one message (自办自结)."""

    name: ClassVar[str] = "self_handle"
    may: ClassVar[str | None] = "handle"


# ---- filing ----------------------------------------------------------------------------------------------


@handles(Report)
def report(work: Work, command: Report) -> Done:
    """Register, triage and dispatch in one go; the answer says number, kind, who comes, and by when."""
    assert work.actor.id is not None
    incident = _open(work, command, reporter_id=work.actor.id, privacy=command.privacy)
    _live_there(work, command)
    _tell_filed(work, incident, placed=command.placed)
    if incident.danger and not command.placed:
        return replace(_filed(incident), follow="relocate")
    return _ask_more(work, incident, _filed(incident))


def _live_there(work: Work, command: Report) -> None:
    """Where a resident first says that something is the matter is taken for their home."""
    grid = work.tree.today(command.grid) if command.grid is not None else None
    if grid is not None and command.placed and not work.actor.is_staff and not _has_fine_home(work):
        set_home(work, grid)


def _has_fine_home(work: Work) -> bool:
    """Whether it is known on which grid they live; of one that was split only the wider area is left."""
    home, rules = work.actor.home_grid_id, work.book.incidents
    first = rules.grades[rules.grade_of["ordinary"]].ladder[0].to
    return home is not None and work.tree.at_level(home, first) is not None


def _ask_more(work: Work, incident: Incident, done: Done) -> Done:
    """The category's own question, unless the words have answered it; the case is filed either way."""
    rule = _rule_for(work, incident.category)
    if rule is None or rule.ask is None or incident.danger:
        return done
    if any(word in incident.what for word in rule.known_by) or (work.back is not None and work.back.group):
        return done
    work.reply("report.one_more", incident=incident, question=rule.ask, number=incident.id)
    return replace(done, follow="explain")


@handles(ReportOnBehalf)
def report_on_behalf(work: Work, command: ReportOnBehalf) -> Done:
    """The resident is the reporter; the worker who filed is asked for the resident's word if they have no
    chat.
    """
    resident = resident_by_phone(work, command.who, command.phone)
    incident = _open(work, command, reporter_id=resident, privacy=Privacy.OPEN)
    _tell_filed(work, incident)
    return _filed(incident)


@handles(SelfHandle)
def self_handle(work: Work, command: SelfHandle) -> Done:
    """Close at once: nobody else is needed, and nobody is asked anything."""
    assert work.actor.id is not None
    incident = _new_row(work, command, reporter_id=work.actor.id, privacy=Privacy.OPEN)
    if incident.danger:
        raise Refusal("self_handle.danger", call=danger_advice(work, incident.danger))
    incident.filed_as = Register.DEED
    incident.owner_id = incident.handler_id = work.actor.id
    _write_row(work, incident, command, [(Move.REPORT, {}), (Move.SELF_HANDLE, {})])
    work.reply(
        "self_handle.done",
        incident=incident,
        minutes=work.book.incidents.undo_minutes,
        **about(work, incident),
    )
    return _filed(incident)


def _open(work: Work, command: _Told, *, reporter_id: int, privacy: Privacy) -> Incident:
    """Make the row, choose its owner and write the three events of filing."""
    incident = _new_row(work, command, reporter_id=reporter_id, privacy=privacy)
    promise = read_promise(incident.promise)
    incident.owner_id, incident.step, incident.unit_id = first_owner(work, incident, promise)
    unit = work.tree.units.get(incident.unit_id) if incident.unit_id is not None else None
    handed = {
        "to": incident.owner_id,
        "step": incident.step,
        "calendar": unit.calendar if unit else None,
    }
    _write_row(
        work,
        incident,
        command,
        [
            (Move.REPORT, {}),
            (Move.TRIAGE, {"category": incident.category, "grade": incident.grade}),
            (Move.DISPATCH, handed),
        ],
    )
    return incident


def _new_row(work: Work, command: _Told, *, reporter_id: int, privacy: Privacy) -> Incident:
    assert work.actor.id is not None
    grid_id = work.tree.today(command.grid or _own_grid(work))
    category = (
        command.category
        or (CONDUCT if is_complaint(work, command.what) else None)
        or work.book.kinds.propose(command.what).category
        or (work.book.incidents.other_category)
    )
    if work.book.category_or_none(category) is None:
        raise Refusal("report.no_such_kind")
    if privacy is Privacy.OPEN and is_complaint(work, command.what):
        privacy = Privacy.SECRET
    danger = work.book.danger.find(command.what)
    grade = work.book.incidents.danger_grade if danger else grade_for(work, category)
    if grid_id is None:
        raise Refusal("report.no_such_place")
    return Incident(
        what=command.what.strip(),
        spot=command.spot,
        category=category,
        grade=grade,
        filed_as=Register(work.book.category(category).register_),
        privacy=privacy,
        danger=danger.key if danger else None,
        grid_id=grid_id,
        opened_in=work.tree.nodes[grid_id].path,
        lat=command.lat,
        lon=command.lon,
        reporter_id=reporter_id,
        filed_by_id=work.actor.id,
        state=State.REGISTERED,
        promise=promise_of(work.book, grade)[1],
        opened_at=work.now,
        changed_at=work.now,
    )


def _own_grid(work: Work) -> int:
    """The sender's own grid: home, else the first post's; the top of the tree when neither is known."""
    if work.actor.home_grid_id is not None:
        return work.actor.home_grid_id
    return work.actor.posts[0].grid_id if work.actor.posts else work.tree.root.id


def grade_for(work: Work, category: str) -> str:
    """The grade of a kind: by its own rule, by its parent's, else by what is usual for it."""
    own = work.book.incidents.by_category.get(category)
    parent = work.book.category(category).parent
    for rule in (own, work.book.incidents.by_category.get(parent) if parent else None):
        if rule is not None and rule.grade is not None:
            return rule.grade
    return work.book.incidents.grade_of[work.book.category(category).usual]


def _rule_for(work: Work, category: str) -> CategoryRule | None:
    """What the place has decided for a kind, or for the group it belongs to."""
    rules, parent = work.book.incidents.by_category, work.book.category(category).parent
    return rules.get(category) or (rules.get(parent) if parent else None)


def first_owner(work: Work, incident: Incident, promise: Promise) -> tuple[int, int, int | None]:
    """(person, rung, unit): the unit the book names for this kind, else the keeper of the first rung.

    A complaint about somebody who serves goes to the village or community, and past whom it names.
    """
    if is_complaint(work, incident.what):
        return _owner_of_complaint(work, incident, promise)
    unit_id = _unit_for(work, incident)
    if unit_id is not None:
        return least_loaded(work, work.tree.unit_people[unit_id]), 0, unit_id
    found = keeper_from(work, incident.grid_id, promise, 0)
    if found is not None:
        return (*found, None)
    above = someone_above(work, incident.grid_id, "handle") or someone_above(work, incident.grid_id)
    return above or _highest_who_handles(work, incident), promise.top, None


def _highest_who_handles(work: Work, incident: Incident) -> int:
    """Where nobody stands above: whoever stands highest below, else anywhere. A case is never nowhere."""
    path = work.tree.at(incident.grid_id).path
    found = [
        (not post.path.startswith(path), rank(work, person), person)
        for person, actor in work.tree.staff.items()
        for post in actor.own_posts
        if "handle" in post.abilities
    ]
    if not found:
        raise _nobody(work, incident)
    nearest = min(found)[:2]
    return least_loaded(work, [person for *where, person in found if tuple(where) == nearest])


def _nobody(work: Work, incident: Incident) -> Refusal:
    """Nobody serves this place yet. Where there is danger it is said first whom to call."""
    if incident.danger:
        return Refusal("report.nobody_danger", advice=danger_advice(work, incident.danger))
    return Refusal("report.nobody")


def _owner_of_complaint(work: Work, incident: Incident, promise: Promise) -> tuple[int, int, None]:
    found = above_complaint(work, incident, promise)
    if found is None:
        raise _nobody(work, incident)
    people, rung = found
    return least_loaded(work, people), rung, None


def _unit_for(work: Work, incident: Incident) -> int | None:
    """The nearest unit whose duty the kind is, in the office's own list or else in the book; where one is
    wanted and none has people, the nearest 兜底.
    """
    if incident.danger:
        return None
    rule, line = _rule_for(work, incident.category), [n.id for n in work.tree.upward(incident.grid_id)]
    near = [
        unit
        for unit in work.tree.units.values()
        if unit.grid_id in line and work.tree.unit_people.get(unit.id)
    ]
    near.sort(key=lambda unit: line.index(unit.grid_id))
    kinds = {incident.category, work.book.category(incident.category).parent}
    duty = [unit.id for unit in near if kinds & set(unit.duties)]
    if duty or rule is None or rule.unit is None:
        return next(iter(duty), None)
    wanted = [unit.id for unit in near if rule.unit in (unit.name, *unit.aliases)]
    return next(iter(wanted or [unit.id for unit in near if unit.backstop]), None)


def _write_row(
    work: Work, incident: Incident, command: _Told, moves: list[tuple[Move, dict[str, Any]]]
) -> None:
    """Insert the row once, whole: the moves are made before, their events written after it has its number."""
    states: list[tuple[Move, State | None, State, dict[str, Any]]] = []
    for move, data in moves:
        before = None if move is Move.REPORT else incident.move(move, work.now)
        states.append((move, before, incident.state, data))
    set_dues(work, incident, [Fact(work.now, move, data) for move, data in moves])
    incident.id = work.session.number(INCIDENTS)
    work.session.later(INCIDENTS, [{name: getattr(incident, name) for name in COLUMNS}])
    for move, before, after, data in states:
        work.record(incident, move, before=before, after=after, **data)
    reporter = {
        "incident_id": incident.id,
        "person_id": incident.reporter_id,
        "part": Part.REPORTER,
        "task": "",
    }
    work.session.later(PARTICIPANTS, [reporter])
    attach(work, incident, command.media)


def _filed(incident: Incident) -> Done:
    data = {
        "number": incident.id,
        "state": incident.state,
        "grade": incident.grade,
        "category": incident.category,
    }
    return Done(data, incident.id, filed=True, alarm=incident.danger is not None)


# ---- who is told of a new case ---------------------------------------------------------------------------


def danger_advice(work: Work, key: str) -> str:
    """Whom to call and what to do first in a kind of danger."""
    return work.book.data.danger.kinds[key].advice


def _tell_filed(work: Work, incident: Incident, *, placed: bool = True) -> None:
    facts = about(work, incident)
    work.reply(
        _receipt(work, incident, placed=placed),
        incident=incident,
        advice=danger_advice(work, incident.danger) if incident.danger else None,
        owner=owner_words(work, incident),
        phone=call_of(work, responsible(work, incident)),
        minutes=work.book.incidents.undo_minutes,
        quiet=_quiet(work, incident),
        **facts,
    )
    tell_new(work, incident, event="new")
    if incident.danger or read_promise(incident.promise).tell_whole_ladder:
        tell_ladder(work, incident)


_HIDDEN = {Privacy.ANONYMOUS: "report.filed_anonymous", Privacy.SECRET: "report.filed_secret"}
_QUIETLY = {Privacy.ANONYMOUS: "quiet.anonymous", Privacy.SECRET: "quiet.secret"}


def _receipt(work: Work, incident: Incident, *, placed: bool) -> str:
    key = "report.filed_danger" if incident.danger else "report.filed"
    if incident.danger and not placed:
        key = "report.filed_danger_where"
    if work.back is not None and work.back.group:
        return f"{key}_group"
    if incident.danger or incident.privacy is Privacy.OPEN:
        return key
    return "report.filed_complaint" if is_complaint(work, incident.what) else _HIDDEN[incident.privacy]


def _quiet(work: Work, incident: Incident) -> str:
    """A word in the receipt of a report whose reporter is not named."""
    return "" if incident.privacy is Privacy.OPEN else work.word(_QUIETLY[incident.privacy])


def reply_alarm(work: Work, incident: Incident) -> None:
    """Say what to do first in a danger that showed itself only later, and who knows of it now."""
    assert incident.danger is not None
    in_group = work.back is not None and work.back.group
    work.reply(
        "report.filed_danger_group" if in_group else "report.filed_danger",
        incident=incident,
        advice=danger_advice(work, incident.danger),
        owner=owner_words(work, incident),
        phone=call_of(work, responsible(work, incident)),
        quiet=_quiet(work, incident),
        **about(work, incident),
    )


def tell_new(work: Work, incident: Incident, *, event: str) -> None:
    """Tell the owner of a case that has just come to them, with what they can do about it."""
    tell_owner(
        work,
        incident,
        "incident.new",
        event=event,
        choices=new_choices(work, incident),
        still="not_accepted",
        urgent=incident.danger is not None,
        reporter=reporter_words(work, incident),
        accept_by=incident.accept_due,
    )


def new_choices(work: Work, incident: Incident) -> Choices:
    """What somebody can do with a case that was just given to them."""
    choices = [choice(work, "accept", incident), choice(work, "transfer", incident)]
    if not is_backstop(work, incident):
        choices.insert(1, choice(work, "return_case", incident))
    return choices


def tell_ladder(work: Work, incident: Incident) -> None:
    """Everybody who answers for the branch hears of it at once (突发)."""
    tell_line(work, incident, "incident.alarm", event="alarm")


def tell_line(work: Work, incident: Incident, text: str, *, event: str, **args: Any) -> None:
    """Tell the branch's keepers up to the top, each once for an `event`; not who speaks or has it."""
    told = {work.actor.id, incident.owner_id, *complained_of(work, incident.what, incident.grid_id)}
    for node in work.tree.upward(incident.grid_id):
        for person_id in work.tree.keepers(node.id):
            if person_id not in told:
                told.add(person_id)
                work.tell(
                    person_id,
                    text,
                    key=f"incident:{incident.id}:{event}",
                    incident=incident,
                    still="open",
                    urgent=True,
                    owner=owner_words(work, incident),
                    phone=call_of(work, responsible(work, incident)),
                    **about(work, incident),
                    **args,
                )
