"""Personal numbers are found however they are typed, and what is none is left alone."""

from random import Random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.personal import (
    find_personal,
    mask_bank_card,
    mask_id_card,
    mask_name,
    mask_phone,
    masked,
)
from handbook.signs import plain_number
from tests.handbook import numbers
from tests.handbook.numbers import Maker

MANY = 5000

RECALL: list[tuple[str, Maker]] = [
    ("phone", numbers.typed_mobile),
    ("landline", numbers.typed_landline),
    ("id_card", numbers.typed_id_card),
    ("id_card", numbers.typed_old_id_card),
    ("bank_card", numbers.typed_bank_card),
    ("plate", numbers.typed_plate),
]


def is_found(text: str, start: int, end: int, kind: str) -> bool:
    """The number was found, whole: nothing of its digits is left outside."""
    return any(
        found.kind == kind
        and not any(sign.isalnum() for sign in text[start : found.start] + text[found.end : end])
        for found in find_personal(text)
        if found.start < end and start < found.end
    )


@pytest.mark.parametrize(("kind", "make"), RECALL, ids=lambda value: getattr(value, "__name__", value))
def test_at_least_99_of_100_numbers_are_found(kind: str, make: Maker) -> None:
    chance = Random(20261122)
    said = [numbers.said(make(chance), chance) for _ in range(MANY)]
    missed = [text for text, start, end in said if not is_found(text, start, end, kind)]
    print(f"\n{make.__name__}: recall {1 - len(missed) / MANY:.4f}")  # noqa: T201

    assert len(missed) <= MANY // 100, missed[:20]


@pytest.mark.parametrize(
    "make",
    [
        numbers.case_number,
        numbers.moment,
        numbers.span,
        numbers.amount,
        numbers.reading,
        numbers.order,
        numbers.division,
        numbers.address,
    ],
    ids=lambda make: make.__name__,
)
def test_fewer_than_5_of_1000_other_numbers_are_taken_for_personal(make: Maker) -> None:
    chance = Random(1122)
    words = ("", "编号", "3栋", "网格", "昨天", "李四说", "请看 ")
    texts = [
        chance.choice(words) + make(chance) + chance.choice(("", "。", " 已办结", "号")) for _ in range(MANY)
    ]
    wrong = [text for text in texts if find_personal(text)]
    print(f"\n{make.__name__}: false alarms {len(wrong) / MANY:.4f}")  # noqa: T201

    assert len(wrong) < MANY * 5 // 1000, wrong[:20]


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("张三13800000001，3栋", "张三138****0001，3栋"),
        ("幺三八 零零零零 零零零一", "138****0001"),
        ("张三一三八零零零零零零零一一直打不通", "张三138****0001一直打不通"),
        ("1502 138 0000 0001 1002", "1502 138****0001 1002"),
        ("（+86）138-0000-0001", "138****0001"),
        ("138\u200b0000\u200b0001", "138****0001"),
        ("固话（0591）8765 4321-801", "固话0591****4321-801"),
        ("身份证１１０１０５１９４９１２３１００２ｘ", "身份证110105**********2X"),
        ("11010519491231002X,电话13900000002", "110105**********2X,电话139****0002"),
        ("卡号 6228 4804 0256 4890 018", "卡号 **** 0018"),
        ("闽A·D12345挡了路", "闽*****45挡了路"),
        ("闽A12345一辆，车主13800000001", "闽****45一辆，车主138****0001"),
    ],
)
def test_a_number_is_masked_and_the_words_around_it_stay(text: str, instead: str) -> None:
    assert masked(text) == instead
    assert masked(instead) == instead


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",  # its last sign is wrong
        "11010519491331002X",  # there is no 13th month
        "99010519491231002X",  # there is no such region
        "6228480402564890019",  # does not pass the check
        "350121001201001",  # a grid of 15 digits
        "订单号13800000001",
        "共13800000001元",
        "读数13800 138001",
        "1502 613 1014",
        "闽A4纸12张",
        "拨打110或12345",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert find_personal(text) == ()


def test_what_was_found_says_its_kind_and_place_and_keeps_its_value_out_of_logs() -> None:
    (found,) = find_personal("电话138 0000 0001。")

    assert (found.kind, found.start, found.end, found.value) == ("phone", 2, 15, "13800000001")
    assert "0001" not in repr(found)


def test_every_way_of_writing_a_phone_is_one_number() -> None:
    written = ("13800000001", "+86 138-0000-0001", "０１３８００００ ０００１", "幺三八零零零零零零零一")
    assert {plain_number(phone) for phone in written} == {"13800000001"}
    assert plain_number("0591-87654321") == "059187654321"


def test_names_and_numbers_from_rows_are_masked() -> None:
    assert [mask_name(name) for name in ("王芳", "王小芳", "李", "")] == ["王*", "王**", "李", ""]
    phones = ("138 0000 0001", "010-87654321", "0591-8765432", "12345", "")
    assert [mask_phone(phone) for phone in phones] == ["138****0001", "010****4321", "0591****5432", "", ""]
    assert [mask_id_card(number) for number in ("110105491231002", "12")] == ["110105*******02", "**"]
    assert mask_bank_card("6228480402564890018") == "**** 0018"


@given(st.text("138零一三八幺0123456789 -.()（）+８６\u200bXx京A·粤元张", max_size=60))
def test_places_are_in_order_and_a_masked_text_hides_what_was_found(text: str) -> None:
    numbers_found = find_personal(text)
    ends = [place for found in numbers_found for place in (found.start, found.end)]

    assert ends == sorted(ends)
    assert all(0 <= place <= len(text) for place in ends)
    assert not any(found.value in masked(text) for found in numbers_found if text.count(found.value) < 2)


def test_a_text_without_numbers_costs_next_to_nothing() -> None:
    text = ("今天下午小区门口的路灯坏了,两个老人差点摔倒,请网格员尽快过来看一看。" * 4)[:100]
    took = min(_time(text) for _ in range(50))
    print(f"\n{took * 1e6:.1f} us for 100 signs")  # noqa: T201

    assert took < 50e-6


def test_long_rows_of_digits_take_no_longer_than_their_length() -> None:
    long = " ".join("13800" * 1000)
    short = long[: len(long) // 10]

    assert min(_time(long, times=1) for _ in range(3)) < 30 * min(_time(short, times=1) for _ in range(5))


def _time(text: str, times: int = 20) -> float:
    start = perf_counter()
    for _ in range(times):
        find_personal(text)
    return (perf_counter() - start) / times
