"""Places of one name that only a number tells apart: 榕桥一队 to 榕桥十二队, however the number is typed."""

from itertools import count

import pytest

from handbook.places import Entry, Places

NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
KINDS = ("队", "组", "片", "区", "期", "网格")
FORMAL = str.maketrans("一二三四五六七八九十", "壹贰叁肆伍陆柒捌玖拾")


def tree(*names: str) -> tuple[Places, dict[str, int]]:
    """Grids below one village, each with houses 5 and 9."""
    ids = count(2)
    entries = [Entry(1, "榕桥村", (), None, "/1/")]
    found = {"榕桥村": 1}
    for name in names:
        grid = found[name] = next(ids)
        entries.append(Entry(grid, name, (), 1, f"/1/{grid}/"))
        for house in ("5栋", "9栋"):
            number = found[f"{name}{house}"] = next(ids)
            entries.append(Entry(number, house, (), grid, f"/1/{grid}/{number}/"))
    return Places(entries), found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("called", ["榕桥", ""])
def test_a_number_tells_places_of_one_name_apart(kind: str, called: str) -> None:
    places, ids = tree(*(f"{called}{number}{kind}" for number in NUMBERS))
    wrong = []
    for digit, number in enumerate(NUMBERS, start=1):
        for typed in (number, str(digit), number.translate(FORMAL), f"第{number}"):
            name = f"{called}{number}{kind}"
            for said, meant in {
                f"{called}{typed}{kind}": name,
                f"我在{called}{typed}{kind},路灯坏了": name,
                f"{called}{typed}{kind}5栋501": f"{name}5栋",
                f"{called}{typed}{kind}9栋101门口垃圾没人清": f"{name}9栋",
            }.items():
                guess = places.find(said, ("/1/",))
                if guess.best != ids[meant] or (called and not guess.sure):
                    wrong.append((said, guess))
    assert not wrong, wrong[:5]


def test_a_village_and_its_number_are_its_first_team() -> None:
    places, ids = tree("一队", "二队")

    assert places.find("榕桥村一队路灯坏了").best == ids["一队"]
    assert places.find("榕桥一队5栋").best == ids["一队5栋"]


@pytest.mark.parametrize("said", ["门口垃圾一片", "路灯坏了,来了一队人也没修好", "墙上掉了一层灰"])
def test_one_of_something_is_no_place(said: str) -> None:
    places, _ = tree("一片", "一队", "一层")

    assert places.find(said, ("/1/",)).best is None


def test_the_words_behind_a_place_are_no_number_of_it() -> None:
    places, ids = tree("榕桥一队", "榕桥三队")
    guess = places.find("榕桥三队5栋门口来了一队人", ("/1/",))

    assert (guess.best, guess.sure, guess.detail) == (ids["榕桥三队5栋"], True, "门口")
