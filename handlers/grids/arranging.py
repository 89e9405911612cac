"""Arranging: what every change of the tree shares. Who may, under which lock, new codes, closing, the end."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, func, insert, literal, select, update

from handbook.personal import find_personal
from handlers.actor import CLOCK, Actor, Held
from handlers.audit import note
from handlers.cases import choice, role_and_name, someone_above
from handlers.grids.spans import GRIDS, SPANS, keep_spans
from handlers.grids.tallies import recount
from handlers.refusal import NotFound, Refusal
from handlers.registry.applying import TOP, VILLAGE, new_ids
from handlers.registry.values import folded
from handlers.tree import Node, Tree, load_tree, registry_changed
from handlers.work import Reading, Work
from handlers.writing import insert_new
from models import CodeSerial, Deed, RegistryVersion, Subject, path_range

ARRANGE = "enrol"
"""The ability: who may bring in grids may also split, merge, rename and move them."""
LONGEST = 40
"""Letters of a grid's name."""
_NAME = re.compile(rf"[\w（）()·、.\-—－#/ ]{{1,{LONGEST}}}")
_LETTER = re.compile(r"[^\W_]")
_LONG = re.compile(r"\d{7}")
"""As long as a phone, though it may be a landline."""
_SERIALS: Table = CodeSerial.__table__  # type: ignore[attr-defined]
_VERSION: Table = RegistryVersion.__table__  # type: ignore[attr-defined]


def console(tree: Tree) -> Actor:
    """Whoever runs the program, as an actor who may arrange everything below the top."""
    abilities = frozenset({ARRANGE, "oversee"})
    top = Held("", tree.root.id, tree.root.path, abilities=abilities)
    return Actor(None, CLOCK.name, (top,), abilities)


# ---- before ------------------------------------------------------------------------------------------------


def hold_tree(work: Work) -> None:
    """Let nobody else change the tree until this work ends, and see it as it is now.

    On PostgreSQL two who change it wait for each other here; SQLite has one writer anyway.
    """
    work.session.flush()
    work.session.execute(select(_VERSION.c.number).with_for_update())
    work.tree = load_tree(work.session, work.book, work.now)


def reached(work: Work, grid_id: int) -> Node:
    """A grid of today in the actor's area. Raises NotFound, alike for what is absent and not theirs."""
    node = work.tree.nodes.get(grid_id)
    if node is None or not work.actor.may_on(ARRANGE, node.path):
        raise NotFound("grid.not_found")
    return node


def arranged(work: Work, grid_id: int) -> Node:
    """A grid that the actor may change: one of theirs, and not the one at the top of what is theirs.

    Raises NotFound, or Refusal for a top: who answers for an area does not cut it out of the one above.
    """
    node = reached(work, grid_id)
    if node.parent_id is None:
        raise Refusal("grid.top", name=node.name)
    if not work.actor.may_on(ARRANGE, work.tree.nodes[node.parent_id].path):
        raise Refusal("grid.own", name=node.name)
    return node


def arrangeable(reading: Reading, words: str) -> list[int]:
    """The grids of the actor's area that are called so: by name, alias, code, or after what lies above."""
    said = folded(words.replace("/", ""))
    return [
        node.id
        for node in reading.tree.nodes.values()
        if said and _is_called(reading.tree, node, said) and reading.actor.may_on(ARRANGE, node.path)
    ]


def _is_called(tree: Tree, node: Node, said: str) -> bool:
    names = [folded(word) for word in (node.name, *node.aliases)]
    if said in names or said == node.code:
        return True
    if not any(said.endswith(name) for name in names):
        return False
    line, above = "", list[str]()
    for upper in list(tree.upward(node.id))[1:]:
        line = folded(upper.name) + line
        above.append(line)
    return any(said == before + name for before in above for name in names)


def must_be_name(name: str) -> None:
    """Refuse what is no name of a grid: it stands in letters and on pages, so no marks, no one's numbers.

    Raises Refusal.
    """
    plain_number = _LONG.search(name) or find_personal(name)
    if not _NAME.fullmatch(name) or not _LETTER.search(name) or plain_number:
        raise Refusal("grid.wrong_name", most=LONGEST)


def must_be_free(work: Work, parent_id: int, name: str, *, besides: Iterable[int] = ()) -> None:
    """Refuse a name that another grid of today has below the same parent."""
    for grid_id in work.tree.children.get(parent_id, ()):
        node = work.tree.nodes[grid_id]
        if grid_id not in besides and folded(node.name) == folded(name):
            raise Refusal("grid.name_taken", name=name, parent=work.tree.at(parent_id).name)


def must_be_sure(work: Work, do: str, plan: str, known: dict[str, Any]) -> None:
    """Tell the plan and ask; the answer brings the same command, and is sure. Raises Refusal."""
    yes = choice(work, do, label="label.sure", **known, sure=True)
    raise Refusal("grid.sure", plan=plan, choices=[yes, choice(work, "keep", label="label.not_sure")])


# ---- rows --------------------------------------------------------------------------------------------------


def new_grids(work: Work, like: Node, parent: Node, names: Sequence[str]) -> list[int]:
    """Add grids below a parent, of the level and kind of another; each gets a code nothing ever had."""
    ids = new_ids(work.session, GRIDS, len(names))
    codes = _new_codes(work, parent, len(names))
    rows: list[dict[str, Any]] = [
        {
            "id": number,
            "parent_id": parent.id,
            "code": code,
            "name": name,
            "level": like.level,
            "kind": like.kind,
            "special": like.special,
            "path": f"{parent.path}{number}/",
            "aliases": [],
            "valid_from": work.now,
        }
        for number, code, name in zip(ids, codes, names, strict=True)
    ]
    work.session.execute(insert(GRIDS), rows)
    return ids


def _new_codes(work: Work, parent: Node, count: int) -> list[str]:
    prefix = parent.code[:VILLAGE] or TOP
    work.session.execute(insert_new(work.session, _SERIALS), {"prefix": prefix, "last": 0})
    row = work.session.execute(select(_SERIALS.c.last).where(_SERIALS.c.prefix == prefix).with_for_update())
    last, found = row.scalar_one(), list[str]()
    like = f"{prefix}%"
    used = {*work.session.execute(select(GRIDS.c.code).where(GRIDS.c.code.like(like))).scalars()}
    used |= {*work.session.execute(select(SPANS.c.code).where(SPANS.c.code.like(like))).scalars()}
    while len(found) < count:
        last += 1
        code = f"{prefix}{last:04d}"
        if code not in used:
            found.append(code)
    work.session.execute(update(_SERIALS).where(_SERIALS.c.prefix == prefix).values(last=last))
    return found


def give_names(work: Work, grid_id: int, name: str, *, also: Iterable[str]) -> None:
    """Call a grid so; what else people call it stays, for it is how residents go on speaking of it."""
    own = folded(name)
    aliases = [word for word in dict.fromkeys(also) if word and folded(word) != own]
    row = GRIDS.c.id == grid_id
    work.session.execute(update(GRIDS).where(row).values(name=name, aliases=aliases))


def rehang(work: Work, node: Node, parent: Node) -> None:
    """Put a grid with all that lies below it, also of former times, under another one."""
    low, high = path_range(node.path)
    moved = literal(f"{parent.path}{node.id}/").concat(func.substr(GRIDS.c.path, len(node.path) + 1))
    row = GRIDS.c.id == node.id
    work.session.execute(update(GRIDS).where(row).values(parent_id=parent.id))
    below = update(GRIDS).where(GRIDS.c.path >= low, GRIDS.c.path < high)
    work.session.execute(below.values(path=moved))


def close(work: Work, node: Node, heir: Node | None) -> None:
    """End a grid. What is left of it lies below its heir, where whoever answers now still finds it."""
    values: dict[str, Any] = {"valid_to": work.now}
    row = GRIDS.c.id == node.id
    if heir is not None:
        values |= {"heir_id": heir.id, "path": f"{heir.path}{node.id}/"}
        low, high = path_range(node.path)
        old = select(GRIDS.c.id).where(
            GRIDS.c.path >= low, GRIDS.c.path < high, GRIDS.c.valid_to.is_not(None)
        )
        for grid_id in list(work.session.execute(old).scalars()):
            below = update(GRIDS).where(GRIDS.c.id == grid_id)
            work.session.execute(below.values(path=f"{heir.path}{grid_id}/"))
    work.session.execute(update(GRIDS).where(row).values(values))


# ---- after -------------------------------------------------------------------------------------------------


def read_anew(work: Work, touched: Iterable[int]) -> None:
    """The tree has changed: keep what it was, count again, and let the rest of this work see it."""
    work.session.flush()
    keep_spans(work.session, work.now)
    recount(work.session, work.now, touched)
    registry_changed(work.session)
    work.tree = load_tree(work.session, work.book, work.now)


def tell_of(work: Work, deed: Deed, grid_id: int, what: str, people: Iterable[int]) -> None:
    """Note the deed, answer the actor, and tell whoever is concerned, each once."""
    note(work, deed, Subject.GRID, grid_id)
    by = role_and_name(work, work.actor.id)
    for person in dict.fromkeys(people):
        if person != work.actor.id:
            key = f"grid:{grid_id}:{deed}:{work.now.isoformat()}"
            work.tell(person, "grid.told", key=key, what=what, by=by)
    work.reply("grid.done", what=what)


def concerned(work: Work, *grids: int) -> list[int]:
    """Whoever answers for grids, or for what lies right above them."""
    found: list[int] = []
    for grid_id in grids:
        found += work.tree.keepers(grid_id)
        parent = work.tree.at(grid_id).parent_id
        above = someone_above(work, parent) if parent is not None else None
        found += [above] if above is not None else []
    return found
