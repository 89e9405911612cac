"""Lines of people: a name, a phone, and the post held on a grid or in a unit."""

from typing import Any

from handlers.registry.known import Area, Duty, Entry, Human, Office
from handlers.registry.lines import CannotUse, Line, Lines, Outcome, differences, told
from handlers.registry.values import folded, listed, masked, phone, pick
from handlers.teams import standing_called


class PeopleLines(Lines):
    """Takes people and their posts into what is known. A list ends nobody's post."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken: dict[tuple[str, str, str, str, str], int] = {}
        self._names: dict[str, tuple[str, int]] = {}
        """Phone -> the name that stands beside it in the list, and in which line."""
        self._roles = {key: (role.name,) for key, role in self.book.roles.items()}
        party = self.book.registry
        self._party = {"yes": party.party, "no": party.masses}

    def one(self, line: Line) -> Outcome:
        """Take one person with one post."""
        name, number, role = line.says("name"), self._phone(line), self._role(line.says("role"))
        if not name:
            raise CannotUse(self.word("wrong.empty", column=self.heading("people", "name")))
        party, standing = self._member(line.says("party")), self._standing(line.says("standing"))
        area = self._area(line)
        self._once(line, name, number, role)
        office, made = self._office(line.says("unit"), area), list[Entry]()
        if office is not None and office.id is None and office not in self.known.offices:
            self.known.add(office)
            made.append(office)
        human = self._human(name, number, role, area)
        if human is None:
            human = Human(name=name, phone=number)
            self.known.add(human)
            made.append(human)
        changed = number is not None and self.known.give_phone(human, number)
        changed = (party is not None and human.put("party", party)) or changed
        duty = self.known.duties.get((human, role, area, office))
        if duty is None:
            duty = Duty(human=human, role=role, area=area, office=office, standing=standing)
            self.known.add(duty)
            made.append(duty)
        changed = (standing is not None and duty.put("standing", standing)) or changed
        return told(made, changed, self._told(human, role, area, office))

    def _phone(self, line: Line) -> str | None:
        words = line.says("phone")
        found = phone(words)
        if words and found is None:
            raise CannotUse(self.word("wrong.phone", value=masked(words)), words)
        return found

    def _role(self, words: str) -> str:
        if not words:
            raise CannotUse(self.word("wrong.empty", column=self.heading("people", "role")))
        role = pick(words, self._roles)
        if role is None:
            known = "、".join(role.name for role in self.book.roles.values())
            raise CannotUse(self.word("wrong.role", value=words, known=known), words)
        if not self.trusted and not set(self.book.roles[role].may) <= self.actor.abilities:
            raise CannotUse(self.word("wrong.role_too_high", value=words), words)
        return role

    def _standing(self, words: str) -> str | None:
        """What somebody is besides, in the book's words where it knows them."""
        return "、".join(standing_called(self.book, word) for word in listed(words[:200])) or None

    def _member(self, words: str) -> bool | None:
        if not words:
            return None
        found = pick(words, self._party)
        if found is None:
            raise CannotUse(self.word("wrong.party", value=words), words)
        return found == "yes"

    def _area(self, line: Line) -> Area:
        words = line.says("grid")
        if words:
            return self.place(words, self.heading("people", "grid"))
        root = self.known.root
        if root is None or not line.says("unit") or not self.known.reaches(root):
            raise CannotUse(self.word("wrong.empty", column=self.heading("people", "grid")))
        units = [office for office in self.known.offices if folded(office.name) == folded(line.says("unit"))]
        return units[0].area or root if len(units) == 1 else root

    def _once(self, line: Line, name: str, number: str | None, role: str) -> None:
        """Refuse a line that stands there twice, and a phone that stands beside two names."""
        key = (name, number or "", role, folded(line.says("grid")), folded(line.says("unit")))
        if key in self._taken:
            raise CannotUse(self.word("wrong.twice", row=self._taken[key]), name)
        if number is not None:
            other, row = self._names.get(number, (name, 0))
            if other != name:
                raise CannotUse(
                    self.word("wrong.phone_taken", value=masked(number), name=other, row=row), number
                )
            self._names[number] = (name, line.number)
        self._taken[key] = line.number

    def _office(self, words: str, area: Area) -> Office | None:
        if not words:
            return None
        return self.known.office(words, area) or self._serving(words, area) or Office(name=words, area=area)

    def _serving(self, words: str, area: Area) -> Office | None:
        """The unit of that name that stands in a list of units and serves an area above."""
        above = list(area.upward())
        named = [one for one in self.known.offices if folded(one.name) == folded(words)]
        return next((one for one in named if one.area in above), None)

    def _human(self, name: str, number: str | None, role: str, area: Area) -> Human | None:
        """The same person: by phone and name, else the one of the name who holds this very post."""
        known = self.known.of_phone(number) if number is not None else ()
        same = next((one for one in known if one.name == name and not self.known.is_guest(one)), None)
        return same or self.known.holder(name, role, area)

    def _told(self, human: Human, role: str, area: Area, office: Office | None) -> str:
        labels = {column: self.heading("people", column) for column in ("phone", "party")}
        where = office.name if office is not None else area.name
        return f"{human.name} {where}{self.book.roles[role].name} {differences(human, labels)}".strip()
