"""Reading an answer into a value: case, place, person, option, span or free text."""

import re
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from bot.message import Choice, Inbound
from bot.scene import Scene
from handbook.spans import SPOKEN_SPAN, spoken_span
from handbook.words import plain, syllables
from handlers.choices import Option
from handlers.command import Ask

_LEAD = re.compile(r"^[\s,,。.::;;、给由让请把到为是]+")


@dataclass(frozen=True)
class Read:
    """A value that was understood, and the words that were not used up."""

    value: Any
    rest: str = ""
    extra: dict[str, Any] | None = None
    """Further fields that the answer told on the way (the exact spot of a place)."""


@dataclass(frozen=True)
class Unclear:
    """Not understood: what to say, and what to offer."""

    text: str
    choices: tuple[Choice, ...] = ()


Reading = Read | Unclear | None
"""None: the words hold nothing for this field."""


def read(scene: Scene, ask: Ask, text: str, inbound: Inbound | None) -> Reading:
    """Read the answer to a question, or try the words of the opening sentence on it (inbound None)."""
    if ask.kind == "text":
        return Read(text.strip()) if text.strip() else None
    if ask.kind == "place":
        return _place(scene, text, inbound)
    if ask.kind == "span":
        return _span(text, alone=inbound is not None)
    if ask.kind == "case":
        return _case(scene, ask, text)
    if ask.kind == "person":
        return _named(scene.options(ask.among or ""), text, "slot.person")
    if ask.kind == "option":
        return _option(scene, ask, text)
    return None


def lead_off(text: str) -> str:
    """Words without the particles that link them to what stood before (给, 由, commas)."""
    return _LEAD.sub("", text).strip()


def _place(scene: Scene, text: str, inbound: Inbound | None) -> Reading:
    if inbound is not None and inbound.place is not None:
        node = scene.work.tree.nearest(inbound.place.lat, inbound.place.lon)
        if node is None:
            return Unclear("slot.place_far")
        return Read(node.id, extra={"lat": inbound.place.lat, "lon": inbound.place.lon})
    if not text.strip():
        return None
    guess = scene.find_place(text)
    if guess.sure and guess.best is not None:
        return Read(guess.best, extra={"spot": guess.detail} if guess.detail else None)
    if guess.candidates:
        return Unclear("slot.place_which", place_choices(scene, [c.id for c in guess.candidates[:6]]))
    return Unclear("slot.place_unknown", place_choices(scene, scene.areas()))


def place_choices(scene: Scene, grids: list[int]) -> tuple[Choice, ...]:
    """Numbered places for a question."""
    names = scene.work.tree.told_apart(grids)
    return tuple(Choice(label=name, known={"value": grid}) for name, grid in zip(names, grids, strict=True))


def _span(text: str, *, alone: bool) -> Reading:
    found = SPOKEN_SPAN.search(text)
    words = found.group(0) if found else (f"{text.strip()}天" if alone and text.strip().isdigit() else "")
    if not words:
        return Unclear("slot.span") if alone else None
    try:
        span = spoken_span(words)
    except ValueError:
        return Unclear("slot.span")
    rest = (text[: found.start()] + text[found.end() :]) if found else ""
    return Read(str(span), lead_off(rest))


def _case(scene: Scene, ask: Ask, text: str) -> Reading:
    number = re.search(r"(?<!\d)(\d{4,9})(?!\d)", plain(text))
    if number:
        return Read(int(number.group(1)), lead_off(text.replace(number.group(1), "", 1)))
    found = [o for o in scene.options(ask.among or "") if text.strip() and text.strip() in o.label]
    return Read(found[0].value) if len(found) == 1 else None


def _named(options: list[Option], text: str, unclear: str) -> Reading:
    """A person by name, by role and name, or by 老张/李队 where only one fits."""
    words = lead_off(text)
    if not words:
        return None
    for option in options:
        for name in _spoken_names(option.label):
            if name and name in words:
                return Read(option.value, lead_off(words.replace(name, "", 1)))
    near = process.extract(
        " ".join(syllables(words[:12])),
        {o.value: " ".join(syllables(o.label)) for o in options},
        scorer=fuzz.partial_ratio,
        limit=3,
        score_cutoff=85,
    )
    if len(near) == 1 and len(words) <= 6:
        return Read(near[0][2])
    return Unclear(unclear, tuple(Choice(label=o.label, known={"value": o.value}) for o in options[:9]))


def _spoken_names(label: str) -> tuple[str, ...]:
    """网格员李强 -> 网格员李强, 李强; names are two to four characters at the end of the label."""
    return (label, *(label[-n:] for n in (4, 3, 2) if len(label) > n))


def _option(scene: Scene, ask: Ask, text: str) -> Reading:
    options = scene.options(ask.among or "")
    words = lead_off(text)
    if not words:
        return None
    exact = [o for o in options if o.label == words] or [
        o for o in options if o.label in words or words in o.label
    ]
    if len(exact) == 1:
        return Read(exact[0].value, lead_off(words.replace(exact[0].label, "", 1)))
    if ask.among == "categories" and not exact:
        proposal = scene.work.book.kinds.propose(words)
        if proposal.category is not None and proposal.sure:
            return Read(proposal.category)
    near = exact or _alike(options, words)
    return Unclear("slot.option", tuple(Choice(label=o.label, known={"value": o.value}) for o in near[:9]))


def _alike(options: list[Option], words: str) -> list[Option]:
    if len(options) <= 9:
        return options
    found = process.extract(words, [o.label for o in options], scorer=fuzz.ratio, limit=6)
    return [options[index] for _, _, index in found]
