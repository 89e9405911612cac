"""What is said in a bound group gets there by its delivery, once, and keeps what became of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.channel import Handed, Outcome, Refused, Sent
from handlers.actor import CLOCK
from handlers.groups.finding import group_of_chat, groups_below
from handlers.groups.forwarding import Forwarded, forwarded
from handlers.groups.saying import say_in_group
from handlers.refusal import Refusal
from handlers.work import Work
from models import Delivery, Group, GroupPost, Outbox, PostState, Purpose
from tests.town import Town, founded

PHONE = "13900000001"


def bound(work: Work, delivery: Delivery = Delivery.APP_CHAT, owner: int | None = None) -> Group:
    relayed = delivery is Delivery.RELAY
    group = Group(
        grid_id=work.tree.root.id,
        purpose=Purpose.SERVICE,
        delivery=delivery,
        name="业主群",
        channel=None if relayed else "memory",
        chat=None if relayed else "g",
        owner_id=owner,
        token="t",
        since=work.now,
    )
    work.session.add(group)
    work.session.flush()
    return group


def posts(town: Town) -> list[GroupPost]:
    with Session(town.database.reader) as session:
        return list(session.execute(select(GroupPost)).scalars())


@pytest.mark.parametrize(
    ("outcome", "state", "handed"),
    [
        (Sent("m1"), PostState.SENT, None),
        (Handed("m2"), PostState.WAITING_OWNER, "m2"),
        (Refused("too long"), PostState.FAILED, None),
    ],
)
def test_a_post_follows_its_letter(
    sqlite_url: str, outcome: Outcome, state: PostState, handed: str | None
) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.work(CLOCK) as work:
            say_in_group(work, bound(work), "group.private", key="n1", cause="notice:1")
        town.channel.script([outcome])
        town.now += timedelta(minutes=1)  # a full hour is nobody's to speak at (bot/gate.py)
        town.run(town.settle())

        assert [(post.state, post.handed) for post in posts(town)] == [(state, handed)]


def test_the_same_happening_is_said_once(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        for _ in range(2):
            with town.desk.work(CLOCK) as work:
                group = group_of_chat(work.session, "memory", "g") or bound(work)
                say_in_group(work, group, "group.private", key="n1", cause="notice:1")
        with Session(town.database.reader) as session:
            letters = session.execute(select(Outbox).where(col(Outbox.group_id).is_not(None))).scalars().all()

        assert len(posts(town)) == len(letters) == 1


def test_nobodys_number_is_prepared_for_a_group(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.work(CLOCK) as work, pytest.raises(Refusal):
            say_in_group(work, bound(work), "group.private", key="n", cause="c", rows=[{"x": PHONE}])

        assert posts(town) == []


def test_what_only_people_may_say_there_is_handed_to_the_keeper(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.work(CLOCK) as work:
            say_in_group(work, bound(work, Delivery.RELAY), "group.private", key="n", cause="c")
            keeper = work.tree.keepers(work.tree.root.id)[0]
        with Session(town.database.reader) as session:
            query = select(Outbox).where(col(Outbox.cause) == "c").order_by(col(Outbox.id))
            letters = session.execute(query).scalars().all()

        assert [(letter.text, letter.person_id) for letter in letters] == [
            ("group.forward", keeper),
            ("group.pack", keeper),
        ]
        assert [post.state for post in posts(town)] == [PostState.WAITING_OWNER]


def test_the_clock_sees_the_groups_of_a_purpose(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town, town.desk.work(CLOCK) as work:
        group = bound(work)

        assert groups_below(work, work.tree.root.id, Purpose.SERVICE) == [group]
        assert groups_below(work, work.tree.root.id, Purpose.WORK) == []


def test_whoever_was_handed_the_words_says_once_that_they_are_there(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.work(CLOCK) as work:
            say_in_group(work, bound(work, Delivery.RELAY), "group.private", key="n", cause="c")
            tree = work.tree
        keeper = tree.staff[tree.keepers(tree.root.id)[0]]
        other = next(actor for person, actor in tree.staff.items() if person != keeper.id)
        with town.desk.work(other) as work, pytest.raises(Refusal):
            forwarded(work, Forwarded())
        with town.desk.work(keeper) as work:
            forwarded(work, Forwarded())
        with town.desk.work(keeper) as work, pytest.raises(Refusal):
            forwarded(work, Forwarded())

        assert [post.state for post in posts(town)] == [PostState.SENT]
