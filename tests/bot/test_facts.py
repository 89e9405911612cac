"""Several facts in one sentence: nothing is lost, and nobody is asked without need."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from bot.message import Attachment
from models import Attachment as Row
from models import Incident
from tests.town import BUTTONS, Town, founded

THREE = "3栋路灯坏了,5栋下水道堵了,还有人在楼道堆杂物"
PHOTO = Attachment(kind="photo", key="memory:photo")


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    with founded("default", sqlite_url, can=BUTTONS) as town:
        yield town


def cases(town: Town) -> list[str]:
    """The words of all cases, oldest first."""
    with Session(town.database.reader) as session:
        return list(session.execute(select(col(Incident.what)).order_by(col(Incident.id))).scalars())


def asks(town: Town, words: str) -> bool:
    """Whether a resident is asked to part what they said."""
    return any("要分开登记吗" in told for told in town.say("resident", words))


def test_the_first_case_keeps_every_word_and_the_others_their_own(town: Town) -> None:
    town.say("resident", THREE, attachments=[PHOTO])
    town.press("resident", "分开登记")

    assert cases(town) == [
        "3栋路灯坏了，5栋下水道堵了，还有人在楼道堆杂物",
        "5栋下水道堵了",
        "还有人在楼道堆杂物",
    ]
    with Session(town.database.reader) as session:
        keys = session.execute(select(col(Row.incident_id), col(Row.key)).order_by(col(Row.id))).all()
    assert [key for _, key in keys] == [PHOTO.key] * 3
    assert len({case for case, _ in keys}) == 3


def test_pressed_twice_it_files_once(town: Town) -> None:
    town.say("resident", THREE)
    town.press("resident", "分开登记")
    (told,) = town.press("resident", "分开登记")

    assert told.startswith("这个选项已经过时了")
    assert town.count() == 3


@pytest.mark.parametrize(
    "words",
    [
        "3栋路灯坏了，晚上看不见，小孩都不敢走",
        "3栋和5栋的路灯都坏了，没人来修",
        "3栋路灯坏了，5栋路灯也坏了",
        "3栋门口路灯坏了，旁边垃圾也没人清",
        "3栋着火了，5栋下水道堵了",
        "路灯坏了，下水道也堵了",
    ],
)
def test_one_place_one_kind_or_danger_is_one_case(town: Town, words: str) -> None:
    assert not asks(town, words)


def test_a_group_is_not_asked(town: Town) -> None:
    town.say("resident", THREE, group=True, chat="服务群")

    told = [part for message in town.channel.sent["服务群", town.name("resident")] for part in message.parts]
    assert not any("分开" in part for part in told)
