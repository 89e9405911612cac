"""Random steps: who does what to which case. A step is one number; the same number does the same in the
same world.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Any, get_args

from handlers.actor import Actor
from handlers.command import Command, ask_of
from models import OPEN, State
from tests.properties.world import COMMANDS, World

BY_CLOCK = frozenset(name for name, kind in COMMANDS.items() if not (kind.in_menu or kind.in_api))
"""Commands no person gives (the clock's, the doors'); the clock's own step gives the first of them."""
_ELSEWHERE = (
    *("handlers.leaves", "handlers.handovers", "handlers.regridding", "handlers.appointing"),
    *("handlers.residents", "handlers.own_data", "handlers.given_lists"),
    *("handlers.notices", "handlers.groups", "handlers.accounts"),
)
OF_THE_REGISTRY = frozenset(name for name, kind in COMMANDS.items() if kind.__module__.startswith(_ELSEWHERE))
"""Commands about people, groups and notices, and none about a case: they have tests of their own."""
SENTENCES = ("3栋楼下路灯坏了", "门口垃圾没人清", "楼道里堆了杂物", "有人吵架", "水管爆了", "井盖没了一个")
DANGERS = ("3栋2单元着火了,有人困在里面", "家里煤气漏了,头晕", "有老人掉进河里了")
REASONS = ("不在我的网格", "等配件", "等天晴", "已经处理好了", "不归我们管")
SPANS = ("3天", "2小时", "30分钟", "1天", "2周", "40天", "很久")
WAITS = (0, 1, 1, 5, 5, 10, 20, 30, 60, 60, 120, 240, 240, 600, 1440, 2880, 4320, 11520)
"""Minutes."""

_WORK = (
    "accept",
    "arrive",
    "finish",
    "transfer",
    "join",
    "return_case",
    "suspend",
    "extend",
    "merge",
    "regrade",
)
_ENDING = ("unsolvable", "not_ours", "void")
_REPORTER = ("withdraw", "urge", "add_material", "recategorise", "relocate", "reword", "amend", "show")
APT: Mapping[State, Sequence[tuple[str, str]]] = {
    State.DISPATCHED: [("owner", c) for c in (*_WORK, *_ENDING, "dispatch")]
    + [("reporter", c) for c in _REPORTER],
    State.ACCEPTED: [("owner", c) for c in (*_WORK, *_ENDING)]
    + [("helper", "part_done"), ("reporter", "urge")],
    State.ON_SITE: [("owner", c) for c in ("finish", "finish", *_WORK)] + [("helper", "part_done")],
    State.RETURNED: [
        ("owner", c) for c in ("dispatch", "dispatch", "dispatch", "accept", "transfer", "suspend")
    ],
    State.ARBITRATION: [("owner", c) for c in ("arbitrate", "arbitrate", "suspend")],
    State.PAUSED: [("owner", c) for c in ("unsuspend", *_ENDING, "merge")] + [("reporter", "withdraw")],
    State.HANDLED: [("owner", c) for c in ("verify", "rework", "extend", *_ENDING)] + [("handler", "undo")],
    State.WAITING_REPORTER: [
        ("reporter", c) for c in ("solved", "solved", "unsolved", "rate", "urge", "explain")
    ]
    + [("handler", "undo")],
}
_ENDED = [
    ("reporter", c) for c in ("unsolved", "rate", "explain", "urge", "solved", "add_material", "withdraw")
]


class Chooser:
    """Chooses what happens next in a world, from one number."""

    def __init__(self, world: World, known: Mapping[int, Any], seed: int) -> None:
        self.world = world
        self.known = known
        self.random = Random(seed)

    def wait(self) -> timedelta:
        """How long nothing happens."""
        return timedelta(minutes=self.random.choice(WAITS), seconds=self.random.choice((0, 0, 17)))

    def order(self) -> tuple[Actor, Command]:
        """Somebody and what they ask for: mostly something apt, now and then anything at all."""
        if not self.known or self.random.random() < 0.04:
            return self._anybody(), self._command("report")
        number = self._case()
        roll = self.random.random()
        if roll < 0.02:
            return self._anybody(), self._command(self.random.choice(("self_handle", "on_behalf", "report")))
        if roll < 0.8:
            return self._apt(self.known[number])
        actor = self._anybody() if roll < 0.95 else self._role(self.random.choice(_ROLES), self.known[number])
        return actor, self._command(self.random.choice(_NAMES), number)

    def _case(self) -> int:
        numbers = sorted(self.known)
        open_ones = [n for n in numbers if self.known[n].state in OPEN]
        if open_ones and self.random.random() < 0.85:
            return self.random.choice(open_ones[-6:])
        return self.random.choice(numbers[-20:])

    def _apt(self, row: Any) -> tuple[Actor, Command]:
        if row.request is not None and self.random.random() < 0.5:
            name = self.random.choice(("approve", "approve", "disapprove"))
            return self._role("approver", row), self._command(name, row.id)
        role, name = self.random.choice([*APT.get(State(row.state), _ENDED), ("upper", "supervise")])
        if row.state == State.DISPATCHED and row.returns and self.random.random() < 0.6:
            role, name = "owner", "return_case"
        return self._role(role, row), self._command(name, row.id)

    def _anybody(self) -> Actor:
        return self.random.choice(self.world.actors)

    def _role(self, role: str, row: Any) -> Actor:
        if role == "upper":
            people = [
                keeper for node in self.world.tree.upward(row.grid_id) for keeper in self._keepers(node.id)
            ]
        elif role in ("reporter", "helper"):
            people = [p.person_id for p in self.world.parts(row.id) if p.part == role]
        else:
            people = [getattr(row, f"{role}_id")]
        found = [a for a in self.world.actors if a.id in people]
        return self.random.choice(found) if found else self._anybody()

    def _keepers(self, grid: int) -> Sequence[int]:
        return [
            person
            for person in self.world.tree.keepers(grid)
            if self.world.tree.staff[person].may("supervise")
        ]

    # ---- filling in --------------------------------------------------------------------------------------

    def _command(self, name: str, number: int | None = None) -> Command:
        """A command with a value for each of its questions."""
        kind = COMMANDS[name]
        values = {
            field: self._value(field, ask_of(info), info, number) for field, info in kind.model_fields.items()
        }
        return kind.model_validate({field: value for field, value in values.items() if value is not None})

    def _value(self, field: str, ask: Any, info: Any, number: int | None) -> Any:
        if field in _QUIET:
            return _QUIET[field](self.random)
        if ask.kind == "case":
            return self._number(field, number)
        if (
            ask.kind == "text"
            and info.annotation is str
            and (info.is_required() or self.random.random() < 0.5)
        ):
            pool = DANGERS if self.random.random() < 0.06 else SENTENCES
            return self.random.choice(pool if field == "what" else REASONS)
        return self._offered(ask, info, number)

    def _offered(self, ask: Any, info: Any, number: int | None) -> Any:
        if ask.kind == "person":
            return self.random.choice(self._colleagues(number)).id
        if ask.kind == "place":
            places = sorted(self.world.tree.nodes)
            return self.random.choice(places) if info.is_required() or self.random.random() < 0.5 else None
        if ask.kind == "span":
            return self.random.choice(SPANS)
        if ask.kind == "option":
            return self.random.choice(self._options(ask.among, info))
        return None

    def _colleagues(self, number: int | None) -> Sequence[Actor]:
        """Mostly those of the same village, now and then anybody with a post, or anybody at all."""
        roll = self.random.random()
        if roll < 0.05:
            return self.world.actors
        staff = [a for a in self.world.actors if a.is_staff]
        if roll < 0.4 or number is None:
            return staff
        tree = self.world.tree
        line = list(tree.upward(self.known[number].grid_id))
        village = line[-3].path if len(line) >= 3 else "/"
        return [a for a in staff if any(post.path.startswith(village) for post in a.posts)] or staff

    def _options(self, among: str, info: Any) -> Sequence[str]:
        if among == "categories":
            return [category.code for category in self.world.book.categories]
        if among == "grades":
            return sorted(self.world.book.incidents.grades)
        return get_args(info.annotation)

    def _number(self, field: str, number: int | None) -> int:
        if field == "into" or number is None or self.random.random() < 0.02:
            numbers = sorted(self.known)
            return self.random.choice(numbers[-12:]) if self.random.random() < 0.97 else 999_999
        return number


_QUIET: Mapping[str, Callable[[Random], Any]] = {
    "privacy": lambda random: random.choice(("open", "open", "open", "anonymous", "secret")),
    "phone": lambda random: random.choice((None, "13900001111", "13900002222")),
    "media": lambda random: random.choice((None, None, ("media:a.jpg",))),
    "anyway": lambda random: random.random() < 0.5,
    "spot": lambda random: random.choice((None, "2单元门口")),
    "note": lambda random: random.choice(("灯还是不亮", "晚上才坏")),
    "lat": lambda random: None,
    "lon": lambda random: None,
}
"""Fields that are never asked for (and the note, which must not be empty)."""
_ROLES = ("owner", "approver", "handler", "reporter", "helper")
_NAMES = sorted(name for name in COMMANDS if name not in BY_CLOCK | OF_THE_REGISTRY)
