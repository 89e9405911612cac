"""In a chat: nothing of residents where others read it, no sealed value left lying, reports stay reports."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, select, table, text

from tests.residents.test_marking import NUMBER, with_all_on
from tests.town import Town, founded

PHONE = "13800009999"


@pytest.fixture
def town(sqlite_url: str) -> Iterator[Town]:
    """A town that keeps everything, with somebody behind a door."""
    with founded("default", sqlite_url) as town:
        town.book = with_all_on(town.book)
        town.restart()
        town.say("worker", f"登记住户 3栋501 张三 {PHONE}")
        yield town


def everything(town: Town) -> str:
    """All that lies in the database, as one text."""
    with town.database.reader.connect() as connection:
        return "\n".join(
            str(row)
            for name in inspect(connection).get_table_names()
            for row in connection.execute(select(text("*")).select_from(table(name)))
        )


@pytest.mark.parametrize(
    "words",
    [
        *("查户 3栋501", "看电话 张三", "登记住户 3栋502 李四", "张三搬走了", "张三搬到4栋502", "去世 张三"),
        *(
            "标注 张三 独居",
            "取消标注 张三 独居",
            "更正 张三 电话 13900001111",
            "名单 独居",
            "查重",
            "撤销合并",
        ),
    ],
)
def test_in_a_group_one_is_asked_to_do_it_in_private(town: Town, words: str) -> None:
    before = everything(town)
    town.send(town.inbound("worker", words, chat="楼友群", group=True))

    told = [part for message in town.channel.sent["楼友群", town.name("worker")] for part in message.parts]
    assert not any("张三" in part or "3栋501" in part for part in told)
    assert before.count("'张三'") == everything(town).count("'张三'")


def test_a_phone_and_an_id_number_lie_nowhere_open(town: Town) -> None:
    town.say("worker", f"标注 张三 身份证 {NUMBER}")
    town.press("worker", "本人同意了")
    town.say("worker", "标注 张三 健康情况 高血压")
    town.press("worker", "本人同意了")

    kept = everything(town)
    assert PHONE not in kept
    assert NUMBER not in kept
    assert "高血压" not in kept
    assert any("身份证号已登记" in told for told in town.say("worker", "查户 3栋501"))
    assert any("高血压" in told for told in town.say("worker", "看电话 张三 健康情况"))


@pytest.mark.parametrize(
    "words",
    ["张三搬走了一车垃圾扔在3栋门口没人管", "3栋501有人搬走以后垃圾堆在楼道", "搬走的人把家具扔在3栋楼下了"],
)
@pytest.mark.parametrize("who", ["resident", "worker"])
def test_what_only_sounds_like_a_move_is_a_report(town: Town, who: str, words: str) -> None:
    town.say(who, words)

    assert town.latest().what == words
    assert any("登记1人" in told for told in town.say("worker", "查户 3栋501"))


def test_a_name_that_sounds_alike_is_asked_about(town: Town) -> None:
    told = town.say("worker", "去世 章三")
    assert any("确定吗" in one for one in told)
    told = town.press("worker", "确定")
    assert any("没有登记“章三”，您说的是哪一位" in one for one in told)


def test_two_of_a_name_are_told_apart_by_their_doors(town: Town) -> None:
    town.say("worker", "登记住户 6栋601 张三 13700001111")
    told = town.say("worker", "张三搬走了")
    assert any("有几位“张三”" in one for one in told)
    told = town.press("worker", "张三 第一网格6栋601")
    assert any("张三从第一网格6栋601搬走" in one for one in told)
    assert any("6栋601" not in one for one in town.say("worker", "查户 张三"))


def test_what_is_said_twice_is_done_once(town: Town) -> None:
    again = town.inbound("worker", "登记住户 7栋701 李四")
    town.send(again)
    town.send(again)

    assert any("登记1人" in told for told in town.say("worker", "查户 7栋701"))


def test_nothing_that_is_sealed_lies_open_among_the_choices(town: Town) -> None:
    town.say("worker", "登记住户 6栋601 张三 13700001111")
    town.say("worker", "登记住户 8栋801 张三 13700001111")
    town.press("worker", "另有其人")
    town.say("worker", f"标注 张三 身份证 {NUMBER}")
    town.say("worker", "更正住户 张三 电话 13911112222")

    kept = everything(town)
    assert not any(number in kept for number in (NUMBER, "13911112222", "13700001111"))
    town.press("worker", "张三 第一网格6栋601")
    assert any("139****2222" in told for told in town.say("worker", "查户 6栋601"))
    assert any("137****1111" in told for told in town.say("worker", "查户 8栋801"))
