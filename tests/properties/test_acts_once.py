"""I5: a message acts once, however often the channel brings it, at once, later, or after a restart."""

from contextlib import ExitStack
from pathlib import Path
from random import Random
from shutil import copy
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from bot.message import Inbound
from handlers.work import EVENTS, MAIL
from models import Incident
from tests.town import Town, founded

MESSAGES = 160
WORKERS = ("worker", "worker2", "community", "town", "unit")
RESIDENTS = ("resident", "neighbour", "唐悦", "过路人")
REPORTS = (
    "3栋楼下路灯坏了",
    "5栋门口垃圾没人清",
    "3栋楼上天天打麻将吵得睡不着",
    "3栋2单元着火了",
    "路上有个大坑",
)
WORK = (
    "接单",
    "接单 {n}",
    "办结 {n} 已处理",
    "退回 {n} 不归我",
    "转派 {n} 给 周丽",
    "延期 {n} 3天 等配件",
    "挂账 {n} 5天 等天晴",
    "同意 {n}",
    "不同意 {n}",
    "加派 {n} 给 周丽 帮忙",
    "督办 {n} 快点",
    "作废 {n} 误报",
    "到场 {n}",
    "待办",
    "1",
    "2",
    "自办 3栋杂物已清走",
    "撤回",
    "清零",
)
WORDS = (
    "已解决",
    "未解决 {n}",
    "催办 {n}",
    "撤回",
    "撤回 {n}",
    "满意",
    "不满意 {n}",
    "进度",
    "查 {n}",
    "1",
    "3",
    "改",
)
INCIDENTS = Incident.__table__  # type: ignore[attr-defined]


def story(seed: int) -> list[tuple[str, str]]:
    """Who says what, one after another."""
    random = Random(seed)
    said: list[tuple[str, str]] = []
    for _ in range(MESSAGES):
        roll = random.random()
        if roll < 0.2:
            said.append((random.choice(RESIDENTS), random.choice(REPORTS)))
        elif roll < 0.75:
            said.append((random.choice(WORKERS), random.choice(WORK)))
        else:
            said.append((random.choice(RESIDENTS), random.choice(WORDS)))
    return [(who, words.replace("{n}", str(random.randint(1001, 1008)))) for who, words in said]


def tell(town: Town, said: list[tuple[str, str]], random: Random | None) -> None:
    """Say everything; with `random`, each comes one to three times, some long after or after a restart."""
    late: list[Inbound] = []
    for turn, (who, words) in enumerate(said):
        inbound = town.inbound(who, words)
        town.send(inbound, *[inbound] * (random.randint(0, 2) if random else 0))
        if random:
            late.append(inbound)
            if random.random() < 0.2:
                town.send(*random.sample(late, min(len(late), 4)))
            if random.random() < 0.03:
                town.restart()
                town.send(*late[-3:])
        if turn % 10 == 9:
            town.wait(minutes=50)


def kept(town: Town) -> dict[str, list[Any]]:
    """Everything a town has written down about cases, but for where its letters were on the way."""
    with Session(town.database.reader) as session:
        events = (
            EVENTS.c.incident_id,
            EVENTS.c.at,
            EVENTS.c.move,
            EVENTS.c.after,
            EVENTS.c.actor_id,
            EVENTS.c.data,
        )
        letters = MAIL.c.person_id, MAIL.c.text, MAIL.c.args, MAIL.c.words
        return {
            "cases": [tuple(row) for row in session.execute(select(INCIDENTS).order_by(INCIDENTS.c.id))],
            "events": [tuple(row) for row in session.execute(select(*events).order_by(EVENTS.c.id))],
            "letters": [tuple(row) for row in session.execute(select(*letters).order_by(MAIL.c.id))],
        }


def test_what_comes_often_acts_once(sqlite_template: Path, tmp_path: Path) -> None:
    said = story(5)
    with ExitStack() as towns:
        once, often = (
            towns.enter_context(founded("default", f"sqlite:///{copy(sqlite_template, tmp_path / name)}"))
            for name in ("once.db", "often.db")
        )
        tell(once, said, None)
        tell(often, said, Random(6))
        found, wanted = kept(often), kept(once)

    assert len(wanted["cases"]) > 10
    assert len(wanted["events"]) > 100
    for what, rows in wanted.items():
        assert found[what] == rows, what
