"""What residents' words after a report come to."""

import pytest

from bot.spoken import corrected, followed, mended, needless, person_asked, policy_question, small, verdict
from handbook.naming import is_called
from handbook.words import plain

VERDICTS = {
    "no": ["没", "没有", "不是", "没有啊", "不行"],
    "unsolved": [
        "骗人",
        "弄个屁",
        "弄好个屁 还是臭",
        "没人来过啊",
        "还是不亮",
        "根本没修",
        "又堵了",
        "水龙头还在漏",
    ],
    "partly": ["还差一点", "好了一点", "亮是亮了但是太暗", "一般", "修了一半", "通了不过有点慢"],
    "displeased": ["不满意", "太差了", "不怎么满意"],
    "later": ["不知道 我不在家", "还没去看", "我在外地", "晚点回去看"],
    "solved": [
        "嗯",
        "嗯 亮了",
        "ok",
        "可以",
        "好",
        "是的",
        "通了 谢谢",
        "👍",
        "不漏了",
        "没问题了",
        "搞好了",
    ],
    "satisfied": ["搞好了 满意", "修好了,很满意", "亮了 五星好评"],
}


@pytest.mark.parametrize(("said", "words"), [(k, w) for k, words in VERDICTS.items() for w in words])
def test_answers_to_the_question_are_told_apart(said: str, words: str) -> None:
    assert verdict(plain(words)) == said


@pytest.mark.parametrize("words", ["修好了吗", "什么时候来修", "你们几点下班", "我想问个事"])
def test_a_question_is_no_answer(words: str) -> None:
    assert verdict(plain(words)) is None


@pytest.mark.parametrize(
    ("words", "right", "wrong"),
    [
        ("不对，是6栋门口", "6栋门口", ""),
        ("错了,是6栋", "6栋", ""),
        ("写错了 5栋2单元", "5栋2单元", ""),
        ("也不是电梯 是门禁", "门禁", "电梯"),
        ("不是三组 四组", "四组", "三组"),
        ("不是5栋，是6栋", "6栋", "5栋"),
        ("是塘边的路 不是塘边那个组", "塘边的路", "塘边那个组"),
    ],
)
def test_a_correction_says_what_is_right(words: str, right: str, wrong: str) -> None:
    assert corrected(plain(words)) == (right, wrong)


@pytest.mark.parametrize(
    "words", ["我改主意了 不修了", "灯的那个不用了 我老公自己换好了", "不用来了", "算了不报了"]
)
def test_what_is_no_longer_needed(words: str) -> None:
    assert needless(plain(words))


@pytest.mark.parametrize("words", ["已经修好了", "来电了 不消来喽", "已经有人扶起来了 不用管", "灯自己亮了"])
def test_what_came_right_by_itself(words: str) -> None:
    assert mended(plain(words))


@pytest.mark.parametrize("words", ["怎么还没修好", "修好了又坏了", "路灯一直没人修好", "不修了吗", "停电了"])
def test_who_still_waits_needs_somebody(words: str) -> None:
    assert not needless(plain(words))
    assert not mended(plain(words))


@pytest.mark.parametrize(
    "words",
    ["老人高龄补贴怎么办啊", "养狗要办证吗", "医保在哪交", "社保卡丢了咋整", "暖气费多少", "村委会几点上班"],
)
def test_questions_about_how_things_are_done(words: str) -> None:
    assert policy_question(plain(words))


@pytest.mark.parametrize(
    "words", ["下水道堵了怎么办", "低保被停发了找谁", "门口垃圾没人清", "医保没到账怎么办", "路灯坏了找谁"]
)
def test_a_fault_is_no_question_of_policy(words: str) -> None:
    assert not policy_question(plain(words))


@pytest.mark.parametrize(
    ("words", "tone"),
    [
        ("谢谢你啊小格", "thanks"),
        ("多谢晒", "thanks"),
        ("好了 谢谢啊师傅", "thanks"),
        ("拜拜", "bye"),
        ("你们这些吃干饭的", "temper"),
        ("我要上访", "temper"),
        ("谢谢 路灯还没修", None),
    ],
)
def test_thanks_goodbyes_and_tempers(words: str, tone: str | None) -> None:
    assert small(plain(words)) == tone


@pytest.mark.parametrize(
    "words", ["打我电话13900001111", "下午三点后在家", "每天打到两点", "203室", "没电梯"]
)
def test_mere_details(words: str) -> None:
    assert followed(plain(words)).detail


def test_who_is_asked_for_by_name() -> None:
    assert person_asked("我要找沈佳") == "沈佳"
    assert person_asked("李队电话") == "李队"
    assert is_called("李强", "李队")
    assert not is_called("陈静", "李队")
