"""Lines of grids: each names what it lies in, and may stand before it in the list."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from handlers.registry.known import Area
from handlers.registry.lines import CannotUse, Line, Lines, Outcome, differences, told
from handlers.registry.values import folded, listed, number, pick
from models import GridKind

LONGEST_CODE: Final = 32


class _Later(Exception):
    """What a line lies in is not known yet, and may come further down."""


class AreaLines(Lines):
    """Takes grids into the tree."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken: dict[Area, int] = {}
        self._patient = True
        self._levels = {level.key: (level.name,) for level in self.book.levels}
        self._order = [level.key for level in self.book.levels]

    def take(self, lines: Sequence[Line]) -> Iterator[tuple[Line, Outcome]]:
        """As long as a round finds what a line lies in, the rest is tried once more."""
        left, self._patient = list(lines), True
        while left:
            waiting: list[Line] = []
            for line in left:
                try:
                    yield from super().take([line])
                except _Later:
                    waiting.append(line)
            self._patient = len(waiting) < len(left)
            left = waiting

    def one(self, line: Line) -> Outcome:
        """Take one grid: known by its code, else by its name where it lies."""
        name, code = line.says("name"), line.says("code")
        if not name:
            raise CannotUse(self.word("wrong.empty", column=self.heading("grids", "name")))
        parent = self._parent(line, code)
        area = self._same(code, parent, name)
        values = self._values(line, parent, area)
        if code in self.known.spent:
            raise CannotUse(self.word("wrong.code_spent", code=code), code)
        if code and (len(code) > LONGEST_CODE or not code.isascii()):
            raise CannotUse(self.word("wrong.code", value=code[:LONGEST_CODE]), code)
        if area is None:
            return self._new(line, Area(parent=parent, code=code or None, name=name, **values))
        return self._old(line, area, name, code, parent, values)

    def _parent(self, line: Line, code: str) -> Area | None:
        words = line.says("parent")
        if words:
            try:
                return self.place(words, self.heading("grids", "parent"))
            except CannotUse:
                if self._patient and not self.known.find(words):
                    raise _Later from None
                raise
        known = self.known.by_code.get(code) if code else None
        if known is not None and self.known.reaches(known):
            return known.parent
        root = self.known.root
        if root is None and self.trusted:
            return None
        if root is not None and root.name == line.says("name") and self.known.reaches(root):
            return None
        raise CannotUse(self.word("wrong.empty", column=self.heading("grids", "parent")))

    def _same(self, code: str, parent: Area | None, name: str) -> Area | None:
        area = self.known.by_code.get(code) if code else None
        area = area or self.known.child(parent, name)
        if area is not None and not self.known.reaches(area):
            raise CannotUse(self.word("wrong.code_taken", code=code), code)
        return area

    def _values(self, line: Line, parent: Area | None, area: Area | None) -> dict[str, Any]:
        """What a line says of a grid; of a known one an empty cell says nothing."""
        found: dict[str, Any] = {}
        level = self._level(line.says("level"), parent, area)
        if level:
            found["level"] = level
        found |= self._kinds(line, level, known=area is not None)
        if line.says("subjects"):
            found["subjects"] = self._count(line.says("subjects"))
        if line.says("aliases"):
            found["aliases"] = listed(line.says("aliases"))
        for name in ("lat", "lon"):
            if line.says(name):
                found[name] = self._number(line.says(name), name)
        return found

    def _kinds(self, line: Line, level: str | None, *, known: bool) -> dict[str, Any]:
        """Kind and type of a grid. 商业专属网格 says both, and a type alone says that it is exclusive."""
        words, type_ = line.says("kind"), line.says("special")
        special = self._special(type_ or words)
        if type_ and special is None:
            names = "、".join(its[0] for its in self.book.registry.specials.values())
            raise CannotUse(self.word("wrong.special", value=type_, known=names), type_)
        if special is not None:
            return {"kind": GridKind.EXCLUSIVE, "special": special}
        if words or not known:
            return {"kind": self._kind(words, level), "special": None}
        return {}

    def _special(self, words: str) -> str | None:
        said = folded(words)
        specials = self.book.registry.specials.items()
        found = [key for key, names in specials if any(said and folded(name) in said for name in names)]
        return found[0] if len(found) == 1 else None

    def _count(self, words: str) -> int:
        if not (words.isascii() and words.isdecimal() and len(words) < 8):
            heading = self.heading("grids", "subjects")
            raise CannotUse(self.word("wrong.count", column=heading, value=words), words)
        return int(words)

    def _number(self, words: str, name: str) -> float:
        found = number(words)
        if found is None or (name == "lat" and abs(found) > 90):
            raise CannotUse(self.word("wrong.number", column=self.heading("grids", name), value=words), words)
        return found

    def _level(self, words: str, parent: Area | None, area: Area | None) -> str | None:
        if not words and area is not None:
            return None
        above = self._order.index(parent.level) if parent is not None else -1
        if not words:
            if above + 1 >= len(self._order):
                raise CannotUse(self.word("wrong.level_low", name=parent.name if parent else ""))
            return self._order[above + 1]
        level = pick(words, self._levels)
        if level is None:
            known = "、".join(level.name for level in self.book.levels)
            raise CannotUse(self.word("wrong.level", value=words, known=known), words)
        if self._order.index(level) <= above:
            assert parent is not None
            raise CannotUse(self.word("wrong.level_order", value=words, name=parent.name), words)
        return level

    def _kind(self, words: str, level: str | None) -> GridKind:
        if not words:
            keeper = self.book.level(level).keeper if level else None
            return GridKind.BASE if keeper == "worker" else GridKind.AREA
        kind = pick(words, {str(key): names for key, names in self.book.registry.kinds.items()})
        if kind is None:
            known = "、".join(names[0] for names in self.book.registry.kinds.values())
            raise CannotUse(self.word("wrong.kind", value=words, known=known), words)
        return GridKind(kind)

    def _new(self, line: Line, area: Area) -> Outcome:
        self.known.add(area)
        self._taken[area] = line.number
        return told([area], changed=False, what=area.name)

    def _old(
        self, line: Line, area: Area, name: str, code: str, parent: Area | None, values: dict[str, Any]
    ) -> Outcome:
        if area in self._taken:
            raise CannotUse(self.word("wrong.twice", row=self._taken[area]), name)
        if area.parent is not parent:
            raise CannotUse(
                self.word("wrong.moved", name=name, parent=area.parent.name if area.parent else "")
            )
        self._taken[area] = line.number
        changed = self.known.rename(area, name)
        if code and area.put("code", code):
            self.known.by_code[code], changed = area, True
        for column, value in values.items():
            changed = area.put(column, value) or changed
        labels = {column: self.heading("grids", column) for column in area.before}
        return told([], changed, f"{area.name} {differences(area, labels)}")
