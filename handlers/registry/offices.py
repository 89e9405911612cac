"""Lines of units: a department or company, the area it serves, its duties and hours, and the 兜底."""

from collections.abc import Mapping
from typing import Any

from handlers.registry.known import Area, Entry, Office
from handlers.registry.lines import CannotUse, Line, Lines, Outcome, differences, told
from handlers.registry.values import folded, listed, pick


class OfficeLines(Lines):
    """Takes units into what is known. An empty cell changes nothing."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken: dict[tuple[str, Area], int] = {}
        self._hours = {key: spec.names or (key,) for key, spec in self.book.hours.items()}
        self._duties = {kind.code: (kind.name,) for kind in self.book.categories}
        self._yes = {"yes": self.book.registry.yes, "no": self.book.registry.no}

    def one(self, line: Line) -> Outcome:
        """Take one unit: known by its name in its area."""
        name, area = line.says("name"), self._area(line)
        if not name:
            raise CannotUse(self.word("wrong.empty", column=self.heading("units", "name")))
        values = self._values(line)
        key = (folded(name), area)
        if key in self._taken:
            raise CannotUse(self.word("wrong.twice", row=self._taken[key]), name)
        self._taken[key] = line.number
        office, made = self.known.office(name, area), list[Entry]()
        if office is None:
            office = Office(name=name, area=area, **values)
            self.known.add(office)
            made.append(office)
        changed = [office.put(column, value) for column, value in values.items()]
        labels = {column: self.heading("units", column) for column in ("aliases", "duties")}
        return told(made, any(changed), f"{area.name}{name} {differences(office, labels)}".strip())

    def _area(self, line: Line) -> Area:
        words = line.says("grid")
        if words:
            return self.place(words, self.heading("units", "grid"))
        root = self.known.root
        if root is None or not self.known.reaches(root):
            raise CannotUse(self.word("wrong.empty", column=self.heading("units", "grid")))
        return root

    def _values(self, line: Line) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if line.says("aliases"):
            found["aliases"] = listed(line.says("aliases"))
        if line.says("duties"):
            found["duties"] = [
                self._one_of(word, "wrong.duty", self._duties) for word in listed(line.says("duties"))
            ]
        if line.says("hours"):
            found["calendar"] = self._one_of(line.says("hours"), "wrong.hours", self._hours)
        if line.says("backstop"):
            found["backstop"] = self._one_of(line.says("backstop"), "wrong.backstop", self._yes) == "yes"
        return found

    def _one_of(self, words: str, key: str, options: Mapping[str, tuple[str, ...]]) -> str:
        found = pick(words, options)
        if found is None:
            known = "、".join(list(dict.fromkeys(names[0] for names in options.values()))[:12])
            raise CannotUse(self.word(key, value=words[:20], known=known), words)
        return found
