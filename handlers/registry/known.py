"""What is known: the registry as plain entries in memory, those in the tables and those that a list adds."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Table, or_, select
from sqlmodel import SQLModel

from handlers.grids.spans import codes_ever
from handlers.registry.values import folded
from handlers.work import Reading
from models import Account, Agreement, Detail, Grid, GridKind, Household, Member, Person, Post, Unit


@dataclass(eq=False)
class Entry:
    """A row: in the table (with an id), or new. `before` holds what a list has changed of it."""

    table: ClassVar[Table]
    id: int | None = None
    before: dict[str, Any] = field(default_factory=dict, kw_only=True)

    def put(self, name: str, value: Any) -> bool:
        """Change a column. Returns whether it was another before."""
        old = getattr(self, name)
        if old == value:
            return False
        if self.id is not None:
            self.before.setdefault(name, old)
        setattr(self, name, value)
        return True


def _table(kind: type[SQLModel]) -> Table:
    found: Table = kind.__table__  # type: ignore[attr-defined]
    return found


_AGREEMENTS = _table(Agreement)


@dataclass(eq=False)
class Area(Entry):
    """A grid."""

    table = _table(Grid)
    parent: "Area | None" = None
    code: str | None = None
    """None: one is given out when it is written."""
    name: str = ""
    level: str = ""
    kind: GridKind = GridKind.AREA
    special: str | None = None
    subjects: int | None = None
    aliases: list[str] = field(default_factory=list)
    lat: float | None = None
    lon: float | None = None
    path: str = ""
    words: set[str] = field(default_factory=set)
    """What it is called, as words are compared."""

    def upward(self) -> Iterator["Area"]:
        """The area itself, then its parents up to the top."""
        at: Area | None = self
        while at is not None:
            yield at
            at = at.parent


@dataclass(eq=False)
class Human(Entry):
    """A person."""

    table = _table(Person)
    name: str = ""
    phone: str | None = None
    home: Area | None = None
    party: bool | None = None


@dataclass(eq=False)
class Office(Entry):
    """A unit: a department or a company."""

    table = _table(Unit)
    name: str = ""
    area: Area | None = None
    aliases: list[str] = field(default_factory=list)
    calendar: str | None = None
    duties: list[str] = field(default_factory=list)
    backstop: bool = False


@dataclass(eq=False)
class Duty(Entry):
    """A post that is held now."""

    table = _table(Post)
    human: Human | None = None
    role: str = ""
    area: Area | None = None
    office: Office | None = None
    standing: str | None = None


@dataclass(eq=False)
class Home(Entry):
    """A household."""

    table = _table(Household)
    area: Area | None = None
    address: str = ""
    door: str = ""
    dwellers: list["Dweller"] = field(default_factory=list)


@dataclass(eq=False)
class Note(Entry):
    """Something that a module of the book keeps of a person or a household."""

    table = _table(Detail)
    human: Human | None = None
    home: Home | None = None
    module: str = ""
    mark: str = ""
    value: str | None = None
    hidden: str | None = None
    """The value of a module that is sealed."""


@dataclass(eq=False)
class Dweller(Entry):
    """Somebody who lives in a household now."""

    table = _table(Member)
    home: Home | None = None
    human: Human | None = None
    head: bool = False


class Known:
    """The registry, found by the words of a list. What an actor's posts do not cover is not there."""

    def __init__(self, reading: Reading, may: Callable[[str], bool]) -> None:
        """`may`: whether a grid's path lies in the area of whoever brings the list."""
        self.areas: list[Area] = []
        self.by_code: dict[str, Area] = {}
        self.spent: set[str] = set()
        """Codes of grids that are no more, or that a grid had before: never given out again."""
        self._by_name: defaultdict[str, list[Area]] = defaultdict(list)
        self.humans: list[Human] = []
        self._by_phone: defaultdict[str, list[Human]] = defaultdict(list)
        self.offices: list[Office] = []
        self.duties: dict[tuple[Human, str, Area, Office | None], Duty] = {}
        self._holders: dict[tuple[str, Area], list[Human]] = {}
        self._guests: set[Human] = set()
        self._posts: dict[Human, list[Area]] = {}
        self.homes: dict[tuple[Area, str, str], Home] = {}
        self._notes: dict[tuple[Human | Home, str, str], Note] | None = None
        self._withdrawn: set[tuple[int, str]] = set()
        self.added: list[Entry] = []
        """New entries, those first to which others point."""
        self._may = may
        self._reading = reading
        self._load(reading)

    # ---- finding -------------------------------------------------------------------------------------------

    @property
    def root(self) -> Area | None:
        """The top of the tree; None where there is no tree yet."""
        return self.areas[0] if self.areas else None

    def reaches(self, area: Area) -> bool:
        """Whether the area lies where the list may write: a new one does when what is above it does."""
        known = next((above for above in area.upward() if above.id is not None), None)
        return known is None or self._may(known.path)

    def find(self, words: str) -> list[Area]:
        """The areas meant by a code, a name, or a path such as 幸福社区/第一网格."""
        if words in self.by_code:
            return [area for area in (self.by_code[words],) if self.reaches(area)]
        *above, name = (folded(part) for part in words.split("/"))
        found = self._by_name.get(name, [])
        return [area for area in found if _stands_below(area, above) and self.reaches(area)]

    def child(self, parent: Area | None, name: str) -> Area | None:
        """The area of a name right below another one."""
        return next((area for area in self._by_name.get(folded(name), ()) if area.parent is parent), None)

    def of_phone(self, phone: str) -> list[Human]:
        """Everybody with a phone: a family may share one."""
        return self._by_phone.get(phone, [])

    def office(self, name: str, area: Area) -> Office | None:
        """The unit of a name that serves an area."""
        said = folded(name)
        return next((one for one in self.offices if one.area is area and folded(one.name) == said), None)

    def is_guest(self, human: Human) -> bool:
        """Whether somebody without a post speaks to us from an account of their own already.

        A post is never joined to what they have said there: whoever gives it could also give away its door.
        """
        return human in self._guests

    def holder(self, name: str, role: str, area: Area) -> Human | None:
        """The one of a name who holds a role on an area."""
        return next((human for human in self._holders.get((role, area), ()) if human.name == name), None)

    def note_of(self, owner: Human | Home, module: str, mark: str) -> Note | None:
        """What a module keeps of somebody; all of it is read when it is first asked for, and not before."""
        if self._notes is None:
            self._notes = {}
            self._load_notes()
        return self._notes.get((owner, module, mark))

    @property
    def notes(self) -> list[Note]:
        """What the modules keep, as far as it was asked for."""
        return list((self._notes or {}).values())

    def has_withdrawn(self, owner: Human | Home, module: str) -> bool:
        """Whether somebody took back their yes to a module; asked after `note_of`."""
        return isinstance(owner, Human) and (owner.id or 0, module) in self._withdrawn

    # ---- adding --------------------------------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """Enter a new row, or one from the tables."""
        if entry.id is None:
            self.added.append(entry)
        _ENTER[type(entry)](self, entry)

    def _area(self, area: Area) -> None:
        self.areas.append(area)
        if area.code:
            self.by_code[area.code] = area
        area.words = {folded(word) for word in (area.name, *area.aliases)}
        for name in area.words:
            self._by_name[name].append(area)

    def rename(self, area: Area, name: str) -> bool:
        """Change an area's name. Returns whether it had another."""
        if not area.put("name", name):
            return False
        area.words.add(folded(name))
        self._by_name[folded(name)].append(area)
        return True

    def _human(self, human: Human) -> None:
        self.humans.append(human)
        if human.phone:
            self._by_phone[human.phone].append(human)

    def give_phone(self, human: Human, phone: str) -> bool:
        """Change a person's phone. Returns whether it was another.

        Whoever also holds a post out of reach keeps theirs: a phone helps to sign in as its holder.
        """
        if human.id is not None and any(not self.reaches(area) for area in self._posts.get(human, ())):
            return False
        if not human.put("phone", phone):
            return False
        self._by_phone[phone].append(human)
        return True

    def _duty(self, duty: Duty) -> None:
        assert duty.human is not None
        assert duty.area is not None
        self.duties[duty.human, duty.role, duty.area, duty.office] = duty
        self._holders.setdefault((duty.role, duty.area), []).append(duty.human)
        self._posts.setdefault(duty.human, []).append(duty.area)

    def _home(self, home: Home) -> None:
        assert home.area is not None
        self.homes[home.area, folded(home.address), folded(home.door)] = home

    def _dweller(self, dweller: Dweller) -> None:
        assert dweller.home is not None
        dweller.home.dwellers.append(dweller)

    def _note(self, note: Note) -> None:
        owner = note.human or note.home
        if self._notes is not None and owner is not None:
            self._notes[owner, note.module, note.mark] = note

    def _office(self, office: Office) -> None:
        self.offices.append(office)

    def _load_notes(self) -> None:
        humans = {human.id: human for human in self.humans if human.id is not None}
        homes = {home.id: home for home in self.homes.values() if home.id is not None}
        table = Note.table.c
        for row in self._reading.session.execute(select(Note.table).where(table.until.is_(None))):
            human, home = humans.get(row.person_id), homes.get(row.household_id)
            if human is not None or home is not None:
                self.add(Note(row.id, human, home, row.module, row.mark, row.value, row.hidden))
        withdrawn = select(_AGREEMENTS).where(_AGREEMENTS.c.withdrawn_at.is_not(None))
        for row in self._reading.session.execute(withdrawn):
            self._withdrawn.add((row.person_id, row.module))

    # ---- loading -------------------------------------------------------------------------------------------

    def _load(self, reading: Reading) -> None:
        rows, now = reading.session.execute, reading.now
        areas: dict[int, Area] = {}
        grids = Area.table.c
        for row in rows(select(Area.table).where(grids.valid_to.is_(None)).order_by(grids.path)):
            above = areas[row.parent_id] if row.parent_id is not None else None
            areas[row.id] = Area(
                row.id,
                above,
                row.code,
                row.name,
                row.level,
                row.kind,
                row.special,
                row.subjects,
                list(row.aliases),
                row.lat,
                row.lon,
                row.path,
            )
            self.add(areas[row.id])
        self.spent = {code for code, _ in codes_ever(reading.session)} - set(self.by_code)
        table = Human.table.c
        humans: dict[int, Human] = {}
        columns = (table.id, table.name, table.phone, table.home_grid_id, table.party)
        half = table.joined_into.is_(None)  # the other half of a person is no second one
        for row in rows(select(*columns).where(half).order_by(table.id)):
            humans[row.id] = Human(row.id, row.name, row.phone, areas.get(row.home_grid_id or 0), row.party)
            self.add(humans[row.id])
        offices: dict[int, Office] = {}
        for row in rows(select(Office.table).order_by(Office.table.c.id)):
            offices[row.id] = Office(
                row.id,
                row.name,
                areas[row.grid_id],
                list(row.aliases),
                row.calendar,
                list(row.duties),
                row.backstop,
            )
            self.add(offices[row.id])
        held = Duty.table.c
        current = (held.since <= now, or_(held.until.is_(None), held.until > now))
        for row in rows(select(Duty.table).where(*current).order_by(held.id)):
            office = offices[row.unit_id] if row.unit_id is not None else None
            human, area = humans[row.person_id], areas[row.grid_id]
            self.add(Duty(row.id, human, row.role, area, office, row.standing))
        bound = set(rows(select(_table(Account).c.person_id)).scalars())
        self._guests = {human for human in self.humans if human.id in bound} - set(self._posts)
        homes: dict[int, Home] = {}
        for row in rows(select(Home.table).order_by(Home.table.c.id)):
            homes[row.id] = Home(row.id, areas[row.grid_id], row.address, row.door)
            self.add(homes[row.id])
        lives = Dweller.table.c
        for row in rows(
            select(Dweller.table).where(or_(lives.until.is_(None), lives.until > now)).order_by(lives.id)
        ):
            if row.person_id in humans:
                self.add(Dweller(row.id, homes[row.household_id], humans[row.person_id], row.head))


def _stands_below(area: Area, names: list[str]) -> bool:
    """Whether the names are met in this order on the way up from an area."""
    left, above = list(names), area.parent
    while left and above is not None:
        if left[-1] in above.words:
            left.pop()
        above = above.parent
    return not left


_ENTER: dict[type[Entry], Callable[[Known, Any], None]] = {
    Area: Known._area,
    Human: Known._human,
    Office: Known._office,
    Duty: Known._duty,
    Home: Known._home,
    Dweller: Known._dweller,
    Note: Known._note,
}
