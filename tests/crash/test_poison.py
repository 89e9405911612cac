"""A message that breaks whatever reads it: it hurts itself alone, and its sender is told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlmodel import Session, col

from bot.lane import WAITS
from handlers.command import HANDLERS, Done
from handlers.reporting import Report
from handlers.work import Work
from models import Conversation, Inbox, InboxState
from tests.town import Town, founded

POISON = "毒"
SORRY = "刚才那条消息没能处理好"


@pytest.fixture
def town(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A town in which reports with a certain word break."""
    handlers: dict[Any, Any] = HANDLERS
    report = handlers[Report]

    def fragile(work: Work, command: Report) -> Done:
        done: Done = report(work, command)
        if POISON in command.what:
            break_by(work, command.what)
        return done

    monkeypatch.setitem(handlers, Report, fragile)
    with founded("default", migrated_url) as one:
        yield one


def break_by(work: Work, words: str) -> None:
    """Fail after everything was written: as a bug does, or in the database itself."""
    if "库" in words:
        work.session.execute(text("SELECT no_such_column FROM incident"))
    raise RuntimeError("a bug")


def letters(town: Town) -> dict[str, tuple[InboxState, int]]:
    """Message -> what became of it, and after how many tries."""
    with Session(town.database.reader) as session:
        rows = session.execute(select(col(Inbox.message_id), col(Inbox.state), col(Inbox.tries)))
        return {row.message_id: (row.state, row.tries) for row in rows}


def a_report(town: Town, who: str, words: str) -> str:
    """A sentence that is filed in one turn."""
    return f"幸福社区第一网格2栋的路灯坏了,{words}"


@contextmanager
def resting(town: Town, *waits: float) -> Iterator[None]:
    """The town's lane waits before each new try."""
    usual, town.waits = town.waits, waits
    town.restart()
    yield
    town.waits = usual
    town.restart()
    asyncio.run(town.settle())


def test_its_tries_are_spaced() -> None:
    assert WAITS == (1.0, 5.0)


def test_it_is_tried_again_only_after_each_wait(town: Town) -> None:
    bad = town.inbound("王芳", a_report(town, "王芳", "毒"))
    with resting(town, 0.1, 0.2):
        began = monotonic()
        town.send(bad)
        took = monotonic() - began

    assert letters(town) == {bad.message_id: (InboxState.DEAD, 3)}
    assert took >= 0.3
    assert len(town.news("王芳")) == 1


def test_nobody_else_waits_while_it_rests(town: Town) -> None:
    bad = town.inbound("王芳", a_report(town, "王芳", "毒"))
    behind = town.inbound("王芳", a_report(town, "王芳", "没人修"))
    other = town.inbound("居民一", a_report(town, "居民一", "没人修"))

    async def one_after_another() -> None:
        for inbound in (bad, behind, other):
            await town.lane.accept([inbound])
        while town.lane.waiting > 1:
            await town.lane.run(lambda _: None)
        town.lane.sweep()
        await town.lane.run(lambda _: None)
        await town.lane.run(lambda _: None)

    with resting(town, 3600):
        asyncio.run(one_after_another())
        meanwhile = letters(town)
    after = letters(town)

    assert meanwhile == {
        bad.message_id: (InboxState.WAITING, 1),
        behind.message_id: (InboxState.WAITING, 0),
        other.message_id: (InboxState.DONE, 0),
    }
    assert after[bad.message_id] == (InboxState.DEAD, 3)
    assert after[behind.message_id] == (InboxState.DONE, 0)
    assert [said.startswith(SORRY) for said in town.news("王芳")] == [True, False]


@pytest.mark.parametrize("words", ["毒", "毒在库里"])
def test_it_becomes_a_dead_letter_and_its_sender_is_told(town: Town, words: str) -> None:
    bad = town.inbound("王芳", a_report(town, "王芳", words))
    town.send(bad)

    assert letters(town) == {bad.message_id: (InboxState.DEAD, 3)}
    assert [said.startswith(SORRY) for said in town.news("王芳")] == [True]
    assert town.count() == 0


def test_neighbours_of_the_same_commit_are_not_hurt(town: Town) -> None:
    good = [town.inbound(f"居民{n}", a_report(town, f"居民{n}", "没人修")) for n in range(6)]
    bad = [town.inbound(f"怪人{n}", a_report(town, f"怪人{n}", "毒在库里" if n else "毒")) for n in range(2)]
    town.send(*good[:3], bad[0], *good[3:], bad[1])

    assert {name: state for name, (state, _) in letters(town).items()} == {
        **{one.message_id: InboxState.DONE for one in good},
        **{one.message_id: InboxState.DEAD for one in bad},
    }
    assert town.count() == len(good)
    assert all(len(town.news(f"居民{n}")) == 1 for n in range(6))


def test_the_next_message_of_the_same_chat_is_answered(town: Town) -> None:
    first = town.inbound("王芳", a_report(town, "王芳", "毒"))
    second = town.inbound("王芳", a_report(town, "王芳", "没人修"))
    third = town.inbound("王芳", "进度")
    town.send(first, second, third)
    told = town.news("王芳")

    assert [state for state, _ in letters(town).values()] == [
        InboxState.DEAD,
        InboxState.DONE,
        InboxState.DONE,
    ]
    assert town.count() == 1
    assert told[0].startswith(SORRY)
    assert len(told) == 3


def test_what_is_no_message_at_all_does_not_stop_the_lane(town: Town) -> None:
    now = town.now
    with town.desk.session() as session:
        session.execute(
            insert(Inbox),
            {
                "channel": "memory",
                "message_id": "bent",
                "chat_key": "memory|王芳|王芳",
                "body": {"chat": "王芳", "handle": "王芳", "text": {"not": "a text"}},
                "received_at": now,
                "state": InboxState.WAITING,
                "tries": 0,
            },
        )
        session.execute(
            insert(Conversation),
            {
                "chat_key": "memory|王芳|王芳",
                "channel": "memory",
                "chat": "王芳",
                "handle": "王芳",
                "state": {},
                "half_done": False,
                "prompt_mail": 0,
                "touched_at": now,
            },
        )
    town.lane.sweep()
    asyncio.run(town.settle())
    after = town.say("王芳", a_report(town, "王芳", "没人修"))

    assert letters(town)["bent"] == (InboxState.DEAD, 3)
    assert after[0].startswith(SORRY)
    assert town.count() == 1


def test_a_poisoned_talk_is_not_changed_by_what_was_undone(town: Town) -> None:
    asked = town.say("外来的老周", "路灯不亮了,晚上走路看不见")
    town.say("外来的老周", "毒" * 3)
    resumed = town.say("外来的老周", "幸福社区第一网格2栋")

    assert len(asked) == 1
    assert town.count() == 1
    assert "已登记" in resumed[0]
