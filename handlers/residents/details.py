"""Details: what is kept by the modules that are on, read and shown, written, and taken out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from handbook import Book
from handbook.doors import lead_off
from handbook.modules import ModuleSpec
from handbook.personal import find_personal
from handbook.personal_kinds import Personal
from handbook.signs import plain_number
from handlers.residents.scope import DETAILS, PEOPLE, may_at
from handlers.work import Reading, Work
from models import Agreement
from models.detail import HIDDEN
from models.sealing import digest

AGREEMENTS = Agreement.__table__  # type: ignore[attr-defined]
OLDEST = 1880
"""Nobody who lives was born before."""


@dataclass(frozen=True)
class Said:
    """A module and what it is to keep: a mark, or a value (empty: not said yet)."""

    module: str
    mark: str = ""
    value: str = ""


@dataclass(frozen=True)
class Kept:
    """One detail as it is kept."""

    id: int
    module: str
    mark: str
    value: str | None
    hidden: str | None
    since: datetime
    by_id: int | None

    def shown(self, reading: Reading, spec: ModuleSpec) -> str:
        """In words, without what is sealed."""
        if self.mark:
            words = spec.marks.get(self.mark)
            return words[0] if words else self.mark
        if self.value is None:
            return reading.word("detail.sealed", module=spec.name)
        return reading.word("detail.year", year=self.value) if spec.form == "year" else self.value


# ---- what words say --------------------------------------------------------------------------------------


def said_of(book: Book, words: str) -> Said | None:
    """Which module that is on words speak of: 独居, 身份证 110..., 出生年 1940. None where they name none.

    The longest name is meant: 留守儿童 is not 留守.
    """
    said = words.strip()
    best: tuple[int, Said] | None = None
    for key, module in book.residents.on.items():
        for found in _said_by(key, module, said):
            if best is None or found[0] > best[0]:
                best = found
    return best[1] if best else None


def _said_by(key: str, module: ModuleSpec, said: str) -> Iterable[tuple[int, Said]]:
    for mark, names in module.marks.items():
        for name in names:
            if name in said:
                yield len(name), Said(key, mark)
    if module.form == "marks":
        return
    for name in (module.name, *module.words):
        if name in said:
            yield len(name), Said(key, "", lead_off(said.partition(name)[2]))
    number = id_number(said) if module.form == "id_number" else ""
    if number:
        yield len(number), Said(key, "", number)


def id_number(words: str) -> str:
    """The residents' number in a text, if its check sign is right; else nothing."""
    found = (number.value for number in find_personal(words) if number.kind is Personal.ID_CARD)
    return next((value.upper() for value in found if len(value) == 18), "")


def value_of(module: ModuleSpec, words: str, year: int) -> str | None:
    """The value as it is kept; None where the words are none for this module.

    Args:
        module: of another form than marks.
        words: as said.
        year: the year it is now.
    """
    if module.form == "id_number":
        return id_number(words) or None
    if module.form == "year":
        digits = "".join(sign for sign in words if sign.isdigit())[:4]
        return digits if len(digits) == 4 and OLDEST <= int(digits) <= year else None
    return words.strip()[:60] or None


# ---- reading ---------------------------------------------------------------------------------------------


def is_current(now: datetime) -> ColumnElement[bool]:
    """Condition: a detail that holds."""
    return or_(DETAILS.c.until.is_(None), DETAILS.c.until > now)


def kept_of(reading: Reading, people: Sequence[int], household: int | None = None) -> dict[int, list[Kept]]:
    """What is kept of some people, by their number; of a door under 0. Modules that are off are not shown."""
    mine: list[ColumnElement[bool]] = [DETAILS.c.person_id.in_(people)]
    if household is not None:
        mine.append(DETAILS.c.household_id == household)
    modules = DETAILS.c.module.in_(list(reading.book.residents.on))
    query = select(DETAILS).where(or_(*mine), modules, is_current(reading.now)).order_by(DETAILS.c.id)
    found: dict[int, list[Kept]] = {}
    for row in reading.session.execute(query):
        kept = Kept(row.id, row.module, row.mark, row.value, row.hidden, row.since, row.by_id)
        found.setdefault(row.person_id or 0, []).append(kept)
    return found


def may_see(reading: Reading, module: ModuleSpec, grid_id: int) -> bool:
    """Whether the actor may see what a module keeps of somebody who lives there."""
    return may_at(reading, module.seen_by, grid_id)


def shown(reading: Reading, kept: Sequence[Kept], grid_id: int) -> str:
    """What the actor may see of it, in words."""
    modules = reading.book.residents.on
    words = [
        one.shown(reading, modules[one.module])
        for one in kept
        if may_see(reading, modules[one.module], grid_id)
    ]
    return "、".join(words)


def owner_of_number(reading: Reading, module: str, number: str) -> int | None:
    """Whose sealed value this is."""
    query = select(DETAILS.c.person_id).where(
        DETAILS.c.module == module,
        DETAILS.c.hidden_digest == digest(plain_number(number), HIDDEN),
        is_current(reading.now),
    )
    found: int | None = reading.session.execute(query.limit(1)).scalar()
    return found


# ---- consent ---------------------------------------------------------------------------------------------


def has_agreed(reading: Reading, person_id: int, module: str) -> bool:
    """Whether the resident has said yes to a module, and not taken it back."""
    query = select(AGREEMENTS.c.id).where(
        AGREEMENTS.c.person_id == person_id,
        AGREEMENTS.c.module == module,
        AGREEMENTS.c.withdrawn_at.is_(None),
    )
    return reading.session.execute(query).first() is not None


def agree(work: Work, person_id: int, module: str) -> None:
    """Note that the resident said yes; one that was taken back is given anew."""
    mine = (AGREEMENTS.c.person_id == person_id, AGREEMENTS.c.module == module)
    work.session.execute(delete(AGREEMENTS).where(*mine))
    row = {"person_id": person_id, "module": module, "given_at": work.now, "noted_by": work.actor.id}
    work.session.execute(insert(AGREEMENTS), [row])


# ---- writing ---------------------------------------------------------------------------------------------


def row_of(spec: ModuleSpec, said: Said, value: str | None) -> dict[str, Any]:
    """The columns of a detail that keep what was said."""
    return {
        "module": said.module,
        "mark": said.mark,
        "value": None if spec.sealed else value,
        **kept_value(value if spec.sealed else None),
    }


def kept_value(hidden: str | None) -> dict[str, str | None]:
    """Both columns of a sealed value, or it is not found again."""
    return {
        "hidden": hidden,
        "hidden_digest": digest(plain_number(hidden), HIDDEN) if hidden else None,
    }


def keep(
    work: Work, said: Said, value: str | None, *, person: int | None = None, household: int | None = None
) -> bool:
    """Keep a detail; one value takes the place of another, a mark is kept once. Returns whether it is new."""
    spec = work.book.residents.modules[said.module]
    row = row_of(spec, said, value)
    mine = (*_of(person, household), DETAILS.c.module == said.module, DETAILS.c.mark == said.mark)
    old = work.session.execute(select(DETAILS).where(*mine, DETAILS.c.until.is_(None))).first()
    if old is not None and (old.value, old.hidden) == (row["value"], row["hidden"]) and spec.lasts is None:
        return False
    said_by = {"by_id": work.actor.id, "source": work.channel, "since": work.now}
    if old is not None:
        work.session.execute(update(DETAILS).where(DETAILS.c.id == old.id).values(**row, **said_by))
    else:
        owner = {"person_id": person, "household_id": household}
        work.session.execute(insert(DETAILS), [{**row, **owner, **said_by}])
    return old is None or (old.value, old.hidden) != (row["value"], row["hidden"])


def drop(
    work: Work,
    module: str,
    mark: str | None = None,
    *,
    person: int | None = None,
    household: int | None = None,
) -> int:
    """Take details out: it is not known any more that they once held. Returns how many there were."""
    mine: list[ColumnElement[bool]] = [*_of(person, household), DETAILS.c.module == module]
    if mark is not None:
        mine.append(DETAILS.c.mark == mark)
    count: int = work.session.execute(delete(DETAILS).where(*mine)).rowcount  # type: ignore[attr-defined]
    return count


def _of(person: int | None, household: int | None) -> tuple[ColumnElement[bool], ...]:
    return (DETAILS.c.person_id == person if person is not None else DETAILS.c.household_id == household,)


def lock_person(work: Work, person_id: int) -> None:
    """Hold a person's row until the commit: two who change where somebody lives do it one after the other."""
    work.session.flush()
    work.session.execute(select(PEOPLE.c.id).where(PEOPLE.c.id == person_id).with_for_update())
