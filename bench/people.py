"""Settles people in a place's example town: residents with a home and an account, and what they write."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlmodel import Session, col

from handlers.founding import found_town
from handlers.tree import Tree
from handlers.work import Desk
from models import Account, Person

CHANNEL = "memory"
PLACE = "minhou"
WORDS = (
    "{home}楼下路灯坏了",
    "{home}2单元电梯坏了两天了",
    "{home}门口垃圾没人清",
    "{home}旁边下水道堵了，污水都冒出来了",
    "{home}楼道里堆满了杂物",
    "{home}有人半夜放音乐，吵得睡不着",
    "{home}前面的路上有个大坑",
    "{home}楼上水管漏水，流到我家了",
    "{home}后面有人乱停车，堵住消防通道",
    "{home}井盖松了，走上去会晃",
    "{home}的树枝断了压在电线上",
    "楼下的健身器材坏了，小孩容易划到手",
    "{home}对面饭店油烟很大",
    "{home}路边有一堆建筑垃圾",
    "{home}三单元的门禁坏了，谁都能进",
    "{home}天天有狗不拴绳",
    "{home}公共厕所没水",
    "{home}楼顶有人种菜，雨天漏水",
    "{home}自来水发黄",
    "{home}有人燃气泄漏，闻到很重的煤气味",
)
"""What people really write: a kind of trouble and where; one in twenty leaves the house out."""


@dataclass(frozen=True)
class Resident:
    """Somebody who may write, and the name of the house they live in."""

    person_id: int
    handle: str
    home: str


def settle(desk: Desk, count: int) -> list[Resident]:
    """Found the town and let residents move in, evenly over its houses. The database must be empty."""
    with desk.work(channel="api", message_id="bench") as work:
        found_town(work, channel=CHANNEL)
    with desk.session() as session:
        houses = _houses(desk.tree(session))
        first = (session.execute(select(func.max(col(Person.id)))).scalar() or 0) + 1
        people = [
            {"id": first + i, "name": f"居民{i}", "home_grid_id": houses[i % len(houses)][0]}
            for i in range(count)
        ]
        _move_in(session, desk, people)
        return [Resident(first + i, f"u{i}", houses[i % len(houses)][1]) for i in range(count)]


def _houses(tree: Tree) -> list[tuple[int, str]]:
    """Houses of grids that somebody looks after: a report from there is given to a worker."""
    return [
        (node.id, node.name)
        for node in tree.nodes.values()
        if not tree.children.get(node.id) and node.parent_id is not None and tree.keepers(node.parent_id)
    ]


def _move_in(session: Session, desk: Desk, people: list[dict[str, object]]) -> None:
    accounts = [
        {
            "channel": CHANNEL,
            "handle": f"u{i}",
            "chat": f"u{i}",
            "person_id": person["id"],
            "used_at": desk.now(),
            "gone": False,
        }
        for i, person in enumerate(people)
    ]
    session.execute(insert(Person.__table__), people)  # type: ignore[attr-defined]
    session.execute(insert(Account.__table__), accounts)  # type: ignore[attr-defined]
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.setval("person_id_seq", people[-1]["id"])))


def reports(residents: list[Resident]) -> Iterator[tuple[str, Resident, str]]:
    """Message ids, senders and sentences without end; nobody writes again before all others have."""
    number = 0
    while True:
        for resident in residents:
            words = WORDS[(number + number // len(residents)) % len(WORDS)]
            yield f"m{number}", resident, words.format(home=resident.home)
            number += 1
