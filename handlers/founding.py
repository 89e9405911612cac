"""Founding: writes the tree, units, people and seats of the book's demo town into an empty registry."""

from collections import defaultdict

from sqlalchemy import select
from sqlmodel import Session, col

from handbook.schema import TownPost
from handbook.town import Spot, named, spots
from handlers.grids.spans import keep_spans
from handlers.phones import kept_phone
from handlers.tokens import new_handle
from handlers.tree import registry_changed
from handlers.work import Work
from models import Account, Grid, GridKind, Person, Post, Unit


def is_founded(session: Session) -> bool:
    """Whether the registry already has a tree."""
    return session.execute(select(col(Grid.id)).limit(1)).first() is not None


def found_town(work: Work, *, channel: str | None = None, named: bool = True) -> dict[str, int]:
    """Write the demo town. Returns seat -> person id.

    With `channel`, everybody gets an account there. Its handle is their name, so that a script can speak as
    them; not `named`, it tells nothing, for handles stand in logs.
    """
    builder = _Builder(work, channel, named)
    for spot in spots(work.book.town.tree):
        builder.grid(spot)
    for unit in work.book.town.units:
        at = builder.at(unit.grid)
        row = Unit(name=unit.name, grid_id=at, aliases=list(unit.aliases), calendar=unit.calendar)
        work.session.add(row)
        work.session.flush()
        for post in unit.people:
            builder.post(post, at, row.id)
    for resident in work.book.town.residents:
        builder.person(resident.name, seat=resident.key, home=builder.at(resident.home))
    keep_spans(work.session, work.now)
    registry_changed(work.session)
    return builder.seats


class _Builder:
    """Keeps what has been written, by names."""

    def __init__(self, work: Work, channel: str | None, named: bool) -> None:
        self._work = work
        self._channel = channel
        self._named = named
        self._grids: dict[tuple[str, ...], Grid] = {}
        self._serial: defaultdict[str, int] = defaultdict(int)
        self.seats: dict[str, int] = {}

    def at(self, words: str) -> int:
        """Id of the grid meant by a name or path of the town sheet."""
        found = self._grids[named(self._work.book.town.tree, words)[0].names].id
        assert found is not None
        return found

    def grid(self, spot: Spot) -> None:
        """Write one grid below its parent, with the people who stand on it."""
        parent = self._grids.get(spot.names[:-1])
        row = Grid(
            parent_id=parent.id if parent else None,
            code=spot.code or self._code(parent),
            name=spot.name,
            level=spot.level,
            kind=GridKind(spot.kind),
            path=f"new:{len(self._grids)}",
            aliases=list(spot.aliases),
            lat=spot.lat,
            lon=spot.lon,
            valid_from=self._work.now,
        )
        self._work.session.add(row)
        self._work.session.flush()
        row.path = f"{parent.path if parent else '/'}{row.id}/"
        self._grids[spot.names] = row
        assert row.id is not None
        for post in spot.people:
            self.post(post, row.id, None)

    def _code(self, parent: Grid | None) -> str:
        """The parent's code and a serial of two digits (domain.md section 1: village code + serial)."""
        above = parent.code if parent else "990000000000"
        self._serial[above] += 1
        return f"{above}{self._serial[above]:02d}"

    def post(self, post: TownPost, grid_id: int, unit_id: int | None) -> None:
        """Write a person and the post they hold."""
        person_id = self.person(post.name, seat=post.key, phone=post.phone)
        self._work.session.add(
            Post(person_id=person_id, role=post.role, grid_id=grid_id, unit_id=unit_id, since=self._work.now)
        )

    def person(
        self, name: str, *, seat: str | None = None, home: int | None = None, phone: str | None = None
    ) -> int:
        """Write a person, with an account when the town is founded for a channel."""
        row = Person(name=name, **kept_phone(phone), home_grid_id=home, seat=seat)
        self._work.session.add(row)
        self._work.session.flush()
        assert row.id is not None
        if seat is not None:
            self.seats[seat] = row.id
        if self._channel is not None:
            handle = name if self._named else new_handle(row.id)
            at = self._work.now
            account = Account(channel=self._channel, handle=handle, chat=handle, person_id=row.id, used_at=at)
            self._work.session.add(account)
        return row.id
