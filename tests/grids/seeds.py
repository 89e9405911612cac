"""The five places' trees at the size their articles tell, as lists an office would bring in.

Towns and villages are the official ones; what lies below is dealt out evenly, with codes made of the
village's 12 digits and a serial. Everybody in it is invented.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from handlers.registry.divisions import FILE

Sheet = list[list[str]]


@dataclass(frozen=True)
class Layer:
    """One level below the villages: how many grids of it there are in all, and what they are called."""

    level: str
    name: str
    count: int
    kind: str = ""
    role: str = ""
    """Of whoever answers for each, where the article tells that somebody does."""
    households: int = 0
    """Registered in each."""


@dataclass(frozen=True)
class Seed:
    """A place's tree: whose official villages, how many of them take part, and what lies below."""

    areas: tuple[str, ...]
    top: tuple[str, str, str]
    """Level, code and name."""
    levels: tuple[str, str]
    """Of a town and of a village."""
    layers: tuple[Layer, ...] = ()
    towns: tuple[str, ...] = ()
    """Only these; none: all."""
    villages: int | None = None
    """So many of them are divided further; None: all."""


YULIN = ("450902", "450903", "450921", "450922", "450923", "450924", "450981")
SEEDS: dict[str, Seed] = {
    "minhou": Seed(
        ("350121",),
        ("县", "350121000000", "闽侯县"),
        ("township", "village"),
        (
            Layer("district", "第{n}区", 349),
            Layer("section", "第{n}片", 1_758),
            Layer("team", "第{n}队", 12_165, households=10),
        ),
        villages=298,
    ),
    "yinzhou": Seed(
        ("330212",),
        ("区", "330212000000", "鄞州区"),
        ("town", "community"),
        (
            Layer("grid", "第{n}网格", 2_039),
            Layer("micro", "第{n}微网格", 8_611, kind="微网格", households=60),
        ),
    ),
    "shexian": Seed(
        ("341021",),
        ("县", "341021000000", "歙县"),
        ("town", "community"),
        (
            Layer("grid", "第{n}小区", 77, role="专职网格员"),
            Layer("building", "第{n}栋", 1_200, role="楼栋（街巷）长", households=12),
        ),
        villages=10,
    ),
    "qingcao": Seed(
        ("340881",),
        ("市", "340881000000", "桐城市"),
        ("town", "first"),
        (Layer("second", "第{n}片", 50), Layer("third", "第{n}组", 165, role="三级网格长", households=12)),
        towns=("青草镇",),
    ),
    "yulin": Seed(YULIN, ("county", "450900000000", "玉林市"), ("town", "community")),
}


@dataclass
class _Spot:
    code: str
    village: str


def sheets(seed: Seed) -> tuple[Sheet, Sheet, Sheet]:
    """The three lists of a place: grids, the people who answer for them, and households."""
    level, code, name = seed.top
    grids: Sheet = [["编码", "名称", "上级", "层级", "类型"], [code, name, "", level, ""]]
    people: Sheet = [["姓名", "手机", "职务", "网格"]]
    homes: Sheet = [["网格", "楼栋", "门牌", "户主", "成员"]]
    spots = list(_official(seed, grids))[: seed.villages]
    serials: dict[str, int] = {}
    for layer in seed.layers:
        spots = list(_layer(layer, spots, serials, grids))
        if layer.role:
            start = len(people)
            people += [[f"员{start + at}", "", layer.role, spot.code] for at, spot in enumerate(spots)]
        homes += [line for spot in spots for line in _homes(spot, layer.households)]
    return grids, people, homes


def _official(seed: Seed, grids: Sheet) -> Iterator[_Spot]:
    towns: set[str] = set()
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["areaCode"] in seed.areas]
    for row in rows:
        if seed.towns and row["street"] not in seed.towns:
            continue
        town = row["streetCode"].ljust(12, "0")
        if town not in towns:
            towns.add(town)
            alike = len({other["area"] for other in rows if other["street"] == row["street"]}) > 1
            called = f"{row['area']}{row['street']}" if alike else row["street"]
            grids.append([town, called, seed.top[1], seed.levels[0], ""])
        grids.append([row["code"], row["name"], town, seed.levels[1], ""])
        yield _Spot(row["code"], row["code"])


def _layer(layer: Layer, above: Sequence[_Spot], serials: dict[str, int], grids: Sheet) -> Iterator[_Spot]:
    """Deal so many grids out over those above, as evenly as can be, west to east."""
    ends = [layer.count * at // len(above) for at in range(len(above) + 1)]
    for parent, (first, last) in zip(above, pairwise(ends), strict=True):
        for number in range(1, last - first + 1):
            serials[parent.village] = serials.get(parent.village, 0) + 1
            code = f"{parent.village}{serials[parent.village]:04d}"
            grids.append([code, layer.name.format(n=number), parent.code, layer.level, layer.kind])
            yield _Spot(code, parent.village)


def _homes(spot: _Spot, count: int) -> Iterator[list[str]]:
    yield from ([spot.code, "", str(door + 1), f"户{door}", "甲、乙"] for door in range(count))
