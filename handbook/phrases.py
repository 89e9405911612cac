"""Which command a message begins with, told by the book's phrases alone.

A command is only heard where a sentence begins (after please, a greeting or a number) and its phrase ends:
退回押金的事没人管 reports something, 退回 不是我的片区 gives a case back. What stays free text may become
a report; what is heard wrongly would act. So in doubt nothing is heard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from handbook import openings as grammar
from handbook.likeness import Alike, Likeness
from handbook.pointing import Pointed, pointed_at
from handbook.words import lowered, plain

Certainty = Literal["exact", "likely", "maybe"]


class PhraseSpec(BaseModel):
    """The words of one command.

    A phrase which ends with … may be followed by its object at once (转给…), one which ends with N by any
    number (延期N: 延期3天).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phrases: Annotated[tuple[str, ...], Field(min_length=1)]
    harmless: bool = False
    """It changes nothing, so it may run though it was only heard likely."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message asks for."""

    command: str | None = None
    """Never a command which was declined: 别催了 hears nothing."""
    certainty: Certainty | None = None
    """exact may run; likely may run when harmless, else it is asked; maybe only suggests."""
    numbers: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    """The numbers as written, and whole case numbers such as 0301-0001."""
    rest: str = ""
    """What else was said; the whole message when no command was heard."""
    suggestions: tuple[str, ...] = ()
    """Up to three commands, best first; when negated, the command which was declined."""
    negated: bool = False


class _Phrase(NamedTuple):
    command: str
    text: str
    takes: Literal["", "…", "N"]
    negative: bool


_NEGATIVE = re.compile("[不别没未勿莫甭否无]")
_TALE = re.compile("[了过的给是得着吗么没不]")  # 上报给物业, 投诉过三次, 接单吗: no order
_COURTESY = frozenset({"hello", "thanks", "ack"})
_ANSWERS = _COURTESY | {"yes", "no"}
_WORD = 4  # letters of a phrase which may run though it was mistyped
_SHORT, _ATTACHED = 8, 12  # letters of a first clause


class Phrases:
    """The book's phrases, compiled once.

    Args:
        spec: command -> its phrases.

    Raises:
        ValueError: a phrase belongs to two commands.
    """

    def __init__(self, spec: Mapping[str, PhraseSpec]) -> None:
        self._harmless = frozenset(command for command, its in spec.items() if its.harmless)
        self._phrases: dict[str, _Phrase] = {}
        for command, its in spec.items():
            for written in its.phrases:
                self._add(command, written)
        self._longest = max(map(len, self._phrases), default=0)
        self._likeness = Likeness(self._phrases)

    def _add(self, command: str, written: str) -> None:
        takes: Literal["", "…", "N"] = "…" if written.endswith("…") else "N" if written.endswith("N") else ""
        text = lowered(plain(written.removesuffix(takes)))
        phrase = _Phrase(command, text, takes, bool(_NEGATIVE.search(text)))
        known = self._phrases.setdefault(text, phrase)
        if known.command != command:
            raise ValueError(f"{written} belongs to {known.command} and to {command}")

    def hear(self, text: str) -> Heard:
        """Say which command a message asks for, so that a person needs no form and no exact word.

        Args:
            text: one message as typed.

        Returns:
            the command with the numbers and words around it, or suggestions, or a free text.
        """
        said = plain(text)
        low = lowered(said)
        whole = self._phrases.get(low) or self._phrases.get(grammar.bare(low))
        if whole and (whole.text == low or not self._asked(low, len(low) - 1, whole)):
            return Heard(whole.command, "exact")
        return self._opened(said, low) or self._guessed(said, low) or _free(said, low)

    def _asked(self, low: str, at: int, phrase: _Phrase) -> bool:
        """接单? asks back; 进度? is the same as 进度."""
        return low[at : at + 1] == "?" and phrase.command not in self._harmless

    def _opened(self, said: str, low: str) -> Heard | None:
        for at, pointed in grammar.openings(low):
            found = self._begun(said, low, at, pointed) or self._declined(said, low, at)
            if found:
                return found
        return None

    def _begun(self, said: str, low: str, at: int, pointed: Pointed | None) -> Heard | None:
        if low[at : at + 1].isdigit():
            return None  # 0 is a phrase, 0301-0001 begins with none
        for size in range(min(self._longest, len(low) - at), 0, -1):
            phrase = self._phrases.get(low[at : at + size])
            if phrase and (end := _end_of(low, at + size, phrase)):
                return self._with_rest(said, low, end, phrase, pointed)
        return None

    def _with_rest(self, said: str, low: str, end: int, phrase: _Phrase, pointed: Pointed | None) -> Heard:
        if self._asked(low, end, phrase):
            return Heard(None, "maybe", rest=said, suggestions=(phrase.command,))
        start = grammar.past_signs(low, end)
        if phrase.command == "yes" and low[end - 1] == "了" and start < len(said):
            return _free(said, low)
        if phrase.command in _COURTESY and start < len(said):
            return self._after_courtesy(said[start:], phrase)
        if pointed is None and (pointed := pointed_at(low, start)):
            start = grammar.past_signs(low, pointed.end)
        numbers, codes = (pointed.numbers, pointed.codes) if pointed else ((), ())
        return Heard(phrase.command, "exact", numbers, codes, said[start:])

    def _after_courtesy(self, rest: str, phrase: _Phrase) -> Heard:
        more = self.hear(rest)
        is_ack = phrase.command == "ack"
        if more.command or (more.suggestions and not is_ack):
            return more
        keeps = is_ack or phrase.takes == "…" or len(grammar.clause(rest)) < 4
        return Heard(phrase.command, "exact", rest=rest) if keeps else more

    def _declined(self, said: str, low: str, at: int) -> Heard | None:
        """不上报, 取消上报, 先别催: the command is named in order not to happen."""
        start = grammar.past_denial(low, at)
        if start == at:
            return None
        short = len(grammar.clause(low, at)) <= _SHORT
        for size in range(self._longest, 0, -1):
            phrase = self._phrases.get(low[start : start + size])
            if phrase and phrase.command not in _ANSWERS and (short or _end_of(low, start + size, phrase)):
                return Heard(rest=said, suggestions=(phrase.command,), negated=True)
        return None

    def _guessed(self, said: str, low: str) -> Heard | None:
        for at, pointed in reversed(list(grammar.openings(low))):
            found = self._sounds_like(said, low, at, pointed)
            if found:
                return found
        return self._closes(said, low)

    def _sounds_like(self, said: str, low: str, at: int, pointed: Pointed | None) -> Heard | None:
        word = grammar.word(low, at)
        end = at + len(word)
        if _NEGATIVE.search(word) or word.startswith("取消"):
            return self._sounds_negative(said, word) if grammar.ends_at(low, end) else None
        near = self._near(word)
        if near and self._sounds_same(low, end, near):
            phrase = self._phrases[near[0].phrase]
            return replace(self._with_rest(said, low, end, phrase, pointed), certainty="likely")
        if not near or pointed or grammar.bare(low[end:]):
            return None
        return Heard(None, "maybe", rest=said, suggestions=self._commands(near))

    def _sounds_same(self, low: str, end: int, near: list[Alike]) -> bool:
        best = self._phrases[near[0].phrase]
        rivals = {self._phrases[alike.phrase].command for alike in near if alike.score == near[0].score}
        if not near[0].same or best.negative or len(best.text) > _WORD or len(rivals) > 1:
            return False
        return grammar.ends_at(low, end) or bool(best.takes) or pointed_at(low, end) is not None

    def _sounds_negative(self, said: str, word: str) -> Heard | None:
        kept = [alike for alike in self._near(word) if self._phrases[alike.phrase].negative]
        if kept:
            return Heard(None, "maybe", rest=said, suggestions=self._commands(kept))
        declined = self._near(word[grammar.past_denial(word, 0) :])
        if not declined or not declined[0].same:
            return None
        return Heard(rest=said, suggestions=self._commands(declined)[:1], negated=True)

    def _near(self, word: str) -> list[Alike]:
        return self._likeness.near(grammar.without_last_particles(word))

    def _commands(self, near: list[Alike]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._phrases[alike.phrase].command for alike in near))[:3]

    def _closes(self, said: str, low: str) -> Heard | None:
        """A short sentence may also end with its command (电梯修好了), which is worth a question."""
        clause = grammar.clause(low)
        if len(clause) > _SHORT or grammar.bare(low[len(clause) :]):
            return None
        for size in range(len(clause) - 1, 2, -1):
            phrase = self._phrases.get(clause[-size:])
            if phrase and (phrase.negative or not _NEGATIVE.search(clause[:-size])):
                return Heard(None, "maybe", rest=said, suggestions=(phrase.command,))
        return None


def _end_of(low: str, at: int, phrase: _Phrase) -> int | None:
    """Where the phrase ends with its particles, if it ends where a command would."""
    end = grammar.past_particles(low, at)
    if grammar.ends_at(low, end):
        return end
    if low[end].isdigit() or low[end] == "第":
        return end if phrase.takes or _takes_number(low, end, phrase) else None
    attached = phrase.takes == "…" and end == at and len(grammar.clause(low)) <= _ATTACHED
    return end if attached and not _TALE.match(low, end) else None


def _takes_number(low: str, at: int, phrase: _Phrase) -> bool:
    """接单1 does; 任务3 办结 is about a task, and says another command."""
    pointed = pointed_at(low, at)
    is_noun = grammar.past_noun(phrase.text, 0) == len(phrase.text)
    return pointed is not None and (not is_noun or not grammar.bare(low[pointed.end :]))


def _free(said: str, low: str) -> Heard:
    pointed = pointed_at(low)
    if pointed and not grammar.bare(low[pointed.end :]):
        return Heard(numbers=pointed.numbers, codes=pointed.codes)
    return Heard(rest=said)
