"""What people call the purposes of groups."""

from handlers.work import Reading
from models import Purpose

_PURPOSES = ((Purpose.WORK, "group.words.work"), (Purpose.SERVICE, "group.words.service"))


def group_words(reading: Reading, words: str) -> tuple[Purpose | None, str]:
    """The purpose that is named, and the words without it; None where no group is."""
    for purpose, key in _PURPOSES:
        for name in reading.word(key).split():
            if name in words:
                return purpose, words.replace(name, " ", 1)
    return None, words


def purpose_word(reading: Reading, purpose: Purpose) -> str:
    """What people call the purpose of a group."""
    return reading.word("group.work" if purpose is Purpose.WORK else "group.service")
