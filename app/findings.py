"""What the self-check found: a sentence, and how much depends on it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    good: bool
    words: str
    wrong: bool = False
    """It must be mended before the program is relied on; else not being good is only a warning."""

    def __str__(self) -> str:
        """One line for the terminal."""
        return f"{'ok  ' if self.good else 'WRONG' if self.wrong else 'mind'} {self.words}"


def ok(sentence: str) -> Finding:
    """Something is as it should be."""
    return Finding(True, sentence)


def mind(sentence: str) -> Finding:
    """Something should be known."""
    return Finding(False, sentence)


def wrong(sentence: str) -> Finding:
    """Something must be mended."""
    return Finding(False, sentence, wrong=True)
