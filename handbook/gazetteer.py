"""The names of a place's tree, ready to be found in a sentence though a letter is wrong or missing.

Names are compared as sounds within a scope (the sender's own grid, then the town): over a whole county too
many places sound alike. Scope is a range of the sorted paths: two look-ups, however many names there are.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from handbook.addresses import is_spot, split_name
from handbook.lexicon import Lexicon
from handbook.words import Syllable, heard, lowered, nearest, plain

Key = tuple[str, str]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One node of the tree of grids with everything it is called."""

    id: int
    name: str
    aliases: tuple[str, ...]
    parent_id: int | None
    path: str


class Mention(NamedTuple):
    """A name which may have been meant by a stretch of a sentence."""

    name: str
    start: int
    end: int
    cost: float
    """Price of the differences: 0 as written, 0.1 a homophone, 1 a letter left out."""
    holders: tuple[tuple[int, tuple[Key, ...]], ...]
    """The entries of this name, by their order, with the numbered parts which belong to it."""
    short: bool = False
    """Said without its 村 or 小区, so it may be a mere word."""

    @property
    def weight(self) -> float:
        """How many letters speak for it."""
        return self.end - self.start - self.cost


_OFFICE = re.compile(r"(?:社区)?(?:居民委员会|居委会)$|(?:村民委员会|村委会)$")
_OFFICES = {"居": "社区", "村": "村"}
_SUFFIX = re.compile(
    "(?:专属网格|微网格|网格|社区|小区|新村|花园|公寓|家园|大厦|广场|街道|村|镇|乡|街|路|巷|苑|庄|里)$"
)
# Names without their suffix which are also plain words: 新建的厕所 says nothing of 新建村.
_COMMON = frozenset(
    re.findall(
        r"\S+",
        """
        新建 团结 和平 胜利 前进 光明 中心 幸福 建设 发展 文化 安全 平安 健康 卫生
        东方 红旗 联合 民主 民生 服务 新华 永安 中华 长期 公园 学校 中学 小学 医院
        市场 广场 东门 西门 南门 北门 大门 上街 下街 街上 城里 城东 城西 河边 桥头
        山上 山下 田里 大桥 老街 前面 后面 上面 下面 高山 大山 大路 水库 石头 大河
        小河 黄金 青年 工业 工厂 农业 商业 生产 石油 电力 铁路 公路 火车 汽车 新年
        新城 老城 水电 自来水 垃圾 大道 马路 楼上 楼下
        """,
    )
)
_GENERIC = re.compile(
    "(?:我们|你们|他们|咱们|俺们|我|你|咱|俺|本|全|整个|这个|那个|哪个|每个|别的|新农|隔壁)"
    "(?:村子|村|小区|社区|街道|镇|乡|街|路|巷|庄)"
)


class Gazetteer:
    """Names and numbered parts of all entries, indexed once.

    Args:
        entries: the nodes in any order.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(entries, key=lambda entry: entry.path))
        self._paths = [entry.path for entry in self.entries]
        self._by_key: defaultdict[Key, list[int]] = defaultdict(list)
        self._names: list[tuple[Syllable, ...]] = []
        self._numbers: dict[str, int] = {}
        self._holders: defaultdict[str, dict[int, tuple[Key, ...]]] = defaultdict(dict)
        self._postings: defaultdict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        self._short: set[str] = set()
        for order, entry in enumerate(self.entries):
            for called in dict.fromkeys((entry.name, *entry.aliases)):
                self._add(order, lowered(plain(called)))
        self._spellings = tuple(self._numbers)
        self._cores, self._full = Lexicon(self._short), Lexicon(self._numbers)

    def _add(self, order: int, called: str) -> None:
        name, parts = split_name(called)
        if parts and order not in self._by_key[parts[-1]][-1:]:
            self._by_key[parts[-1]].append(order)
        if not name:
            return
        form = _form(name)
        self._holders[form].setdefault(order, parts)
        self._post(order, form)
        core = _SUFFIX.sub("", form)
        if 1 < len(core) < len(form) and core not in _COMMON and not is_spot(core):
            self._holders[core].setdefault(order, parts)
            self._short.add(core)

    def _post(self, order: int, form: str) -> None:
        number = self._numbers.get(form)
        if number is None:
            number = self._numbers[form] = len(self._names)
            self._names.append(heard(form))
        sounds = self._names[number]
        core = len(heard(_SUFFIX.sub("", form))) or len(sounds)
        for at, pair in _pairs(sounds):
            if at < core:
                self._postings[pair].append((order, number, at))

    def range_of(self, path: str) -> Range:
        """Give the entries in the subtree of a path, as a half-open range of their order."""
        return bisect_left(self._paths, path), bisect_left(self._paths, path[:-1] + "0")

    def numbered(self, key: Key, within: Range) -> list[int]:
        """Give the entries which bear a number, such as building 3, in a range."""
        orders = self._by_key.get(key, [])
        return orders[bisect_left(orders, within[0]) : bisect_left(orders, within[1])]

    def mentions(self, text: str, within: Sequence[Range]) -> list[Mention]:
        """Find the names a text may mention, so that the likeliest can be taken or all of them asked.

        Args:
            text: `plain`.
            within: ranges of entries, which do not overlap.

        Returns:
            names in any order; they may overlap in the text.
        """
        low = self._without_generic(lowered(text))
        said = heard(low)
        found = list(self._spelt_short(low, within))
        for number, shift in self._candidates(said, within):
            found.extend(self._compared(number, said, shift, within))
        return found

    def _without_generic(self, low: str) -> str:
        """我们村 is no name, unless there is a place which is called so."""
        if not _GENERIC.search(low):
            return low
        spelt = [(at, at + len(name)) for at, name in self._full.within(low)]

        def masked(match: re.Match[str]) -> str:
            named = any(start < match.end() and match.start() < end for start, end in spelt)
            return match[0] if named else "_" * len(match[0])

        return _GENERIC.sub(masked, low)

    def _spelt_short(self, low: str, within: Sequence[Range]) -> Iterator[Mention]:
        for at, core in self._cores.within(low):
            holders = self._held(str(core), within)
            if holders:
                yield Mention(str(core), at, at + len(core), 0.0, holders, short=True)

    def _candidates(self, said: Sequence[Syllable], within: Sequence[Range]) -> Iterator[tuple[int, int]]:
        """Names two of whose syllables stand together; with where such a name would begin."""
        votes: Counter[tuple[int, int]] = Counter()
        for at, pair in _pairs(said):
            if postings := self._postings.get(pair):
                votes.update({(number, at - offset) for number, offset in _slices(postings, within)})
        best: dict[int, tuple[int, int]] = {}
        for (number, shift), count in votes.items():
            best[number] = max(best.get(number, (0, 0)), (count, shift))
        return ((number, shift) for number, (_, shift) in best.items())

    def _compared(
        self, number: int, said: Sequence[Syllable], shift: int, within: Sequence[Range]
    ) -> Iterator[Mention]:
        sounds = self._names[number]
        start = max(0, shift - 1)
        near = nearest(sounds, said[start : shift + len(sounds) + 1])
        stretch = said[start + near.start : start + near.end]
        if stretch and _close_enough(sounds, stretch, near.cost):
            name = self._spellings[number]
            yield Mention(name, stretch[0].start, stretch[-1].end, near.cost, self._held(name, within))

    def _held(self, name: str, within: Sequence[Range]) -> tuple[tuple[int, tuple[Key, ...]], ...]:
        holders = self._holders[name]
        return tuple(
            (order, parts) for order, parts in holders.items() if any(lo <= order < hi for lo, hi in within)
        )


def _form(name: str) -> str:
    """幸福社区居委会 is 幸福社区, 河东村村委会 is 河东村: nobody types the office."""
    office = _OFFICE.search(name)
    if not office:
        return name
    bare = name[: office.start()]
    kind = _OFFICES["居" if "居" in office[0] else "村"]
    return bare if bare.endswith(kind) else bare + kind


def _pairs(sounds: Sequence[Syllable]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Neighbours, and those with one between: a letter too many or too few leaves some of them together."""
    for at, syllable in enumerate(sounds):
        for other in sounds[at + 1 : at + 3]:
            yield at, (syllable.soft, other.soft)


def _slices(postings: Sequence[tuple[int, int, int]], within: Sequence[Range]) -> Iterator[tuple[int, int]]:
    for low, high in within:
        for _, number, offset in postings[bisect_left(postings, (low,)) : bisect_left(postings, (high,))]:
            yield number, offset


def _close_enough(name: Sequence[Syllable], stretch: Sequence[Syllable], cost: float) -> bool:
    """Short names bear less: of three letters one may be missing (香村 for 香田村), not be another one."""
    size = len(name)
    if size <= 2:
        return cost <= 0.15
    if size == 3:
        left_out = len(stretch) == 2 and stretch[-1].soft == name[-1].soft
        return cost <= 0.45 or (left_out and cost <= 1.05)
    return cost <= (1.45 if size < 6 else 2.3)
