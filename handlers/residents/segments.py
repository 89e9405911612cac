"""Segments: lists of residents that have a name in the book; counted first, names masked, page by page."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field
from sqlalchemy import ColumnElement, and_, exists, func, select

from handbook.doors import door_words
from handbook.modules import SegmentSpec
from handbook.personal import mask_name
from handlers.audit import note
from handlers.command import Ask, Command, Done, handles
from handlers.refusal import NotAllowed, Refusal
from handlers.residents.details import is_current, kept_of, shown
from handlers.residents.doors import doors_in_building
from handlers.residents.scope import (
    DETAILS,
    HOMES,
    LOOK_UP,
    MEMBERS,
    PEOPLE,
    Resident,
    home_label,
    lies_below,
    resident_in,
    select_residents,
)
from handlers.work import Reading, Work
from models import Deed, Subject

PAGE = 8


class ListSegment(Command):
    """Residents of one kind: how many, then their names masked, eight at a time."""

    name: ClassVar[str] = "segment"
    stands_alone: ClassVar[bool] = True
    may: ClassVar[str | None] = LOOK_UP
    which: Annotated[str, Ask("text"), Field(max_length=60)] = ""
    page: Annotated[int, Ask("quiet"), Field(ge=0, le=1000)] = 0
    """0 only counts."""


@handles(ListSegment)
def list_segment(work: Work, command: ListSegment) -> Done:
    """Without a name: the lists there are, with their counts."""
    if not command.which:
        return _all_lists(work)
    key, spec = _named(work, command.which)
    place = _place(work, command.which, spec)
    count = how_many(work, key, place)
    if command.page == 0:
        return _count(work, command.which, spec, count)
    found = people_of(work, key, place, after=(command.page - 1) * PAGE, most=PAGE)
    for one in found:
        note(work, Deed.LIST, Subject.PERSON, one.id)
    lines = _lines(work, found)
    more = command.page * PAGE < count
    work.reply(
        "segment.list",
        name=spec.name,
        count=count,
        page=command.page,
        items=lines,
        choices=[_page(work, command.which, command.page + 1, "segment.next")] if more else [],
    )
    return Done({"segment": key, "count": count, "page": command.page, "residents": lines})


def _count(work: Work, which: str, spec: SegmentSpec, count: int) -> Done:
    choices = [_page(work, which, 1, "segment.show")] if count else []
    work.reply("segment.count", name=spec.name, count=count, choices=choices)
    return Done({"count": count})


def _page(work: Work, which: str, page: int, label: str) -> dict[str, Any]:
    return {"label": work.word(label), "do": "segment", "known": {"which": which, "page": page}}


def _all_lists(work: Work) -> Done:
    open_ = [(key, spec) for key, spec in _open(work) if not spec.placed]
    counts = [{"name": spec.name, "count": how_many(work, key)} for key, spec in open_]
    choices = [
        {"label": spec.name, "do": "segment", "known": {"which": spec.name}, "listed": True}
        for _, spec in open_
    ]
    work.reply("segment.all", items=counts, choices=choices)
    return Done({"segments": counts})


def _lines(work: Work, found: Sequence[Resident]) -> list[dict[str, str]]:
    kept = kept_of(work, [one.id for one in found])
    return [
        {
            "name": mask_name(one.name),
            "place": home_label(work, one),
            "tags": shown(work, kept.get(one.id, ()), one.grid_id),
        }
        for one in found
    ]


# ---- which list ------------------------------------------------------------------------------------------


def _open(reading: Reading) -> Iterator[tuple[str, SegmentSpec]]:
    """The lists that work here and that the actor may see."""
    book = reading.book.residents
    for key, spec in book.segments.items():
        if book.works(spec) and all(reading.actor.may(ability) for ability in book.seen_by(spec)):
            yield key, spec


def _named(reading: Reading, words: str) -> tuple[str, SegmentSpec]:
    """The list that words name, the longest name first. Raises Refusal for one that is not there."""
    found = [
        (len(name), key, spec)
        for key, spec in _open(reading)
        for name in (spec.name, *spec.words)
        if name in words
    ]
    if found:
        _, key, spec = max(found, key=lambda one: one[0])
        return key, spec
    if door_words(words).numbers:
        building = next(((key, spec) for key, spec in _open(reading) if spec.placed), None)
        if building is not None:
            return building
    known = "、".join(spec.name for _, spec in _open(reading))
    raise Refusal("segment.unknown", which=words[:20], known=known)


def _place(work: Work, words: str, spec: SegmentSpec) -> ColumnElement[bool] | None:
    """Only within what the words name besides: a building, a grid. Raises Refusal where one is missing."""
    left = words
    for name in sorted((spec.name, *spec.words), key=len, reverse=True):
        left = left.replace(name, " ")
    left = left.strip()
    if not left:
        if spec.placed:
            raise Refusal("segment.where")
        return None
    if door_words(left).numbers:
        ids = [door.id for door in doors_in_building(work, left)]
        if ids:
            return HOMES.c.id.in_(ids)
    own = tuple(post.path for post in work.actor.posts if post.unit_id is None)
    guess = work.tree.places.find(left, within=own)
    if guess.best is None:
        raise Refusal("segment.no_place", which=left[:20])
    return lies_below(work.tree.nodes[guess.best].path)


# ---- who is in it ----------------------------------------------------------------------------------------


def how_many(reading: Reading, key: str, place: ColumnElement[bool] | None = None) -> int:
    """How many residents within reach are in a list. Raises NotAllowed for a list that is not theirs."""
    query = select_segment(reading, key, place)
    distinct = select(func.count(func.distinct(query.subquery().c.id)))
    found: int = reading.session.execute(distinct).scalar_one()
    return found


def people_of(
    reading: Reading,
    key: str,
    place: ColumnElement[bool] | None = None,
    *,
    after: int = 0,
    most: int = 500,
) -> list[Resident]:
    """The residents of a list within the actor's reach, by door, each once; for lists, visits and notices.

    Args:
        reading: on behalf of whoever asks; a post must give every ability that the list's modules need.
        key: of the segment in the book.
        place: a condition on `HOMES` or `PEOPLE`; None for all that is within reach.
        after: how many to leave out.
        most: how many at most.

    Raises:
        NotAllowed: there is no such list here, or it is not the actor's to see.
    """
    by_door = (HOMES.c.grid_id, HOMES.c.address, HOMES.c.door, MEMBERS.c.id)
    nth = func.row_number().over(partition_by=PEOPLE.c.id, order_by=by_door).label("nth")
    rows = select_segment(reading, key, place).add_columns(nth).subquery().c
    order = (rows.grid_id, rows.address, rows.door, rows.id)
    query = select(rows).where(rows.nth == 1).order_by(*order).offset(after).limit(most)
    return [resident_in(row) for row in reading.session.execute(query)]


def select_segment(reading: Reading, key: str, place: ColumnElement[bool] | None) -> Any:
    """The rows of a list within the actor's reach. Raises NotAllowed for a list that is not theirs."""
    book = reading.book.residents
    spec = dict(_open(reading)).get(key)
    if spec is None:
        raise NotAllowed()
    query = select_residents(reading, _narrowest(book.seen_by(spec)))
    conditions = [_marked(reading, module, marks) for module, marks in spec.marks.items()]
    conditions += _aged(reading, spec)
    if place is not None:
        conditions.append(place)
    return query.where(*conditions)


def _narrowest(abilities: frozenset[str]) -> str:
    """Of all that is needed, the ability that fewest have decides whose residents these are."""
    return next(iter(abilities - {LOOK_UP}), LOOK_UP)


def _marked(reading: Reading, module: str, marks: Sequence[str]) -> ColumnElement[bool]:
    return exists().where(
        DETAILS.c.person_id == PEOPLE.c.id,
        DETAILS.c.module == module,
        DETAILS.c.mark.in_(marks),
        is_current(reading.now),
    )


def _aged(reading: Reading, spec: SegmentSpec) -> list[ColumnElement[bool]]:
    """Years of birth have four digits, so that as texts they sort as they count."""
    if spec.age_from is None and spec.age_to is None:
        return []
    year = reading.now.astimezone(reading.book.zone).year
    born = [DETAILS.c.value <= str(year - spec.age_from)] if spec.age_from is not None else []
    born += [DETAILS.c.value >= str(year - spec.age_to)] if spec.age_to is not None else []
    module = DETAILS.c.module == reading.book.residents.year
    mine = (DETAILS.c.person_id == PEOPLE.c.id, module, is_current(reading.now))
    return [exists().where(and_(*mine, *born))]
