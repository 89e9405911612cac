"""Which known place a sentence means, in a small invented town and among the real names of a county."""

import random
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.addresses import detail_after, parts_in, split_name
from handbook.places import Candidate, Entry, Guess, Places, spot_words
from handbook.words import plain, syllables
from tests.words.test_danger import LATER_ORDINARY, ORDINARY
from tests.words.test_kinds import LATER, REPORTS, pairs
from tests.words.test_phrases import FREE
from tests.words.villages import VILLAGES

WRITTEN = {
    "3栋": ("building", "3"),
    "3幢": ("building", "3"),
    "3座": ("building", "3"),
    "3号楼": ("building", "3"),
    "三号楼": ("building", "3"),
    "三栋楼": ("building", "3"),
    "３栋": ("building", "3"),
    "3#": ("building", "3"),
    "3#楼": ("building", "3"),
    "第3栋": ("building", "3"),
    "03栋": ("building", "3"),
    "二十三号楼": ("building", "23"),
    "A座": ("building", "a"),
    "b栋": ("building", "b"),
    "三组": ("group", "3"),
    "第三村民小组": ("group", "3"),
    "3小组": ("group", "3"),
    "五队": ("team", "5"),
    "第一网格": ("grid", "1"),
    "01网格": ("grid", "1"),
    "2号网格": ("grid", "2"),
    "三号微网格": ("micro", "3"),
    "2单元": ("unit", "2"),
    "3楼": ("floor", "3"),
    "501室": ("room", "501"),
    "12弄": ("lane", "12"),
    "二期": ("phase", "2"),
    "12号": ("number", "12"),
}

NO_PARTS = [
    "两栋楼中间",
    "垃圾一片",
    "三里屯",
    "十字路口",
    "第八中学",
    "5天没水",
    "2025年",
    "300户停水",
    "5号线",
    "12345",
    "七星村",
]

DETAILS = {
    "2单元501漏水": "2单元501",
    "的2单元501室门口": "2单元501室门口",
    "楼下路灯坏了": "楼下",
    "门口有人摆摊": "门口",
    "东门旁边": "东门旁边",
    "老王家门口有垃圾": "老王家门口",
    "3楼走廊灯不亮": "3楼走廊",
    "电梯困人": "电梯",
    "没人管": "",
    ",路口堵了": "",
    "": "",
}

SPOTTED = [
    "楼下垃圾没人收",
    "学校门口堵车",
    "村口路灯坏了",
    "3栋漏水",
    "广场上太吵",
    "人民路积水",
    "菜市场旁边",
    "我家没水",
    "2单元停电",
    "河边有死鱼",
]
UNSPOTTED = ["停水了", "太吵了", "狗叫了一夜", "没人管", "你好", "老板欠工资", "医保怎么交", "路灯坏了", ""]


class Town:
    """星河县: a tree of invented places, each found again by its path of names."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.ids: dict[str, int] = {}
        self.add("星河县")
        self.add("星河县/桂花镇")
        self.add("星河县/桂花镇/幸福社区")
        self.add("星河县/桂花镇/幸福社区/第一网格", "桂花苑")
        self.add("星河县/桂花镇/幸福社区/第二网格", "丹桂里")
        for grid, houses in (("第一网格", 12), ("第二网格", 8)):
            for number in range(1, houses + 1):
                self.add(f"星河县/桂花镇/幸福社区/{grid}/{number}栋", f"{number}号楼", f"{number}幢")
        self.add("星河县/桂花镇/幸福社区/第一网格/3栋/2单元")
        self.add("星河县/桂花镇/幸福社区/桂花商场专属网格", "桂花商场")
        self.add("星河县/桂花镇/幸福社区/东湖小区")
        self.add("星河县/桂花镇/幸福社区/东湖小区3栋")
        self.add("星河县/桂花镇/平安村")
        self.add("星河县/桂花镇/平安村/东网格")
        for group in "一二三四":
            self.add(f"星河县/桂花镇/平安村/东网格/{group}组")
        self.add("星河县/桂花镇/河东村村委会")
        self.add("星河县/桂花镇/河东村村委会/三组")
        self.add("星河县/青石镇")
        self.add("星河县/青石镇/河东村村委会")
        for village in ("香田村委会", "龙南村委会", "石门村委会", "门口村委会", "新建村委会"):
            self.add(f"星河县/青石镇/{village}")
        self.places = Places(self.entries)

    def add(self, names: str, *aliases: str) -> None:
        above, _, name = names.rpartition("/")
        parent = self.ids.get(above)
        number = self.ids[names] = len(self.ids) + 1
        path = self.path(above) if above else "/"
        self.entries.append(Entry(number, name, aliases, parent, f"{path}{number}/"))

    def path(self, names: str) -> str:
        return next(entry.path for entry in self.entries if entry.id == self.ids[names])

    def find(self, text: str, *within: str) -> Guess:
        return self.places.find(text, tuple(self.path(names) for names in within))


TOWN = Town()
GRID1 = ("星河县/桂花镇/幸福社区/第一网格", "星河县/桂花镇/幸福社区", "星河县/桂花镇")
GRID2 = ("星河县/桂花镇/幸福社区/第二网格", "星河县/桂花镇/幸福社区", "星河县/桂花镇")
HOME = ("星河县/桂花镇/幸福社区/第一网格/5栋", *GRID1)
VILLAGE = ("星河县/桂花镇/平安村/东网格", "星河县/桂花镇/平安村", "星河县/桂花镇")
STONE = ("星河县/青石镇",)
EVERYWHERE = ()

# What is typed, by whom, the place under 星河县, what is left of the address.
SURE = [
    ("3栋楼下路灯坏了", GRID1, "桂花镇/幸福社区/第一网格/3栋", "楼下"),
    ("三号楼电梯停了", GRID2, "桂花镇/幸福社区/第二网格/3栋", "电梯"),
    ("3#漏水", GRID2, "桂花镇/幸福社区/第二网格/3栋", ""),
    ("3栋漏水", HOME, "桂花镇/幸福社区/第一网格/3栋", ""),
    ("幸福社区3栋漏水", GRID1, "桂花镇/幸福社区/第一网格/3栋", ""),
    ("桂花镇3栋", GRID1, "桂花镇/幸福社区/第一网格/3栋", ""),
    ("桂花苑5幢没水", VILLAGE, "桂花镇/幸福社区/第一网格/5栋", ""),
    ("丹桂里三号楼2单元501漏水", GRID1, "桂花镇/幸福社区/第二网格/3栋", "2单元501"),
    ("桂花苑3栋2单元501漏水", GRID2, "桂花镇/幸福社区/第一网格/3栋/2单元", "501"),
    ("第二网格3栋", GRID1, "桂花镇/幸福社区/第二网格/3栋", ""),
    ("贵花苑的3栋", GRID2, "桂花镇/幸福社区/第一网格/3栋", ""),
    ("单桂里3栋", GRID1, "桂花镇/幸福社区/第二网格/3栋", ""),
    ("3-2-501漏水", GRID1, "桂花镇/幸福社区/第一网格/3栋/2单元", ""),
    ("东湖小区3栋停电", GRID1, "桂花镇/幸福社区/东湖小区3栋", ""),
    ("东湖小区门口堵车", GRID1, "桂花镇/幸福社区/东湖小区", "门口"),
    ("桂花商场门口占道", GRID1, "桂花镇/幸福社区/桂花商场专属网格", "门口"),
    ("三组路灯坏了", VILLAGE, "桂花镇/平安村/东网格/三组", ""),
    ("第三村民小组没水", VILLAGE, "桂花镇/平安村/东网格/三组", ""),
    ("平安村3组", GRID1, "桂花镇/平安村/东网格/三组", ""),
    ("河东村三组", VILLAGE, "桂花镇/河东村村委会/三组", ""),
    ("河东三组的水管爆了", VILLAGE, "桂花镇/河东村村委会/三组", ""),
    ("河冬村三组", VILLAGE, "桂花镇/河东村村委会/三组", ""),
    ("河东村", VILLAGE, "桂花镇/河东村村委会", ""),
    ("桂花镇河东村", EVERYWHERE, "桂花镇/河东村村委会", ""),
    ("青石镇河东村", EVERYWHERE, "青石镇/河东村村委会", ""),
    ("香田路灯不亮", STONE, "青石镇/香田村委会", ""),
    ("香村三组", STONE, "青石镇/香田村委会", "三组"),
    ("龙难村停水", STONE, "青石镇/龙南村委会", ""),
    ("石们村村口", STONE, "青石镇/石门村委会", "村口"),
    ("我住在石门村", STONE, "青石镇/石门村委会", ""),
]

ASKED = [
    ("幸福社区3栋漏水", VILLAGE, {"第一网格/3栋", "第二网格/3栋"}),
    ("3栋和5栋之间", GRID1, {"第一网格/3栋", "第一网格/5栋"}),
    ("10栋没水", GRID2, {"第一网格/10栋"}),
    ("三组停电", GRID1, {"东网格/三组", "河东村村委会/三组"}),
    ("河东村的路", EVERYWHERE, {"桂花镇/河东村村委会", "青石镇/河东村村委会"}),
    ("从香田村到龙南村的路", STONE, {"青石镇/香田村委会", "青石镇/龙南村委会"}),
    ("王家屯3栋", GRID1, {"第一网格/3栋"}),
    ("西湖小区3栋", GRID1, {"幸福社区/东湖小区3栋"}),
]

NAMELESS = [
    ("我们村路灯坏了", VILLAGE, ""),
    ("楼下垃圾没人收", GRID1, "楼下"),
    ("20栋漏水", GRID1, "20栋"),
    ("501漏水", VILLAGE, ""),
    ("平安的日子", VILLAGE, ""),
    ("门口垃圾满了", STONE, "门口"),
    ("新建的厕所没水", STONE, "厕所"),
    ("什么时候来", STONE, ""),
    ("全村停电", VILLAGE, ""),
    ("", GRID1, ""),
]


@pytest.mark.parametrize(("written", "key"), WRITTEN.items())
def test_a_numbered_part_is_read_in_every_writing(written: str, key: tuple[str, str]) -> None:
    assert [part.key for part in parts_in(plain(written))] == [key]
    assert split_name(plain(written)) == ("", (key,))


@pytest.mark.parametrize("text", NO_PARTS)
def test_other_numbers_are_no_parts_of_an_address(text: str) -> None:
    assert parts_in(text) == ()


def test_an_address_is_read_part_by_part() -> None:
    assert split_name("幸福小区二期3号楼") == ("幸福小区", (("phase", "2"), ("building", "3")))
    assert [part.key for part in parts_in("3-2-501")] == [("building", "3"), ("unit", "2"), ("room", "501")]
    assert [part.key for part in parts_in("3栋2单元 501漏水")][-1] == ("room", "501")


@pytest.mark.parametrize(("text", "detail"), DETAILS.items())
def test_the_rest_of_an_address_is_kept_as_typed(text: str, detail: str) -> None:
    assert detail_after(text, 0, parts_in(text)) == detail


@pytest.mark.parametrize("text", SPOTTED)
def test_a_sentence_says_where(text: str) -> None:
    assert spot_words(text)


@pytest.mark.parametrize("text", UNSPOTTED)
def test_a_sentence_does_not_say_where(text: str) -> None:
    assert not spot_words(text)


@pytest.mark.parametrize(("text", "within", "names", "detail"), SURE)
def test_a_place_is_taken(text: str, within: tuple[str, ...], names: str, detail: str) -> None:
    guess = TOWN.find(text, *within)

    assert guess.sure
    assert guess.best == TOWN.ids["星河县/" + names]
    assert guess.detail == detail
    assert guess.candidates[0].id == guess.best


@pytest.mark.parametrize(("text", "within", "names"), ASKED)
def test_a_doubtful_place_is_asked(text: str, within: tuple[str, ...], names: set[str]) -> None:
    guess = TOWN.find(text, *within)
    meant = {number for path, number in TOWN.ids.items() if any(path.endswith(name) for name in names)}

    assert not guess.sure
    assert meant == {candidate.id for candidate in guess.candidates} & meant


@pytest.mark.parametrize(("text", "within", "detail"), NAMELESS)
def test_a_sentence_without_a_known_place_names_none(text: str, within: tuple[str, ...], detail: str) -> None:
    assert TOWN.find(text, *within) == Guess(detail=detail)


def test_the_span_points_at_the_place_in_the_plain_text() -> None:
    guess = TOWN.find("您好，贵花苑３栋的电梯坏了", *GRID2)

    assert plain("您好，贵花苑３栋的电梯坏了")[slice(*guess.span)] == "贵花苑3栋"


def test_candidates_are_limited_and_named() -> None:
    guess = TOWN.places.find("幸福社区3栋", (TOWN.path("星河县"),), limit=1)

    assert guess.candidates == (
        Candidate(TOWN.ids["星河县/桂花镇/幸福社区/东湖小区3栋"], "东湖小区3栋", 1.0),
    )
    assert not guess.sure


def test_a_scope_does_not_reach_into_a_neighbour_whose_number_begins_alike() -> None:
    places = Places(
        [
            Entry(1, "甲镇", (), None, "/1/"),
            Entry(12, "石门村", (), 1, "/1/12/"),
            Entry(120, "香田村", (), 1, "/1/120/"),
        ]
    )

    assert places.find("香田村", ("/1/12/",)) == Guess()
    assert places.find("香田村", ("/1/",)).best == 120


@given(st.text(max_size=80))
def test_no_text_can_break_it(text: str) -> None:
    guess = TOWN.find(text, *GRID1)

    assert guess.best is None or guess.best in TOWN.ids.values()
    assert guess.best is not None or not guess.sure


# ---- measured on real names -----------------------------------------------------------------------------

SENTENCES = (
    "{}三组路灯坏了",
    "网格员,{}的下水道堵了,快来看看",
    "{}垃圾没人收",
    "我们{}停水了",
    "在{}小卖部门口有人摆摊占道",
)
COMMON_LETTERS = "".join(
    (REPORTS, LATER, FREE, ORDINARY, *(name for names in VILLAGES.values() for name in names))
)


@cache
def county() -> tuple[Places, dict[str, str], dict[tuple[str, str], int]]:
    """The county's tree, the paths of its towns and the numbers of its villages."""
    entries, paths, numbers = [Entry(1, "闽侯县", (), None, "/1/")], {}, {}
    for town, villages in VILLAGES.items():
        town_id = len(entries) + 1
        paths[town] = f"/1/{town_id}/"
        entries.append(Entry(town_id, town, (), 1, paths[town]))
        for village in villages:
            numbers[town, village] = len(entries) + 1
            entries.append(Entry(len(entries) + 1, village, (), town_id, f"{paths[town]}{len(entries) + 1}/"))
    return Places(entries), paths, numbers


@cache
def homophones() -> dict[str, list[str]]:
    found = defaultdict(list)
    for letter in dict.fromkeys(COMMON_LETTERS):
        if syllables(letter):
            found[syllables(letter)[0]].append(letter)
    return found


def spoken(name: str) -> str:
    """What people call it: 河东村 for 河东村村委会."""
    for office, said in (("村村委会", "村"), ("社区居委会", "社区"), ("村委会", "村"), ("居委会", "社区")):
        if name.endswith(office):
            return name.removesuffix(office) + said
    return name


def core_of(name: str) -> int:
    return len(name) - (2 if name.endswith("社区") else 1)


def as_written(name: str, _: random.Random) -> str | None:
    return name


def with_homophone(name: str, chance: random.Random) -> str | None:
    places = [
        (at, [other for other in homophones()[syllables(name[at])[0]] if other != name[at]])
        for at in range(core_of(name))
        if syllables(name[at])
    ]
    places = [(at, others) for at, others in places if others]
    if not places:
        return None
    at, others = chance.choice(places)
    return name[:at] + chance.choice(others) + name[at + 1 :]


def with_letter_dropped(name: str, chance: random.Random) -> str | None:
    if core_of(name) < 2:
        return None
    at = chance.randrange(core_of(name))
    return name[:at] + name[at + 1 :]


def measured(
    noise: Callable[[str, random.Random], str | None], *, whole_county: bool = False
) -> dict[str, float]:
    """The shares found first, taken as sure, and right of those taken.

    A slip which happens to write another real name is left out: nothing in the words can tell.
    """
    places, paths, numbers = county()
    chance = random.Random(20251122)
    rows = []
    began = perf_counter()
    for (town, village), number in numbers.items():
        name = noise(spoken(village), chance)
        others = {spoken(other) for _, other in numbers} - {spoken(village)}
        if name is not None and name not in others and name.removesuffix("村") not in others:
            text = chance.choice(SENTENCES).format(name)
            guess = places.find(text, ("/1/",) if whole_county else (paths[town],))
            rows.append((guess.best == number, guess.sure))
    taken = [right for right, sure in rows if sure]
    return {
        "count": len(rows),
        "first": sum(right for right, _ in rows) / len(rows),
        "taken": len(taken) / len(rows),
        "right": sum(taken) / len(taken),
        "us": round((perf_counter() - began) / len(rows) * 1e6),
    }


@pytest.mark.parametrize(
    ("noise", "first", "taken", "right"),
    [
        (as_written, 0.998, 0.97, 1.0),
        (with_homophone, 0.969, 0.93, 0.996),
        (with_letter_dropped, 0.75, 0.58, 0.966),
    ],
)
def test_names_of_the_own_town_are_found_through_slips(
    noise: Callable[[str, random.Random], str | None], first: float, taken: float, right: float
) -> None:
    """Most names here have two letters before 村, so that one dropped leaves little to go by."""
    found = measured(noise)

    print(f"\n{noise.__name__}, own town: {found}")  # noqa: T201
    assert found["first"] >= first
    assert found["taken"] >= taken
    assert found["right"] >= right


def test_names_of_the_whole_county_are_asked_rather_than_mistaken() -> None:
    written, slipped = measured(as_written, whole_county=True), measured(with_homophone, whole_county=True)

    print(f"\nas_written, county: {written}\nwith_homophone, county: {slipped}")  # noqa: T201
    assert written["first"] >= 0.99
    assert written["right"] == 1.0
    assert slipped["right"] >= 0.996


def test_reports_without_a_place_are_given_none_of_the_county() -> None:
    """All sentences of the other tables, in each of the 16 towns: what is found there is found wrongly."""
    places, paths, _ = county()
    texts = [text for text, _ in (*pairs(REPORTS), *pairs(LATER))]
    texts += [*FREE.split(), *ORDINARY.split(), *LATER_ORDINARY.split()]
    guesses = [places.find(text, (path,)) for text in texts for path in paths.values()]

    assert sum(guess.sure for guess in guesses) <= len(guesses) / 5_000
    assert sum(guess.best is not None for guess in guesses) <= len(guesses) / 1_000


def test_the_time_of_finding_among_ten_thousand_names_is_shown() -> None:
    chance = random.Random(7)
    letters = [letter for names in VILLAGES.values() for name in names for letter in spoken(name)[:2]]
    entries = [Entry(1, "县", (), None, "/1/")]

    def below(parent: Entry, name: str) -> Entry:
        number = len(entries) + 1
        entries.append(Entry(number, name, (), parent.id, f"{parent.path}{number}/"))
        return entries[-1]

    def named(kind: str) -> str:
        return "".join(chance.sample(letters, 2)) + kind

    towns = [below(entries[0], named("镇")) for _ in range(16)]
    estates = [(town, below(below(town, named("村")), named("小区"))) for town in towns for _ in range(90)]
    for _, estate in estates:
        for number in range(1, 6):
            below(estate, f"{number}栋")
    places = Places(entries)
    began = perf_counter()
    asked = estates[::9]
    found = [
        places.find(f"你好,{estate.name}三号楼2单元的电梯又坏了麻烦来人看看", (estate.path, town.path))
        for town, estate in asked
    ]
    each = (perf_counter() - began) / len(asked)

    print(f"\nfinding a place among {len(entries)} names: {each * 1e3:.2f} ms a sentence")  # noqa: T201
    assert len(entries) > 10_000
    assert all(guess.sure and entries[(guess.best or 0) - 1].name == "3栋" for guess in found)
