"""Numbers in groups: none is kept, none is said, whatever the words and whatever the book says."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from bot.channel import Channel, Gone
from bot.channels.memory import MemoryChannel
from bot.message import Inbound
from bot.outbox import claim
from bot.shielding import for_group, shielded
from handbook import Book
from handbook.personal import find_personal
from handlers.work import Desk, Return
from models import Account, Conversation, Inbox, Outbox, Person
from models.database import open_database
from tests.town import BUTTONS, START, Town, book_of, founded

PHONES = [
    "13800005678",
    "138 0000 5678",
    "１３８００００５６７８",
    "一三八〇〇〇〇五六七八",
    "1-3-8-0-0-0-0-5-6-7-8",
]
NUMBERS = [*PHONES, "11010519491231002X", "6222021234567890128", "闽A12345", "京·AD12345", "0591-22345678"]
WORDS = ["路灯坏了", "找张三", " ", "，", "电话", "卡号", "3栋501", "110", "12345", "120", "1001", "。"]
texts = st.lists(st.sampled_from([*NUMBERS, *WORDS]) | st.text(max_size=6), max_size=8).map("".join)
BOOK = book_of("default")


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url) as one:
        yield one


# ---- what comes in -------------------------------------------------------------------------------------


def message(text: str, **more: object) -> Inbound:
    fields = {"channel": "memory", "message_id": "1", "chat": "g", "handle": "h", "group": True}
    return Inbound.model_validate({**fields, "text": text, **more})


@given(text=texts, name=texts)
@settings(max_examples=150, deadline=None)
def test_no_number_is_kept_of_a_group(text: str, name: str) -> None:
    kept = shielded(message(text, sender_name=name, place={"lat": 1, "lon": 1, "words": text}))

    assert kept is not None
    assert not find_personal(kept.text)
    assert not find_personal(kept.sender_name)
    assert kept.place is not None
    assert not find_personal(kept.place.words)
    assert bool(kept.personal) == bool(find_personal(text))


@pytest.mark.parametrize("number", NUMBERS)
def test_every_kind_is_seen_however_it_is_written(number: str) -> None:
    kept = shielded(message(f"我的是{number}。", addressed=False))

    assert kept is not None
    assert len(kept.personal) == 1
    assert number not in kept.text


def test_a_private_chat_is_left_alone_and_chatter_is_not_ours() -> None:
    private = message("13800005678", group=False)

    assert shielded(private) == private
    assert shielded(message("今天天气真好", addressed=False)) is None
    assert shielded(message("打12345，或者110", addressed=False)) is None
    assert shielded(message("路灯坏了")) == message("路灯坏了")


def test_a_file_name_tells_nothing_either() -> None:
    file = {"kind": "file", "key": "memory:1", "name": "13800005678.jpg"}
    kept = shielded(message("", attachments=[file]))

    assert kept is not None
    assert "13800005678" not in kept.attachments[0].name
    assert kept.personal == ("phone",)


def chat(town: Town, who: str, text: str, **more: object) -> list[str]:
    """Somebody writes into the group. Returns what is said in it."""
    before = len(town.messages("群"))
    town.send(town.inbound(who, text, chat="群", group=True, **more))
    return ["\n".join(mail.parts) for mail in town.messages("群")[before:]]


def test_neither_inbox_nor_talk_nor_case_holds_the_number(town: Town) -> None:
    for text in ("第一网格3栋路灯坏了，打13800005678", "第一网格3栋楼下路灯坏了，找一三八〇〇〇〇五六七八"):
        chat(town, "resident", text)
    with Session(town.database.reader) as session:
        bodies = [str(body) for body in session.execute(select(col(Inbox.body))).scalars()]
        talks = [str(state) for state in session.execute(select(col(Conversation.state))).scalars()]
        mails = [str(row) for row in session.execute(select(col(Outbox.args), col(Outbox.words)))]

    assert town.count() == 2
    for text in (*bodies, *talks, *mails):
        assert "13800005678" not in text
        assert "〇〇〇〇五六七八" not in text


def test_a_stranger_who_only_spoke_to_the_group_is_not_entered(town: Town) -> None:
    said = chat(town, "生人", "我的电话13800005678", addressed=False)
    with Session(town.database.reader) as session:
        known = session.execute(select(Account).where(col(Account.handle) == "生人")).first()

    assert len(said) == 1
    assert "个人信息" in said[0]
    assert "生人" not in said[0]
    assert known is None


def test_whoever_has_blocked_the_bot_is_not_written_to(town: Town) -> None:
    town.say("resident", "你好")
    town.channel.script([Gone("blocked")])
    chat(town, "resident", "我的电话13800005678", addressed=False)
    town.now = START.replace(hour=START.hour + 1)

    assert "个人信息" in chat(town, "resident", "我的电话13800005678", addressed=False)[0]


def test_two_groups_are_reminded_each_for_itself(migrated_url: str) -> None:
    with founded("default", migrated_url) as town:
        first = chat(town, "生人", "13800005678", addressed=False)
        again = chat(town, "别人", "13800005678", addressed=False)
        town.send(town.inbound("生人", "13800005678", chat="另一个群", group=True, addressed=False))

        assert (len(first), len(again)) == (1, 0)
        assert len(town.channel.sent["另一个群", "生人"]) == 1


# ---- what goes out -------------------------------------------------------------------------------------


@given(text=texts)
@settings(max_examples=150, deadline=None)
def test_nothing_is_left_that_the_detector_finds(text: str) -> None:
    assert not find_personal(for_group(BOOK, text))


def test_what_is_for_everybody_stays() -> None:
    place = BOOK.place.model_copy(update={"public_phones": ("0591-22345678", "13800000110")})
    book = Book("x", BOOK.data.model_copy(update={"place": place}), "")
    words = "急事打110、12345，值班电话0591-22345678、138 0000 0110，我的13800005678"

    assert for_group(book, words) == words.replace("13800005678", "138****5678")
    assert for_group(BOOK, "0591-22345678") != "0591-22345678"


class Group:
    """A database from which letters to a group are claimed."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        self.desk = Desk(self.database, BOOK, lambda: START)
        self.channels: dict[str, Channel] = {"memory": MemoryChannel("memory", BUTTONS)}
        self.sent = 0

    def said(self, key: str, args: dict[str, Any], label: str) -> str:
        """What a letter of this text would say in a group, with all that stands beside it."""
        self.sent += 1
        with self.desk.work(
            channel="memory", message_id=f"{self.sent}", back=Return("memory", "g", "h", group=True)
        ) as work:
            work.reply(key, choices=[{"label": label, "do": "menu"}], **args)
        with self.desk.session() as session:
            (letter,) = claim(session, BOOK, self.channels, START)
            session.execute(Outbox.__table__.delete())  # type: ignore[attr-defined]
        return "\n".join([*letter.message.parts, *(words for words, _ in letter.message.buttons)])


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_letter_to_a_group_ever_holds_a_number(sqlite_url: str, data: st.DataObject) -> None:
    """Whatever text of the book, with whatever in it."""
    group = Group(sqlite_url)
    with closing(group.database):
        key = data.draw(st.sampled_from(sorted(BOOK.texts)))
        args = {
            name: data.draw(texts) for name in ("what", "title", "name", "phone", "place", "owner", "who")
        }
        said = group.said(key, dict(args), data.draw(texts))

    assert not find_personal(said)


def test_a_private_letter_keeps_its_numbers(town: Town) -> None:
    told = asyncio.run(_private(town))

    assert any(find_personal(line) for line in told)


async def _private(town: Town) -> list[str]:
    def job(session: object) -> None:
        work = town.desk.work_in(session)  # type: ignore[arg-type]
        person = work.session.execute(select(Person).where(col(Person.name) == "王芳")).scalar_one()
        work.tell(person.id or 0, "menu.hello", key="k", name="13800005678", place="x")
        work.flush()

    await town.lane.run(job)
    await town.settle()
    return town.news("王芳")
