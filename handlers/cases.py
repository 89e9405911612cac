"""What every handler of cases shares: make a move, hand the case over, tell people."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from handlers.actor import Held
from handlers.complaints import complained_of
from handlers.dues import by_when
from handlers.promise import Promise, read_promise
from handlers.refusal import NotAllowed, Refusal
from handlers.work import Reading, Work
from models import TO_BE_DONE, Incident, Move, Part, Participant, Person, Privacy, State

Choices = list[dict[str, Any]]


def choice(
    work: Reading, do: str, incident: Incident | None = None, *, label: str = "", **known: Any
) -> dict[str, Any]:
    """A numbered answer that gives a command, mostly about one case; `label`: key of words of its own."""
    if incident is not None:
        known["incident"] = incident.id
    return {"label": work.word(label or f"menu.{do}"), "do": do, "known": known}


def given_back_choices(work: Reading, incident: Incident) -> Choices:
    """What one can do with a case that has come back: give it anew, or take it oneself."""
    return [
        choice(work, "dispatch", incident, label="label.pass_on"),
        choice(work, "accept", incident, label="label.take"),
    ]


def choice_of(label: str, do: str, number: int, **known: Any) -> dict[str, Any]:
    """A numbered answer about a case by the number its reporter knows."""
    return {"label": label, "do": do, "known": {"incident": number, **known}}


def make(work: Work, incident: Incident, move: Move, *, reason: str | None = None, **data: Any) -> State:
    """Make a move and record its event. Returns the state before. Raises WrongMove."""
    before = incident.move(move, work.now)
    work.record(incident, move, before=before, reason=reason, **data)
    return before


# ---- whose turn it is ------------------------------------------------------------------------------------


def keeper_from(work: Work, incident_grid: int, promise: Promise, step: int) -> tuple[int, int] | None:
    """Who takes a case on rung `step`, or on the first higher rung of its branch that has somebody.

    Returns (person id, rung); None when nobody is left above.
    """
    for rung in range(step, len(promise.ladder)):
        node = work.tree.at_level(incident_grid, promise.ladder[rung].to)
        people = work.tree.keepers(node.id) if node else ()
        if people:
            return least_loaded(work, people), rung
    return None


def rung_above(
    work: Work, incident: Incident, promise: Promise, person_id: int | None, *, start: int
) -> tuple[int, int] | None:
    """Who takes a case that climbs away from somebody: from rung `start` upward, and only who outranks them.

    Returns (person id, rung); None when nobody stands above.
    """
    accused = complained_of(work, incident.what, incident.grid_id)
    for rung in range(start, len(promise.ladder)):
        node = work.tree.at_level(incident.grid_id, promise.ladder[rung].to)
        people = work.tree.keepers(node.id) if node else ()
        higher = [p for p in people if rank(work, p) < rank(work, person_id) and p not in accused]
        if higher:
            return least_loaded(work, higher), rung
    return None


def rank(work: Reading, person_id: int | None) -> int:
    """How far down the tree somebody stands, 0 at the top; an area's keeper stands above its other people.

    A unit's people, who answer for no area, stand below all others.
    """
    actor = work.tree.staff.get(person_id) if person_id is not None else None
    posts = [post for post in actor.own_posts if post.unit_id is None] if actor else []
    return min((_rank(work, post) for post in posts), default=2 * len(work.book.levels))


def _rank(work: Reading, post: Held) -> int:
    level = work.book.level(work.tree.at(post.grid_id).level)
    return 2 * work.book.level_index(level.key) + (post.role != level.keeper)


def highest_in_reach(work: Reading, grid_id: int, giver: int) -> int:
    """The rank up to which somebody may pass a case of a grid: that of the next one above them, no higher.

    `giver` is the rank of who passes it on; nobody is skipped on the way up, who would never hear of it. A
    level that no ladder of the place climbs to (青草's second) may be skipped, as the ladders do.
    """
    rungs = {step.to for grade in work.book.incidents.grades.values() for step in grade.ladder}
    nodes = [node for node in work.tree.upward(grid_id) if node.level in rungs]
    line = [person for node in nodes for person in work.tree.keepers(node.id)]
    return max((above for above in (rank(work, p) for p in line) if above < giver), default=0)


def is_backstop(work: Reading, incident: Incident) -> bool:
    """Whether who has the case stands at the top of its ladder (兜底) or above: they cannot give it back."""
    top = read_promise(incident.promise).ladder[-1].to
    return rank(work, incident.owner_id) <= 2 * work.book.level_index(top)


def someone_above(
    work: Work,
    grid_id: int,
    *abilities: str,
    besides: Sequence[int | None] = (),
    over: int | None = None,
) -> int | None:
    """The nearest person upward from a grid whose posts there give all `abilities`, over somebody."""
    for node in work.tree.upward(grid_id):
        for person_id in work.tree.keepers(node.id):
            able = all(work.tree.staff[person_id].may(ability) for ability in abilities)
            higher = over is None or rank(work, person_id) < rank(work, over)
            if able and higher and person_id not in besides:
                return person_id
    return None


def least_loaded(work: Work, people: Sequence[int]) -> int:
    """Of several who could take a case: the one with the fewest to do, then the one who waited longest."""
    if len(people) == 1:
        return people[0]
    rows = work.session.execute(
        select(col(Incident.owner_id), func.count(), func.max(col(Incident.id)))
        .where(col(Incident.owner_id).in_(people), col(Incident.state).in_(TO_BE_DONE))
        .group_by(col(Incident.owner_id))
    )
    load = {owner: (count, latest) for owner, count, latest in rows}
    return min(people, key=lambda person: (*load.get(person, (0, 0)), person))


def hand_to(
    work: Work, incident: Incident, move: Move, person_id: int, *, reason: str | None = None, **data: Any
) -> None:
    """Make a move that gives the case to somebody; they are the one accountable person from now on."""
    actor = work.tree.staff.get(person_id)
    unit = next((p.unit_id for p in actor.own_posts if p.unit_id is not None), None) if actor else None
    calendar = work.tree.units[unit].calendar if unit is not None else None
    incident.owner_id = person_id
    incident.unit_id = unit
    make(work, incident, move, reason=reason, to=person_id, step=incident.step, calendar=calendar, **data)


def owner_name(work: Reading, incident: Incident) -> str:
    """Name and post of the accountable person, as others may see it."""
    return name_of(work, incident.owner_id)


def name_of(work: Reading, person_id: int | None) -> str:
    """A person's name as others may see it: staff by name, anybody else as a citizen."""
    if person_id is None:
        return work.word("who.system")
    actor = work.tree.staff.get(person_id)
    return actor.name if actor else work.word("who.somebody")


def role_and_name(work: Reading, person_id: int | None) -> str:
    """A worker's role and name in the words of the place: 网格员李强."""
    actor = work.tree.staff.get(person_id) if person_id is not None else None
    if actor is None:
        return name_of(work, person_id)
    unit = work.tree.units.get(actor.posts[0].unit_id or 0)
    return f"{unit.name if unit else work.book.role_name(actor.posts[0].role)}{actor.name}"


def responsible(work: Reading, incident: Incident) -> int | None:
    """Who sees to a case today: its owner, or who stands in while the owner is on leave."""
    owner = incident.owner_id
    return owner if owner is None or owner == work.actor.id else work.tree.away.get(owner, owner)


def owner_words(work: Reading, incident: Incident) -> str:
    """Who sees to a case today, and for whom: 网格员李强, or 网格员周丽代李强."""
    person, owner = responsible(work, incident), incident.owner_id
    absent = owner if person != owner else _given_for(work, incident)
    if absent is None:
        return role_and_name(work, person)
    return work.word("who.standing_in", name=role_and_name(work, person), absent=name_of(work, absent))


def _given_for(work: Reading, incident: Incident) -> int | None:
    """Whose case it would be, had they not been on leave when it came."""
    actor = work.tree.staff.get(incident.owner_id) if incident.owner_id is not None else None
    if actor is None or not actor.stands_for:
        return None
    ladder = read_promise(incident.promise).ladder
    node = work.tree.at_level(incident.grid_id, ladder[min(incident.step, len(ladder) - 1)].to)
    here = [
        post
        for post in actor.posts
        if (post.unit_id == incident.unit_id if incident.unit_id else node and post.grid_id == node.id)
    ]
    return here[0].acting_for if here else None


def call_of(work: Reading, person_id: int | None) -> str:
    """The work phone of a worker in brackets, or nothing."""
    phone = phone_of(work, person_id)
    return f"（{phone}）" if phone else ""


def phone_of(work: Reading, person_id: int | None) -> str:
    """The work phone of a worker, or nothing."""
    actor = work.tree.staff.get(person_id) if person_id is not None else None
    return (actor.phone or "") if actor else ""


# ---- who is told -----------------------------------------------------------------------------------------


def participants(work: Reading, incident: Incident, *parts: Part) -> list[Participant]:
    """People with a part in a case, in the order they came."""
    query = (
        select(Participant)
        .where(col(Participant.incident_id) == incident.id, col(Participant.part).in_(parts))
        .order_by(col(Participant.id))
    )
    return list(work.session.execute(query).scalars())


def tell_reporters(
    work: Work,
    incident: Incident,
    text: str,
    *,
    event: str,
    besides: int | None = None,
    offer: Callable[[int], Choices] | None = None,
    **args: Any,
) -> None:
    """Tell everybody who reported the case, each under the number they know; `offer` makes its choices."""
    for part in participants(work, incident, Part.REPORTER):
        if part.person_id == besides or (part.person_id == work.actor.id and work.back is None):
            continue
        number = known_number(incident, part)
        work.tell(
            part.person_id,
            text,
            key=f"incident:{incident.id}:{event}",
            incident=incident,
            choices=offer(number) if offer else (),
            number=str(number),
            title=incident.title,
            **args,
        )


def known_number(incident: Incident, part: Participant) -> int:
    """The number a reporter knows a case by: that of their own report, also after it was merged."""
    assert incident.id is not None
    return part.told_as or incident.id


def tell_owner(
    work: Work, incident: Incident, text: str, *, event: str, choices: Choices | None = None, **args: Any
) -> None:
    """Tell the accountable person, or who stands in for them, unless it is they who just acted."""
    if incident.owner_id is None or work.actor.has(incident.owner_id):
        return
    tell_worker(
        work,
        incident.owner_id,
        text,
        key=f"incident:{incident.id}:{event}",
        incident=incident,
        choices=choices or (),
        **about(work, incident),
        **args,
    )


def tell_worker(work: Work, person_id: int, text: str, *, still: str | None = None, **args: Any) -> None:
    """Tell a worker, and in their stead who stands in for them while they are on leave.

    A condition that looks at whose table the case lies on goes on asking for the worker's own.
    """
    to = work.tree.away.get(person_id, person_id)
    work.tell(to, text, still=still if to == person_id or still is None else f"{still}@{person_id}", **args)


def about(work: Reading, incident: Incident, number: int | None = None) -> dict[str, Any]:
    """What a text may say of a case: number, title, place, kind, grade, state, deadline.

    `number` is that of the case which was merged into this one, for those who know it by that.
    """
    category = work.book.category(incident.category)
    return {
        "number": str(number or incident.id),
        "title": incident.title,
        "what": incident.what,
        "place": work.tree.named(incident.grid_id) + (f"（{incident.spot}）" if incident.spot else ""),
        "kind": category.name,
        "grade": read_promise(incident.promise).name,
        "stage": work.stage(incident.state),
        **by_when(incident),
    }


def reporter_words(work: Reading, incident: Incident) -> str:
    """How the handler sees the reporter: with a phone only when the report is open."""
    if incident.privacy is not Privacy.OPEN:
        return hidden_words(work, incident.privacy)
    is_theirs = incident.reporter_id == work.actor.id
    person = work.actor if is_theirs else work.session.get(Person, incident.reporter_id)
    if person is None:
        return work.word("who.somebody")
    return f"{person.name} {person.phone}" if person.phone else person.name


def hidden_words(work: Reading, privacy: Privacy) -> str:
    """What stands in place of a reporter's name when they asked not to be named."""
    return work.word("who.anonymous" if privacy is Privacy.ANONYMOUS else "who.secret")


# ---- who may ---------------------------------------------------------------------------------------------


def must_own(work: Work, incident: Incident) -> None:
    """Refuse unless the actor is the accountable person."""
    if not work.actor.has(incident.owner_id):
        raise Refusal("incident.not_owner", number=incident.id, owner=owner_name(work, incident))


def must_cover(work: Work, incident: Incident, ability: str) -> None:
    """Refuse unless a post of the actor covers the case's grid and gives the ability."""
    if not work.actor.may_on(ability, work.tree.at(incident.grid_id).path):
        raise NotAllowed()
