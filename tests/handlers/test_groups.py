"""Groups of grids: who may bind which, codes that are good once, keys that lie sealed, packs."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlmodel import Session, col

from handlers.actor import CLOCK
from handlers.command import Done
from handlers.groups.binding import BindGroup, ChangeGroupOwner, UnbindGroup
from handlers.groups.finding import group_of_chat
from handlers.groups.forwarding import ChangePack, DeclinePack, Forwarded, RemindForwarders
from handlers.groups.saying import say_in_group
from handlers.refusal import Refusal
from models import Group, GroupPost, PostState
from tests.town import GROUP, Town, founded

KEY = "693a91f6-7a0c-4bc4-97a0-0ec21fa05aaa"
ROBOT = f"https://robots.example.cn/cgi-bin/webhook/send?key={KEY}"


def groups(town: Town) -> list[Group]:
    with Session(town.database.reader) as session:
        return list(session.execute(select(Group).order_by(col(Group.id))).scalars())


def post_of(town: Town) -> GroupPost:
    with Session(town.database.reader, expire_on_commit=False) as session:
        found: GroupPost = session.execute(select(GroupPost)).scalar_one()
        return found


def refused(outcome: Done | Refusal) -> str:
    return outcome.text if isinstance(outcome, Refusal) else "ok"


def code_for(town: Town, words: str) -> str:
    (told,) = town.say("community", f"绑定群 {words}")
    return told.partition("绑定码：")[2][:6]


def in_group(town: Town, who: str, words: str, chat: str = GROUP) -> None:
    town.send(town.inbound(who, words, chat=chat, group=True))


@pytest.mark.parametrize("seat", ["resident", "worker", "building_head", "leader"])
def test_whoever_may_not_appoint_may_not_bind(sqlite_url: str, seat: str) -> None:
    with founded("default", sqlite_url) as town:
        for command in (
            BindGroup(group=f"第一网格 工作群 {ROBOT}"),
            UnbindGroup(group="第一网格 工作群"),
            ChangeGroupOwner(group="第一网格 工作群 李强"),
        ):
            if seat in town.seats and seat != "resident":
                assert refused(town.do(command, seat)) == "refusal.not_allowed"
        town.say(seat, f"绑定群 第一网格 工作群 {ROBOT}")

        assert groups(town) == []


def test_a_grid_of_elsewhere_is_refused_as_one_may_not(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        with town.desk.reading(CLOCK) as reading:
            own = reading.tree.staff[
                next(p for p, name in town.people.items() if name == town.seats["community"])
            ]
            other = next(
                node.name
                for node in reading.tree.nodes.values()
                if not any(post.covers(node.path) for post in own.posts)
                and sum(n.name == node.name for n in reading.tree.nodes.values()) == 1
            )

        assert refused(town.do(BindGroup(group=f"{other} 工作群 微信群 甲"), "community")) in (
            "refusal.not_allowed",
            "group.which",
        )
        assert groups(town) == []


def test_a_code_is_good_once_and_for_ten_minutes(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        code = code_for(town, "第一网格 工作群")
        town.wait(minutes=10, seconds=1)
        in_group(town, "worker", f"绑定 {code}")
        assert groups(town) == []

        code = code_for(town, "第一网格 工作群")
        in_group(town, "worker", f"绑定 {code}")
        in_group(town, "worker", f"绑定 {code}", "另一个群")

        assert [(group.channel, group.chat) for group in groups(town)] == [("memory", GROUP)]


def test_one_chat_is_one_grids_and_one_grid_has_one_work_group(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        first, second = code_for(town, "第一网格 工作群"), code_for(town, "第二网格 工作群")
        again = code_for(town, "第一网格 工作群")
        in_group(town, "worker", f"绑定 {first}")
        in_group(town, "worker", f"绑定 {second}")
        in_group(town, "worker", f"绑定 {again}", "另一个群")

        assert len(groups(town)) == 1
        assert refused(town.do(BindGroup(group=f"第一网格 工作群 {ROBOT}"), "community")) == "group.taken"


def test_a_robots_key_lies_sealed_and_nowhere_else(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        (told,) = town.say("community", f"绑定群 第一网格 工作群 {ROBOT}")
        with Session(town.database.reader) as session:
            everything = [
                str(row)
                for table in ("inbox", "outbox", "conversation", "chat_group", "audit_line", "group_post")
                for row in session.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - names written here
            ]
        (group,) = groups(town)

        assert "企业微信群机器人" in told
        assert (group.channel, group.secret) == ("wecom_robot", KEY)
        assert [row for row in everything if KEY in row] == []


def handed(town: Town) -> GroupPost:
    """Something was prepared by the community for an ordinary group that the worker looks after."""
    town.say("community", "绑定群 第一网格 服务群 微信群 幸福小区业主群")
    with town.desk.work(CLOCK) as work:
        group = work.session.execute(select(Group)).scalar_one()
        people = {name: person for person, name in town.people.items()}
        group.owner_id = people[town.seats["worker"]]
        work.session.add(group)
        work.session.flush()
        post = say_in_group(work, group, "group.hello", key="n1", cause="notice:1")
        post.prepared_by = people[town.seats["community"]]
        work.session.add(post)
    town.now += timedelta(minutes=5)  # a full hour is nobody's to speak at (bot/gate.py)
    town.run(town.settle())
    return post_of(town)


def test_the_pack_comes_ready_to_be_copied_with_the_groups_link(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        post = handed(town)
        where, pack = town.news("worker")
        token = groups(town)[0].token

        assert "幸福小区业主群" in where
        assert pack.splitlines()[0] == "大家好，我是小格，以后这里的通知由我来发。"
        assert pack.splitlines()[1] == f"http://pages.example/g/{token}/{post.id}"


def test_it_is_changed_and_then_forwarded_once(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        post = handed(town)
        town.press("worker", "改一改")
        (_, pack) = town.say("worker", "明天八点停水，请提前储水。")[-2:]
        assert pack.startswith("明天八点停水，请提前储水。")
        town.say("worker", "已转发")

        assert post_of(town).state is PostState.SENT
        assert refused(town.do(Forwarded(post=post.id or 0), "worker")) == "group.nothing_to_forward"


def test_nobodys_number_comes_in_by_a_change(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        post = handed(town)
        outcome = town.do(ChangePack(post=post.id or 0, words="请打13800000001找王芳"), "worker")

        assert refused(outcome) == "group.personal"
        assert post_of(town).words is None


def test_whoever_prepared_it_hears_that_it_is_unfit(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        post = handed(town)
        town.news("community")
        town.do(DeclinePack(post=post.id or 0, why="群里昨天刚吵过"), "worker")
        town.run(town.settle())

        assert post_of(town).state is PostState.DECLINED
        assert ["群里昨天刚吵过" in told for told in town.news("community")] == [True]
        assert refused(town.do(Forwarded(), "community")) == "group.nothing_to_forward"


def test_one_reminder_by_day_and_after_two_days_no_more(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        handed(town)
        town.news("worker")

        def reminded() -> list[str]:
            town.do(RemindForwarders())
            town.run(town.settle())
            return [told for told in town.news("worker") if "还没有回音" in told]

        town.now += timedelta(hours=1, minutes=54)
        assert reminded() == []
        town.now += timedelta(hours=12)  # it is night
        assert reminded() == []
        town.now += timedelta(hours=10)
        assert len(reminded()) == 1
        assert reminded() == []
        town.now += timedelta(days=2)
        assert reminded() == []
        assert post_of(town).state is PostState.FAILED
        assert any("不再等了" in told for told in town.news("community"))


def test_what_is_said_in_a_bound_group_is_about_its_grid(sqlite_url: str) -> None:
    with founded("default", sqlite_url) as town:
        code = code_for(town, "第二网格 服务群")
        in_group(town, "worker", f"绑定 {code}")
        in_group(town, "路人甲", "楼下路灯坏了")
        with town.desk.reading(CLOCK) as reading:
            bound = group_of_chat(reading.session, "memory", GROUP)

        assert bound is not None
        assert town.latest().grid_id == bound.grid_id
