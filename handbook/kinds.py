"""Which kind of case a report is, told by the book's words alone; a person confirms what is not sure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from handbook.danger import Danger, DangerKind, DangerSpec
from handbook.lexicon import Lexicon
from handbook.words import heard, plain, syllables

__all__ = ["CategorySpec", "Danger", "DangerKind", "DangerSpec", "Kinds", "Proposal"]


class CategorySpec(BaseModel):
    """One kind of case: a 大类 without a parent, or a 小类 with the words it is told by."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    code: str
    name: str
    parent: str | None = None
    words: tuple[str, ...] = ()
    """What people say. A+B means both in one report, in any order; ~A says little beside other words."""
    register_: Literal["appeal", "opinion", "deed"] = Field(default="appeal", alias="register")
    """诉求, 社情民意 or 办实事. Pydantic keeps the name register for itself."""
    skill: str | None = None
    """What whoever handles it should be good at; a word of the place's own."""
    usual: Literal["ordinary", "coordination", "urgent"] = "ordinary"
    """How such cases are handled as a rule; a place maps it to its grades."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a report seems to be about."""

    category: str | None = None
    """The code of a 小类; None when no word of the book was said."""
    runner_up: str | None = None
    sure: bool = False
    """Nothing else comes near; otherwise the reporter is asked."""
    words: tuple[str, ...] = ()
    """The words which spoke for the category."""


class _Pair(NamedTuple):
    words: str
    first: str
    others: tuple[str, ...]
    code: str
    apart: int
    weight: float


_Found = dict[str, dict[str, float]]  # code -> word -> its weight

_APART, _NEAR, _FAR = 25, 8, 10_000  # letters between the parts of A+B; _NEAR when one is a single letter
_LITTLE = 0.3  # 电梯里有人抽烟 is hardly about the lift; 怎么申请 may be about anything
_MORE = 0.15  # of each further word: 路灯不亮 and 路灯 are not two reasons
_BESIDE = "下里内旁边前后上外"
_BESIDE_LONG = ("附近", "对面", "门口", "周边")
_ENOUGH, _AHEAD = 2.4, 1.0
_READ = 400  # letters; whatever comes later is no longer the point


class Kinds:
    """The book's categories, compiled once.

    Args:
        categories: 大类 and 小类 in any order; only those with a parent are proposed.

    Raises:
        ValueError: a parent which is no category.
    """

    def __init__(self, categories: Sequence[CategorySpec]) -> None:
        codes = {category.code for category in categories}
        self._weak: set[str] = set()
        self._words: dict[str, tuple[str, ...]] = {}
        self._pairs: dict[str, list[_Pair]] = {}
        for category in categories:
            if category.parent is None:
                continue
            if category.parent not in codes:
                raise ValueError(f"category {category.code}: its parent {category.parent} is no category")
            self._add(category)
        pairs = [pair for some in self._pairs.values() for pair in some]
        self._parts = frozenset(part for pair in pairs for part in (pair.first, *pair.others))
        self._lexicon = Lexicon((*self._words, *self._parts))
        self._sounds = {syllables(word): word for word in self._words if len(syllables(word)) > 1}
        self._sounding = Lexicon(self._sounds)
        self._propose = lru_cache(maxsize=256)(self._propose_anew)  # the talk and the case both ask

    def _add(self, category: CategorySpec) -> None:
        for word in (category.name, *category.words):
            parts = tuple(plain(word).lower().removeprefix("~").split("+"))
            if word.startswith("~"):
                self._weak.add(parts[0])
            if len(parts) > 1:
                self._pairs.setdefault(parts[0], []).append(_pair(parts, category.code))
            elif category.code not in self._words.get(parts[0], ()):
                self._words[parts[0]] = (*self._words.get(parts[0], ()), category.code)

    def propose(self, text: str) -> Proposal:
        """Say which kind of case a report is, so that its hours and its ladder can be found.

        Args:
            text: the report as typed.

        Returns:
            the best category, the next best, and whether the first may stand without a question.
        """
        return self._propose(text)

    def _propose_anew(self, text: str) -> Proposal:
        said = plain(text[:_READ]).lower().replace(" ", "")
        found = self._told(said)
        return _best(found, sure=True) if found else _best(self._heard(said), sure=False)

    def _told(self, said: str) -> _Found:
        """The words said, the longest at each place and none within another, and the pairs."""
        found: _Found = {}
        places: dict[str, int] = {}
        free = 0
        for at, said_word in self._lexicon.within(said):
            word = str(said_word)
            if word in self._parts:
                places.setdefault(word, at)
            if at >= free and word in self._words:
                free = at + len(word)
                little = word in self._weak or _is_landmark(said, free)
                weight = len(word) * (_LITTLE if little else 1.0)
                for code in self._words[word]:
                    found.setdefault(code, {}).setdefault(word, weight)
        for pair in self._paired(places):
            found.setdefault(pair.code, {})[pair.words] = pair.weight
        return found

    def _paired(self, places: Mapping[str, int]) -> Iterator[_Pair]:
        for first, at in places.items():
            for pair in self._pairs.get(first, ()):
                apart = pair.apart
                for other in pair.others:
                    if abs(places.get(other, _FAR) - at) > apart:
                        break
                else:
                    yield pair

    def _heard(self, said: str) -> _Found:
        """Where no word was found: words of the same sound which share a letter (路登 for 路灯)."""
        found: _Found = {}
        text = heard(said)
        for at, sounds in self._sounding.within(tuple(syllable.sound for syllable in text)):
            word = self._sounds[tuple(sounds)]
            if set(word) & {syllable.text for syllable in islice(text, at, at + len(sounds))}:
                for code in self._words[word]:
                    found.setdefault(code, {})[word] = float(len(sounds))
        return found


def _pair(parts: tuple[str, ...], code: str) -> _Pair:
    is_long = min(map(len, parts)) > 1
    weight = sum(map(len, parts)) + (1.0 if is_long else -0.5)
    return _Pair("+".join(parts), parts[0], parts[1:], code, _APART if is_long else _NEAR, weight)


def _is_landmark(said: str, at: int) -> bool:
    return (said[at : at + 1] in _BESIDE and at < len(said)) or said.startswith(_BESIDE_LONG, at)


def _best(found: _Found, *, sure: bool) -> Proposal:
    ranked = sorted(((_weight(words), code) for code, words in found.items()), key=lambda row: -row[0])
    if not ranked:
        return Proposal()
    weight, code = ranked[0]
    next_weight, runner_up = ranked[1] if len(ranked) > 1 else (0.0, None)
    clear = sure and weight >= _ENOUGH and weight - next_weight >= _AHEAD
    return Proposal(code, runner_up, clear, tuple(found[code]))


def _weight(words: Mapping[str, float]) -> float:
    best = max(words.values())
    return best + _MORE * (sum(words.values()) - best)
