"""Whether a report tells of danger to life, so that the right emergency number comes before any question."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    advice: str
    words: Annotated[tuple[str, ...], Field(min_length=1)]
    """A+B means both within one clause, in any order; a part @谁 stands for any word of that group."""
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
    now: tuple[str, ...] = ()
    """These make a clause an alarm though it holds a calm word: 去年着火的地方又着火了."""


@dataclass(frozen=True, slots=True)
class DangerKind:
    """The danger a report tells of."""

    key: str
    name: str
    call: str
    advice: str
    word: str
    """The word which gave it away."""


class _Sign(NamedTuple):
    key: str
    word: str
    others: tuple[re.Pattern[str], ...]


_CLAUSES = re.compile(r"[\s,。.!?;:、~…]+")
_SPELT = re.compile(r"(?<!\S)(\S) (?=\S(?:\s|$))")  # 着 火 了, written letter by letter
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
        self._signs: dict[str, list[_Sign]] = {}
        for key, kind in spec.kinds.items():
            for word in kind.words:
                self._add(key, word)
        self._lexicon = Lexicon(self._signs)
        alone = [word for word, signs in self._signs.items() if any(not sign.others for sign in signs)]
        self._sounds = {syllables(word): word for word in alone if len(heard(word)) >= _LONG_ENOUGH}
        self._sounding = Lexicon(self._sounds)

    def _add(self, key: str, word: str) -> None:
        first, *others = (self._meant(part) for part in plain(word).lower().split("+"))
        sign = _Sign(key, word, tuple(_any_of(part) for part in others))
        for part in first:
            self._signs.setdefault(part, []).append(sign)

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
        said = _SPELT.sub(r"\1", plain(text[:_READ]).lower())
        if self._drill.search(said):
            return None
        clauses = [clause for clause in _CLAUSES.split(self._masks.sub("_", said)) if self._alarms(clause)]
        found = [sign for clause in clauses for sign in (*self._told(clause), *self._heard(clause))]
        if not found:
            return None
        key, word = min(found, key=lambda sign: self._ranks[sign[0]])
        kind = self._spec.kinds[key]
        return DangerKind(key, kind.name, kind.call, kind.advice, word)

    def _alarms(self, clause: str) -> bool:
        return not self._calm.search(clause) or self._now.search(clause) is not None

    def _told(self, clause: str) -> Iterator[tuple[str, str]]:
        for _, first in self._lexicon.within(clause):
            for sign in self._signs[str(first)]:
                if all(part.search(clause) for part in sign.others):
                    yield sign.key, sign.word

    def _heard(self, clause: str) -> Iterator[tuple[str, str]]:
        """着伙了 for 着火了: the same sounds in a row, and at least one letter the same."""
        text = heard(clause)
        for at, sounds in self._sounding.within(tuple(syllable.sound for syllable in text)):
            word = self._sounds[tuple(sounds)]
            if set(word) & {syllable.text for syllable in islice(text, at, at + len(sounds))}:
                yield from ((sign.key, word) for sign in self._signs[word] if not sign.others)


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of the words, the longest first; of no words, one which is never found."""
    ordered = sorted({plain(word).lower() for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) if ordered else r"(?!)")
