"""Which known phrases a mistyped word may have meant: homophones, typed pinyin, one slip of a letter.

Letters of pinyin alone are too coarse (停水 is like 停止): what they propose is checked by syllables.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from handbook.words import Syllable, heard, nearest

_ENOUGH = 75  # of 100; channels.md 6.5, measured on homophone typos and on chatter
_SAME = 90


class Alike(NamedTuple):
    """A phrase which sounds like what was said."""

    phrase: str
    score: float
    """0 to 100, by the letters of the pinyin."""
    same: bool
    """Nothing differs but the choice of letters for the same sounds."""


class Likeness:
    """Known phrases, compiled once; those of one syllable are left out, for too much sounds like them.

    Args:
        phrases: `plain` and in lower case.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = tuple(phrase for phrase in phrases if len(heard(phrase)) > 1)
        self._sounds = tuple(_joined(heard(phrase)) for phrase in self._phrases)

    def near(self, word: str) -> list[Alike]:
        """Find the phrases a word may have meant, best first, so that a slip need not be typed again.

        Args:
            word: two to six letters, or a run of typed pinyin; `plain` and in lower case.

        Returns:
            at most twelve phrases; none for a word of another length.
        """
        said = heard(word)
        typed = word.isascii()
        if not said or (not typed and not 2 <= len(said) <= 6):
            return []
        scored = process.extract(
            _joined(said), self._sounds, scorer=fuzz.ratio, score_cutoff=_ENOUGH, limit=12
        )
        found = []
        for _, score, index in scored:
            slips = 0 if typed else _slips(said, heard(self._phrases[index]))
            if slips is not None:
                found.append(Alike(self._phrases[index], score, slips == 0 and score >= _SAME))
        return found


def _joined(said: Sequence[Syllable]) -> str:
    return "".join(syllable.sound for syllable in said)


def _slips(said: Sequence[Syllable], meant: Sequence[Syllable]) -> int | None:
    """How many syllables differ: none, a little in one, one of many; None when it is another word."""
    if len(said) != len(meant):
        return 1 if max(len(said), len(meant)) > 3 and nearest(meant, said).cost <= 1 else None
    off = [(one.sound, other.sound) for one, other in zip(said, meant, strict=True) if one.soft != other.soft]
    if len(off) == 1 and (len(said) > 3 or Levenshtein.distance(*off[0]) == 1):
        return 1
    return None if off else 0
