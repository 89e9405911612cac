"""Finds the grids of a place in a sentence: by name, by number, by sound, the sender's own surroundings
first.

Every stretch of the sentence that may name a place is a mention, and a mention may mean several grids
(there are many buildings 3). The grid that accounts for the most mentions by itself and its parents wins:
丹桂里5栋 is building 5 below 丹桂里. What is still equal is settled by nearness to the sender; what then is
still equal is asked.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from handbook.lexicon import Lexicon
from handbook.words import Syllable, chinese_number, heard, nearest, plain

_NUMERAL = r"(?:[0-9]{1,4}|[一二三四五六七八九十百零〇两]{1,5})"
_UNITS: Mapping[str, str] = {
    "号楼": "building",
    "栋楼": "building",
    "幢楼": "building",
    "栋": "building",
    "幢": "building",
    "座": "building",
    "#楼": "building",
    "#": "building",
    "号院": "yard",
    "村民组": "group",
    "村民小组": "group",
    "小组": "group",
    "生产队": "team",
    "组": "group",
    "队": "team",
    "微网格": "micro",
    "网格": "grid",
    "片": "section",
    "区": "district",
    "层": "floor",
}
_NUMBERED = re.compile(
    rf"第?({_NUMERAL})({'|'.join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))})"
)
_DETAIL = re.compile(
    rf"^[\s,,、的]*((?:{_NUMERAL}单元)?(?:{_NUMERAL}[楼层])?(?:[0-9]{{3,4}}(?:室|号|房)?)?"
    r"(?:楼下|楼顶|楼道|楼梯间|门口|门前|旁边|对面|后面|前面|东侧|西侧|南侧|北侧|地下室|地库|车棚|花坛|广场|停车场)?)"
)
_SUFFIXES = re.compile(r"(?:村民委员会|居民委员会|村委会|居委会|社区|小区|街道|镇|乡|村)$")
_SPOT = re.compile(
    rf"{_NUMERAL}(?:单元|号|室|楼|栋|幢|组|队)|楼[下上道顶梯]|门口|门前|路口|路边|广场|学校|小学|中学|医院|公园|市场|超市|菜场|"
    r"村口|桥[头下边]|河边|塘边|山[上脚]|田[里边]|巷|街|小区|院子|车库|车棚|电梯|地下室|单元|旁边|对面|附近|家里|屋[里顶后]"
)
_PLACE_SOUNDS = frozenset(
    {"cun", "zhen", "qu", "yuan", "li", "wan", "zhuang", "tun", "jie", "lu", "cheng", "ting", "fu"}
)
"""Last sounds of place names: only a sentence that has one is worth a search by likeness."""
ALIKE = 0.25
"""A name may differ by at most a quarter of its syllables (domain figures: 96-100 % right with such a
margin).
"""
MARGIN = 0.25
NEAR_NAMES = 400
"""At most so many names are compared by likeness, the sender's own first."""


@dataclass(frozen=True)
class Entry:
    """A grid as the finder needs it; `path` is '/1/12/345/'."""

    id: int
    name: str
    aliases: tuple[str, ...]
    parent_id: int | None
    path: str


@dataclass(frozen=True)
class Candidate:
    """A grid that may be meant."""

    id: int
    name: str
    score: float


@dataclass(frozen=True)
class Guess:
    """What a sentence says about a place."""

    best: int | None = None
    sure: bool = False
    candidates: tuple[Candidate, ...] = ()
    span: tuple[int, int] = (0, 0)
    """Where in the plain text the place is named."""
    detail: str = ""
    """The exact spot beyond the grid: 2单元501门口."""


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    ids: frozenset[int]
    weight: float


@dataclass
class Places:
    """The names of a tree of grids, indexed once."""

    entries: Iterable[Entry]
    _by_id: dict[int, Entry] = field(init=False, repr=False)
    _named: dict[str, set[int]] = field(init=False, repr=False)
    _keyed: dict[tuple[str, int], set[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_id = {entry.id: entry for entry in self.entries}
        self._named = defaultdict(set)
        self._keyed = defaultdict(set)
        for entry in self._by_id.values():
            for name in (entry.name, *entry.aliases):
                self._enter(entry.id, plain(name))

    def _enter(self, entry_id: int, name: str) -> None:
        numbered = _NUMBERED.fullmatch(name)
        number = chinese_number(numbered[1]) if numbered else None
        if numbered and number is not None:
            self._keyed[_UNITS[numbered[2]], number].add(entry_id)
            return
        self._named[name].add(entry_id)
        short = _SUFFIXES.sub("", name)
        if len(short) >= 2:
            self._named[short].add(entry_id)

    @cached_property
    def _letters(self) -> Lexicon[str]:
        return Lexicon(self._named)

    @cached_property
    def _sounded(self) -> dict[tuple[str, ...], set[int]]:
        found: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for name, ids in self._named.items():
            sounds = tuple(syllable.sound for syllable in heard(name))
            if len(sounds) >= 2:
                found[sounds] |= ids
        return found

    @cached_property
    def _sounds(self) -> Lexicon[str]:
        return Lexicon(self._sounded)

    def find(self, text: str, within: Sequence[str] = (), limit: int = 5) -> Guess:
        """Find the grid a sentence names.

        Args:
            text: the sentence.
            within: paths from the nearest surroundings of the sender outwards.
            limit: how many candidates at most.

        Returns:
            a sure guess, a doubtful one with candidates for a question, or an empty one.
        """
        said = plain(text)
        mentions = self._mentions(said, within)
        if not mentions:
            return Guess()
        ranked = self._ranked(mentions, within)
        first = ranked[0]
        equal = [entry for entry, rank in ranked if rank[:3] == first[1][:3]]
        sure = len(equal) == 1 and self._is_certain(mentions, first[0], first[1], ranked, within)
        shown = equal if len(equal) > 1 else [entry for entry, _ in ranked]
        end = max(mention.end for mention in mentions)
        return Guess(
            best=first[0].id if len(equal) == 1 else None,
            sure=sure,
            candidates=tuple(Candidate(e.id, e.name, round(first[1][0], 3)) for e in shown[:limit]),
            span=(min(mention.start for mention in mentions), end),
            detail=_detail(said, end),
        )

    # ---- mentions ----------------------------------------------------------------------------------------

    def _mentions(self, said: str, within: Sequence[str]) -> list[_Mention]:
        named = self._named_in(said) or self._sounding_in(said)
        numbered = list(self._numbered_in(said))
        if not named and any(sound in _PLACE_SOUNDS for sound in {s.sound for s in heard(said)}):
            named = self._alike_in(said, within)
        return [*named, *numbered]

    def _named_in(self, said: str) -> list[_Mention]:
        found = [
            _Mention(at, at + len(word), frozenset(self._named[str(word)]), 1.0)
            for at, word in self._letters.within(said)
        ]
        return _longest(found)

    def _sounding_in(self, said: str) -> list[_Mention]:
        """Names written with other signs of the same sound: the commonest slip of typing by pinyin."""
        syllables = heard(said)
        sounds = tuple(syllable.sound for syllable in syllables)
        found = [
            _Mention(
                syllables[at].start,
                syllables[at + len(word) - 1].end,
                frozenset(self._sounded[tuple(word)]),
                0.9,
            )
            for at, word in self._sounds.within(sounds)
            if _shares_a_sign(
                said[syllables[at].start : syllables[at + len(word) - 1].end], self, tuple(word)
            )
        ]
        return _longest(found)

    def _numbered_in(self, said: str) -> Iterator[_Mention]:
        for match in _NUMBERED.finditer(said):
            number = chinese_number(match[1])
            ids = self._keyed.get((_UNITS[match[2]], number)) if number is not None else None
            if ids:
                yield _Mention(match.start(), match.end(), frozenset(ids), 1.0)

    def _alike_in(self, said: str, within: Sequence[str]) -> list[_Mention]:
        """Names with a sign dropped or changed, among the nearest names only; the best if it stands out."""
        syllables = heard(said)
        scored: list[tuple[float, int, int, frozenset[int]]] = []
        for name, ids in self._near_names(within):
            sounds = _heard_name(name)
            near = nearest(sounds, syllables)
            share = near.cost / len(sounds)
            if share <= ALIKE and near.end > near.start:
                start, end = syllables[near.start].start, syllables[near.end - 1].end
                scored.append((share, start, end, frozenset(ids)))
        scored.sort(key=lambda one: one[0])
        if not scored:
            return []
        best = scored[0]
        rivals = [one for one in scored[1:] if one[0] - best[0] < MARGIN and not one[3] <= best[3]]
        ids = best[3].union(*(one[3] for one in rivals))
        return [_Mention(best[1], best[2], ids, 0.8 if not rivals else 0.5)]

    def _near_names(self, within: Sequence[str]) -> Iterator[tuple[str, set[int]]]:
        scope = within[-1] if within else ""
        count = 0
        for name, ids in self._named.items():
            if len(name) >= 3 and any(_lies_in(self._by_id[i].path, scope) for i in ids):
                count += 1
                if count > NEAR_NAMES:
                    return
                yield name, ids

    # ---- ranking -----------------------------------------------------------------------------------------

    def _ranked(
        self, mentions: Sequence[_Mention], within: Sequence[str]
    ) -> list[tuple[Entry, tuple[float, int, int]]]:
        """Entries by (mentions accounted for, nearness to the sender, depth), best first."""
        ids = frozenset().union(*(mention.ids for mention in mentions))
        ranked = []
        for entry_id in ids:
            entry = self._by_id[entry_id]
            line = {int(part) for part in entry.path.strip("/").split("/")}
            cover = sum(mention.weight for mention in mentions if line & mention.ids)
            near = next((n for n, path in enumerate(within) if _lies_in(entry.path, path)), len(within))
            ranked.append((entry, (cover, -near, entry.path.count("/"))))
        ranked.sort(key=lambda one: one[1], reverse=True)
        return ranked

    def _is_certain(
        self,
        mentions: Sequence[_Mention],
        entry: Entry,
        rank: tuple[float, int, int],
        ranked: Sequence[tuple[Entry, tuple[float, int, int]]],
        within: Sequence[str],
    ) -> bool:
        """Alone at the top is not enough for a number that stands everywhere, or for a name that is only
        alike.
        """
        if min(mention.weight for mention in mentions) < 0.8:
            return False
        covered = rank[0] >= sum(mention.weight for mention in mentions) - 0.01
        alone = not any(
            other.id != entry.id and other_rank[0] >= rank[0] and not entry.path.startswith(other.path)
            for other, other_rank in ranked[1:]
        )
        return alone or (covered and bool(within) and -rank[1] < len(within))


def _lies_in(path: str, scope: str) -> bool:
    """Whether a path lies in a subtree; a half-open range, as the database asks it. '' is everywhere."""
    return not scope or scope <= path < scope[:-1] + "0"


def _longest(found: list[_Mention]) -> list[_Mention]:
    """Of mentions that overlap, the longest."""
    kept: list[_Mention] = []
    for mention in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if not any(mention.start < other.end and other.start < mention.end for other in kept):
            kept.append(mention)
    return sorted(kept, key=lambda one: one.start)


_HEARD: dict[str, tuple[Syllable, ...]] = {}


def _heard_name(name: str) -> tuple[Syllable, ...]:
    if name not in _HEARD:
        _HEARD[name] = heard(name)
    return _HEARD[name]


def _shares_a_sign(piece: str, places: Places, sounds: tuple[str, ...]) -> bool:
    """Two syllables of one sound are too common in Chinese: a name of two must share a sign with what was
    typed.
    """
    if len(sounds) > 2:
        return True
    names = {places._by_id[i].name for i in places._sounded[sounds]}
    return any(set(piece) & set(name) for name in names)


def _detail(said: str, end: int) -> str:
    match = _DETAIL.match(said[end:])
    return match[1].strip() if match else ""


def spot_words(text: str) -> bool:
    """Whether a sentence holds a word for a place at all: 楼下, 门口, 路口, 学校."""
    return _SPOT.search(plain(text)) is not None
