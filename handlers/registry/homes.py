"""Lines of households: a door in a grid, and who lives behind it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from handbook.modules import ModuleSpec
from handlers.registry.known import Area, Dweller, Entry, Home, Human, Note
from handlers.registry.lines import CannotUse, Line, Lines, Outcome, told
from handlers.registry.values import folded, listed, masked, people_in, phone, pick
from handlers.residents.details import value_of

LATEST_YEAR: Final = 2199
"""A list is compared without a clock; a year of birth only has to look like one."""


class HomeLines(Lines):
    """Takes households into what is known. A list takes nobody out of a household."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._taken: dict[tuple[Area, str, str], int] = {}
        self._places: dict[str, Area] = {}
        on = self.book.residents.on
        self._modules = {key: module for key, module in on.items() if module.columns}

    def one(self, line: Line) -> Outcome:
        """Take one household with its head and the others in it."""
        area = self._area(line.says("grid"))
        address, door = line.says("address"), line.says("door")
        if not address and not door:
            raise CannotUse(self.word("wrong.empty", column=self.heading("households", "address")))
        head, number = self._head(line), line.says("phone")
        digits = phone(number)
        if number and digits is None:
            raise CannotUse(self.word("wrong.phone", value=masked(number)), number)
        notes = [note for key in self._modules if line.says(key) for note in self._said(key, line.says(key))]
        if notes and not head:
            raise CannotUse(self.word("wrong.empty", column=self.heading("households", "head")))
        key = (area, folded(address), folded(door))
        if key in self._taken:
            raise CannotUse(self.word("wrong.twice", row=self._taken[key]), f"{address}{door}")
        self._taken[key] = line.number
        outcome = self._settle(key, address, door, head, digits, people_in(line.says("members")))
        return self._note(self.known.homes[key], notes, outcome) if notes else outcome

    def _area(self, words: str) -> Area:
        if not words:
            raise CannotUse(self.word("wrong.empty", column=self.heading("households", "grid")))
        if words not in self._places:
            self._places[words] = self.place(words, self.heading("households", "grid"))
        return self._places[words]

    def _head(self, line: Line) -> str:
        head = line.says("head")
        if not head and not line.says("members"):
            raise CannotUse(self.word("wrong.empty", column=self.heading("households", "head")))
        return head

    def _settle(
        self,
        key: tuple[Area, str, str],
        address: str,
        door: str,
        head: str,
        number: str | None,
        names: Sequence[str],
    ) -> Outcome:
        home, made = self.known.homes.get(key), list[Entry]()
        if home is None:
            home = Home(area=key[0], address=address, door=door)
            self.known.add(home)
            made.append(home)
        old, changed, moved = home.id is not None, False, False
        for name in dict.fromkeys((head, *names) if head else names):
            dweller, came = self._dweller(home, name, number if name == head else None)
            moved = moved or came
            if name == head:
                changed = self._lead(home, dweller) or changed
                changed = self._call(dweller, number) or changed
        changed = changed or (old and moved)
        return told(made, changed, f"{key[0].name} {address}{door} {head}".strip())

    # ---- what the modules keep -----------------------------------------------------------------------------

    def _said(self, key: str, cell: str) -> Iterator[tuple[str, str, str | None]]:
        """Module, mark and value of each thing in a cell. Raises CannotUse for what is none."""
        module = self._modules[key]
        for words in listed(cell) if module.marks else [cell]:
            mark = pick(words, module.marks) if module.marks else ""
            value = None if module.marks else value_of(module, words, LATEST_YEAR)
            if mark is None or (value is None and not module.marks):
                column = self.heading("households", key)
                known = "、".join(names[0] for names in module.marks.values()) or module.name
                raise CannotUse(
                    self.word("wrong.mark", column=column, value=masked(words), known=known), words
                )
            yield key, mark, value

    def _note(self, home: Home, notes: Sequence[tuple[str, str, str | None]], outcome: Outcome) -> Outcome:
        """The head's columns speak of the head, those of a door of the household."""
        head = next((one.human for one in home.dwellers if one.head), None)
        fresh = False
        for module, mark, value in notes:
            spec = self._modules[module]
            owner = home if spec.of == "household" else head
            if owner is not None:
                fresh = self._keep(owner, spec, Note(module=module, mark=mark), value) or fresh
        if fresh and outcome.fate == "same":
            return Outcome("changed", f"{home.address}{home.door}")
        return outcome

    def _keep(self, owner: Human | Home, spec: ModuleSpec, note: Note, value: str | None) -> bool:
        """Keep a mark or a value, unless its yes was taken back. Returns whether it is new."""
        column = "hidden" if spec.sealed else "value"
        known = self.known.note_of(owner, note.module, note.mark)
        if known is not None:
            return known.put(column, value)
        if self.known.has_withdrawn(owner, note.module):
            return False
        setattr(note, column, value)
        note.human, note.home = (owner, None) if isinstance(owner, Human) else (None, owner)
        self.known.add(note)
        return True

    # ---- who lives there -----------------------------------------------------------------------------------

    def _dweller(self, home: Home, name: str, number: str | None) -> tuple[Dweller, bool]:
        """The one of a name in the household. Returns whether they came in just now."""
        known = next((one for one in home.dwellers if one.human is not None and one.human.name == name), None)
        if known is not None:
            return known, False
        human = self._human(name, number)
        if human is None:
            human = Human(name=name, phone=number, home=home.area)
            self.known.add(human)
        elif human.home is None:
            human.put("home", home.area)
        dweller = Dweller(home=home, human=human)
        self.known.add(dweller)
        return dweller, True

    def _human(self, name: str, number: str | None) -> Human | None:
        known = self.known.of_phone(number) if number is not None else ()
        return next((human for human in known if human.name == name), None)

    def _lead(self, home: Home, head: Dweller) -> bool:
        changed = False
        for dweller in home.dwellers:
            changed = dweller.put("head", dweller is head) or changed
        return changed and home.id is not None

    def _call(self, head: Dweller, number: str | None) -> bool:
        return number is not None and head.human is not None and self.known.give_phone(head.human, number)
