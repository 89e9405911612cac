"""Finds the words of a book in a text: one look at each letter, however many words there are."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Lexicon(Generic[Item]):
    """Words as sequences: letters of a string, or sounds of a tuple.

    Args:
        words: none of them empty, and all of the same type as the texts.
    """

    def __init__(self, words: Iterable[Sequence[Item]]) -> None:
        self._words = frozenset(words)
        self._single = frozenset(word[0] for word in self._words if len(word) == 1)
        sizes: dict[Sequence[Item], set[int]] = {}
        for word in self._words:
            if len(word) > 1:
                sizes.setdefault(word[:2], set()).add(len(word))
        self._sizes = {pair: tuple(sorted(found, reverse=True)) for pair, found in sizes.items()}

    def within(self, text: Sequence[Item]) -> Iterator[tuple[int, Sequence[Item]]]:
        """Give every word which stands in a text with its place; at one place the longest first."""
        for at, first in enumerate(text):
            for size in self._sizes.get(text[at : at + 2], ()):
                word = text[at : at + size]
                if word in self._words:
                    yield at, word
            if first in self._single:
                yield at, text[at : at + 1]
