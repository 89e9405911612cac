"""Writes the registry as the sheets that can be brought in again: a round trip changes nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from handbook import Book
from handbook.registry import SheetKind
from handlers.actor import CLOCK
from handlers.registry.known import Area, Duty, Home, Known, Office
from handlers.registry.spreadsheets import Line
from handlers.work import Reading

Sheets = list[tuple[str, Iterable[Line]]]


def template(book: Book) -> Sheets:
    """Empty sheets with the headings we write."""
    return [(spec.names[0], [headings(book, kind)]) for kind, spec in book.registry.sheets.items()]


def headings(book: Book, kind: SheetKind) -> Line:
    """The names of a sheet's columns, as we write them."""
    return [words[0] for words in book.registry.sheets[kind].columns.values()]


def everything(reading: Reading) -> Sheets:
    """All that the reader's area owns: grids, people with their posts, households."""
    known = Known(reading, lambda path: reading.actor is CLOCK or reading.actor.may_on("enrol", path))
    names, book = _Names(known), reading.book
    lines: Mapping[SheetKind, Iterator[Mapping[str, str]]] = {
        "grids": (_area(book, names, area) for area in known.areas if known.reaches(area)),
        "units": (
            _office(book, names, office)
            for office in known.offices
            if office.area and known.reaches(office.area)
        ),
        "people": (
            _duty(book, names, duty)
            for duty in known.duties.values()
            if duty.area and known.reaches(duty.area)
        ),
        "households": (
            _home(names, home) for home in known.homes.values() if home.area and known.reaches(home.area)
        ),
    }
    return [(spec.names[0], _sheet(book, kind, lines[kind])) for kind, spec in book.registry.sheets.items()]


def _sheet(book: Book, kind: SheetKind, lines: Iterable[Mapping[str, str]]) -> Iterator[Line]:
    yield headings(book, kind)
    for line in lines:
        yield [line.get(column, "") for column in book.registry.sheets[kind].columns]


class _Names:
    """What an area is called so that it is found again: its code, which is one area's alone."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._made: dict[Area, str] = {}

    def of(self, area: Area | None) -> str:
        """The shortest of name and path that means this area alone, else its code."""
        if area is None:
            return ""
        if area not in self._made:
            self._made[area] = next(
                filter(lambda words: self._means(words, area), _ways(area)), area.code or ""
            )
        return self._made[area]

    def _means(self, words: str, area: Area) -> bool:
        return self._known.find(words) == [area]


def _ways(area: Area) -> Sequence[str]:
    above = [one.name for one in area.upward()]
    return ["/".join(reversed(above[:count])) for count in range(1, len(above) + 1)]


def _area(book: Book, names: _Names, area: Area) -> Mapping[str, str]:
    return {
        "code": area.code or "",
        "parent": names.of(area.parent),
        "name": area.name,
        "level": book.level(area.level).name,
        "kind": book.registry.kinds[area.kind.value][0],
        "aliases": "、".join(area.aliases),
        "lat": "" if area.lat is None else repr(area.lat),
        "lon": "" if area.lon is None else repr(area.lon),
    }


def _duty(book: Book, names: _Names, duty: Duty) -> Mapping[str, str]:
    assert duty.human is not None
    human, registry = duty.human, book.registry
    party = "" if human.party is None else (registry.party if human.party else registry.masses)[0]
    return {
        "name": human.name,
        "phone": human.phone or "",
        "role": book.roles[duty.role].name,
        "grid": names.of(duty.area),
        "unit": duty.office.name if duty.office else "",
        "party": party,
        "standing": duty.standing or "",
    }


def _office(book: Book, names: _Names, office: Office) -> Mapping[str, str]:
    hours = book.hours.get(office.calendar or "")
    duties = (book.category_or_none(code) for code in office.duties)
    return {
        "name": office.name,
        "grid": names.of(office.area),
        "duties": "、".join(duty.name for duty in duties if duty is not None),
        "hours": (hours.names or (office.calendar or "",))[0] if hours is not None else "",
        "backstop": book.registry.yes[0] if office.backstop else "",
        "aliases": "、".join(office.aliases),
    }


def _home(names: _Names, home: Home) -> Mapping[str, str]:
    head = next((one.human for one in home.dwellers if one.head), None)
    others = [one.human.name for one in home.dwellers if not one.head and one.human is not None]
    return {
        "grid": names.of(home.area),
        "address": home.address,
        "door": home.door,
        "head": head.name if head else "",
        "phone": (head.phone or "") if head else "",
        "members": "、".join(others),
    }
