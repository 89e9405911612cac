"""Whether a report tells of danger to life, so that the right emergency number comes before any question."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from handbook.lexicon import Lexicon
from handbook.words import heard, plain, syllables


class DangerKindSpec(BaseModel):
    """One kind of danger: the words it is told by, whom to call and what to do until help comes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    call: Annotated[str, Field(pattern=r"^[0-9]{3,11}$")]
    category: Annotated[str, Field(pattern=r"^[0-9]{4}$")]
    """The kind of case it is filed under when its words do not say it: 跳楼 is no noise."""
    stays: bool = False
    """没事了 does not call it off: whoever wanted to die is seen by a person all the same."""
    advice: str
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    """A+B means both within one clause, in any order; a part @谁 stands for any word of that group.

    A+~B asks for B anywhere in the message, A+!B for no B within the clause.
    """
    unless: tuple[str, ...] = ()
    """Longer words which hold one of the words and mean no danger: 火车站. They are taken out first."""


class DangerSpec(BaseModel):
    """All kinds of danger, the gravest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: dict[str, DangerKindSpec]
    groups: dict[str, tuple[str, ...]] = {}
    """Words which a part of A+B may stand for: @谁 for 老人, 孩, 人 ..."""
    unless: tuple[str, ...] = ()
    """Taken out for every kind."""
    calm: tuple[str, ...] = ()
    """A clause with one of these only talks about danger (演练, 上次, 万一), and raises no alarm."""
    drill: tuple[str, ...] = ()
    """A message with one of these raises none at all: it tells of an exercise, a film, a lecture."""
    settled: tuple[str, ...] = ()
    """A clause which ends with one of these calls off what was told up to it: 着火了,看错了."""
    over: tuple[str, ...] = ()
    """Good ends which alone call nothing off (救上来了), but are one where nothing alarms."""
    not_over: tuple[str, ...] = ()
    """With one of these a clause tells of no good end: 还没找到."""
    worse: dict[str, tuple[str, ...]] = {}
    """After an alarm these say that the danger grows or whom it threatens: 越来越大, 里面还有小孩."""
    now: tuple[str, ...] = ()
    """These make a clause an alarm though it holds a calm word: 去年着火的地方又着火了."""


@dataclass(frozen=True, slots=True)
class DangerKind:
    """The danger a report tells of."""

    key: str
    name: str
    call: str
    advice: str
    category: str
    """The code of the category to file it under when its words tell no fitting one."""
    word: str
    """The word which gave it away."""


class _Sign(NamedTuple):
    key: str
    word: str
    others: tuple[re.Pattern[str], ...]
    absent: tuple[re.Pattern[str], ...]
    anywhere: tuple[re.Pattern[str], ...]

    @property
    def alone(self) -> bool:
        return not (self.others or self.absent or self.anywhere)


_CLAUSES = re.compile(r"[\s,。.!?;:、~…]+")
_SPELT = re.compile(r"(?<!\S)(\S) (?=\S(?:\s|$))")  # 着 火 了, written letter by letter
_FAREWELL = "(?:[了啦啊呀哈哦嘞咯喽哟的呢]|谢谢|多谢|大家|你们|您|不好意思|对不起|抱歉|打扰|麻烦|辛苦)*$"
_LONG_ENOUGH = 3  # syllables of a word that may be known by its sound
_READ = 400


class Danger:
    """The book's words of danger, compiled once.

    Args:
        spec: kinds of danger and the words which call an alarm off.

    Raises:
        ValueError: a word names a group which does not exist.
    """

    def __init__(self, spec: DangerSpec) -> None:
        self._spec = spec
        self._ranks = {key: rank for rank, key in enumerate(spec.kinds)}
        unless = {word for kind in spec.kinds.values() for word in kind.unless} | set(spec.unless)
        self._masks = _any_of(unless)
        self._calm, self._now, self._drill = _any_of(spec.calm), _any_of(spec.now), _any_of(spec.drill)
        self._worse = {key: _any_of(words) for key, words in spec.worse.items()}
        self._settled = _ending_with(spec.settled)
        self._over = _ending_with((*spec.settled, *spec.over))
        self._not_over = _any_of(spec.not_over)
        self._signs: dict[str, list[_Sign]] = {}
        for key, kind in spec.kinds.items():
            for word in kind.words:
                self._add(key, word)
        self._lexicon = Lexicon(self._signs)
        alone = [word for word, signs in self._signs.items() if any(sign.alone for sign in signs)]
        self._sounds = {syllables(word): word for word in alone if len(heard(word)) >= _LONG_ENOUGH}
        self._sounding = Lexicon(self._sounds)
        self._find = lru_cache(maxsize=256)(self._find_anew)  # one message is looked at from several sides

    def _add(self, key: str, word: str) -> None:
        first, *parts = plain(word).lower().split("+")
        others = tuple(self._pattern(part) for part in parts if part[0] not in "!~")
        absent = tuple(self._pattern(part[1:]) for part in parts if part[0] == "!")
        anywhere = tuple(self._pattern(part[1:]) for part in parts if part[0] == "~")
        sign = _Sign(key, word, others, absent, anywhere)
        for part in self._meant(first):
            self._signs.setdefault(part, []).append(sign)

    def _pattern(self, part: str) -> re.Pattern[str]:
        return _any_of(self._meant(part))

    def _meant(self, part: str) -> tuple[str, ...]:
        if not part.startswith("@"):
            return (part,)
        try:
            return self._spec.groups[part[1:]]
        except KeyError:
            raise ValueError(f"danger: no group is called {part[1:]}") from None

    def find(self, text: str) -> DangerKind | None:
        """Tell whether somebody may be in danger now, so that nobody fills in a form before help is called.

        Args:
            text: the message as typed.

        Returns:
            the gravest kind of danger, or None.
        """
        return self._find(text)

    def _find_anew(self, text: str) -> DangerKind | None:
        said = _read(text)
        if self._drill.search(said):
            return None
        said = self._masks.sub("_", said)
        found = list(self._alarming(said))
        if not found:
            return None
        key, word = min(found, key=lambda sign: self._ranks[sign[0]])
        kind = self._spec.kinds[key]
        return DangerKind(key, kind.name, kind.call, kind.advice, kind.category, word)

    def is_over(self, text: str) -> bool:
        """Tell whether a message gives the all clear (火灭了, 看错了, 找到了), lest somebody is sent in vain.

        Args:
            text: the message as typed, said after an alarm.

        Returns:
            True for a good end; never for a question, nor where the message alarms itself.
        """
        said = _read(text)
        if said.endswith(("?", "吗", "没", "没有")) or self.find(text) is not None:
            return False
        return any(self._ends(clause, self._over) for clause in _CLAUSES.split(said))

    def worse(self, text: str) -> str | None:
        """Tell whether words said after an alarm must be heard at once by everybody who was alarmed.

        Args:
            text: the message as typed, said after an alarm.

        Returns:
            the kind of danger where the message alarms itself, else which sort of words tells that it
            grows or whom it threatens; None for a good end and for all else.
        """
        found = self.find(text)
        if found is not None:
            return found.key
        if self.is_over(text):
            return None
        said = _read(text)
        return next((key for key, words in reversed(self._worse.items()) if words.search(said)), None)

    def _ends(self, clause: str, good: re.Pattern[str]) -> bool:
        return good.search(clause) is not None and not self._not_over.search(clause)

    def _alarming(self, said: str) -> Iterator[tuple[str, str]]:
        """The kinds told in the clauses, without those which a later clause calls off."""
        clauses = _CLAUSES.split(said)
        settled = max(
            (at for at, clause in enumerate(clauses) if self._ends(clause, self._settled)), default=-1
        )
        for at, clause in enumerate(clauses):
            if self._alarms(clause):
                for key, word in (*self._told(clause, said), *self._heard(clause)):
                    if at > settled or self._spec.kinds[key].stays:
                        yield key, word

    def _alarms(self, clause: str) -> bool:
        return not self._calm.search(clause) or self._now.search(clause) is not None

    def _told(self, clause: str, said: str) -> Iterator[tuple[str, str]]:
        for _, first in self._lexicon.within(clause):
            for sign in self._signs[str(first)]:
                if _holds(sign, clause, said):
                    yield sign.key, sign.word

    def _heard(self, clause: str) -> Iterator[tuple[str, str]]:
        """着伙了 for 着火了: the same sounds in a row, and at least one letter the same."""
        text = heard(clause)
        for at, sounds in self._sounding.within(tuple(syllable.sound for syllable in text)):
            word = self._sounds[tuple(sounds)]
            if set(word) & {syllable.text for syllable in islice(text, at, at + len(sounds))}:
                yield from ((sign.key, word) for sign in self._signs[word] if sign.alone)


def _read(text: str) -> str:
    return _SPELT.sub(r"\1", plain(text[:_READ]).lower())


def _holds(sign: _Sign, clause: str, said: str) -> bool:
    if any(part.search(clause) for part in sign.absent):
        return False
    return all(part.search(clause) for part in sign.others) and all(
        part.search(said) for part in sign.anywhere
    )


def _ending_with(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(f"(?:{_any_of(words).pattern}){_FAREWELL}")


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of the words, the longest first; of no words, one which is never found."""
    ordered = sorted({plain(word).lower() for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) if ordered else r"(?!)")
