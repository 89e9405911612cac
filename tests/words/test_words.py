"""Clean text, numbers, sounds and near matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.pointing import pointed_at
from handbook.words import chinese_number, heard, nearest, plain, softened, syllables

CLEANED = {
    "３栋２单元": "3栋2单元",
    "①接单": "1 接单",
    "①②": "1 2",
    "❸ 办结": "3 办结",
    "1️⃣ 提交": "1 提交",
    "㊿": "50",
    "办结，已更换！": "办结,已更换!",
    "你\u200b好\u202e": "你好",
    "坏\ud83d了": "坏了",
    "  漏\t水\n了 \u3000": "漏 水 了",
    "\x00\x07停电": "停电",
    "ＱＱ：１２": "QQ:12",
    "": "",
}

NUMBERS = {
    "12": 12,
    "３": 3,
    "第三": 3,
    "三": 3,
    "十": 10,
    "十二": 12,
    "二十": 20,
    "廿三": 23,
    "卅": 30,
    "一百零三": 103,
    "一百二": 120,
    "一百二十": 120,
    "两千零五": 2005,
    "二〇三": 203,
    "壹拾贰": 12,
    "二百五": 250,
    "0017": 17,
}

NO_NUMBERS = ["", "三里", "十十", "二二十", "1万", "12a", "栋", "-3", "1.5", "一二三四五六七八九十"]

SOUNDS = {
    "上报": ("shang", "bao"),
    "上抱": ("shang", "bao"),
    "shangbao": ("shang", "bao"),
    "ShangBao": ("shang", "bao"),
    "3栋A座": ("3", "dong", "a", "zuo"),
    "KTV太吵": ("ktv", "tai", "chao"),
    "着火": ("zhao", "huo"),
    "长丰,路灯!": ("chang", "feng", "lu", "deng"),
    "12号": ("12", "hao"),
    "?!": (),
}

POINTED = {
    "1": (1,),
    "3号转给李队": (3,),
    "第二个": (2,),
    "第十二条": (12,),
    "1、2、3接单": (1, 2, 3),
    "1,2和3": (1, 2, 3),
    "1-3接单": (1, 2, 3),
    "2到4": (2, 3, 4),
    "一 接单": (1,),
    "三号": (3,),
    "e-1017": (1017,),
    "#1017": (1017,),
    "编号 1017": (1017,),
    "1017工单": (1017,),
    "1 1 2": (1, 2),
}

POINTS_AT_NOTHING = [
    "3栋路灯坏了",
    "3 栋路灯",
    "3号楼",
    "2单元501",
    "3天没水",
    "5盏灯",
    "2025年",
    "三组",
    "一直没解决",
    "十字路口",
    "1.5米",
    "13800000000",
    "80%",
    "3楼",
    "12路公交",
    "三里村",
    "1/2",
    "两个人",
    "3号井盖",
]


@pytest.mark.parametrize(("typed", "clean"), CLEANED.items())
def test_a_message_is_cleaned_of_what_nobody_meant_to_type(typed: str, clean: str) -> None:
    assert plain(typed) == clean


@given(st.text(st.characters(codec=None)))
def test_cleaning_twice_is_cleaning_once_and_can_be_stored(typed: str) -> None:
    clean = plain(typed)

    assert plain(clean) == clean
    assert clean.encode().decode() == clean
    assert [syllable.end > syllable.start for syllable in heard(clean)] == [True] * len(heard(clean))


@pytest.mark.parametrize(("written", "number"), NUMBERS.items())
def test_numbers_are_read_as_people_write_them(written: str, number: int) -> None:
    assert chinese_number(written) == number


@pytest.mark.parametrize("written", NO_NUMBERS)
def test_what_is_no_number_is_not_read_as_one(written: str) -> None:
    assert chinese_number(written) is None


@pytest.mark.parametrize(("text", "sounds"), SOUNDS.items())
def test_letters_are_read_as_toneless_sounds(text: str, sounds: tuple[str, ...]) -> None:
    assert syllables(text) == sounds


@pytest.mark.parametrize(("one", "other"), [("shi", "si"), ("lin", "ling"), ("nan", "lan"), ("zhang", "zan")])
def test_what_southern_speakers_do_not_tell_apart_is_folded(one: str, other: str) -> None:
    assert softened(one) == softened(other)


def test_a_name_is_found_in_a_text_though_a_letter_is_wrong_or_left_out() -> None:
    name = heard("丽发新城")

    assert nearest(name, heard("我们丽发新城很吵"))[:] == (0.0, 2, 6)
    assert nearest(name, heard("我们丽法新城很吵"))[:] == (0.1, 2, 6)
    assert nearest(name, heard("我们丽新城很吵"))[:] == (1.0, 2, 5)
    assert nearest(name, heard("停水"))[0] > 3


@given(st.text("幸福小区三村路", max_size=6), st.text("幸福小区三村路", max_size=9))
def test_the_nearest_stretch_costs_no_more_than_leaving_the_name_out(name: str, text: str) -> None:
    found = nearest(heard(name), heard(text))

    assert 0 <= found.cost <= len(name)
    assert 0 <= found.start <= found.end <= len(text)
    assert (found.cost == 0) == (name in text)


@pytest.mark.parametrize(("text", "numbers"), POINTED.items())
def test_an_entry_is_pointed_at(text: str, numbers: tuple[int, ...]) -> None:
    pointed = pointed_at(text)

    assert pointed is not None
    assert pointed.numbers == numbers


@pytest.mark.parametrize("text", POINTS_AT_NOTHING)
def test_what_counts_or_measures_points_at_nothing(text: str) -> None:
    assert pointed_at(text) is None


def test_a_whole_case_number_is_kept_as_written() -> None:
    pointed = pointed_at("0301-0001、1017 办结")

    assert pointed is not None
    assert (pointed.codes, pointed.numbers) == (("0301-0001", "1017"), (1017,))
