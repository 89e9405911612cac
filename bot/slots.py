"""Reading an answer into a value: case, place, person, option, span or free text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from bot.message import Choice, Inbound
from bot.scene import Scene
from handbook.periods import spoken_period
from handbook.signs import as_written
from handbook.spans import SPOKEN_SPAN, spoken_span
from handbook.words import plain, syllables
from handlers.command import Ask
from handlers.grids.arranging import arrangeable
from handlers.grids.boundaries import grid_at
from handlers.leaves import office
from handlers.option import Option

PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_NICK = re.compile(
    r"[小老阿]([\u4e00-\u9fff])|([\u4e00-\u9fff])(?:队长?|哥|姐|工|主任|书记|站长|所长|片长|组长|师傅)"
)
"""小李, 李队: a surname as colleagues say it."""
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
        words = as_written(text.strip()) if ask.prose else text.strip()
        return Read(words) if words else None
    if ask.kind == "place":
        return _place(scene, text, inbound)
    if ask.kind in ("span", "period"):
        alone = inbound is not None
        return _span(text, alone=alone) if ask.kind == "span" else _period(scene, text, alone=alone)
    reader = _READERS.get(ask.kind)
    return reader(scene, ask, text) if reader is not None else None


def lead_off(text: str) -> str:
    """Words without the particles that link them to what stood before (给, 由, commas)."""
    return _LEAD.sub("", text).strip()


def _place(scene: Scene, text: str, inbound: Inbound | None) -> Reading:
    if inbound is not None and inbound.place is not None:
        node = grid_at(scene.work, inbound.place.lat, inbound.place.lon)
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


def _grid(scene: Scene, _: Ask, text: str) -> Reading:
    """A grid by its own name or code: nobody splits or moves what only sounds like it."""
    found = grids_called(scene, text)
    if len(found) == 1:
        return Read(found[0])
    if found:
        return Unclear("slot.place_which", place_choices(scene, found[:8]))
    return Unclear("slot.no_such_grid") if text.strip() else None


def grids_called(scene: Scene, text: str) -> list[int]:
    """The grids of one's own area that are called so: by name, alias, code, or after what lies above."""
    return arrangeable(scene.work, lead_off(text))


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


def _period(scene: Scene, text: str, *, alone: bool) -> Reading:
    words = plain(text)
    words = f"{words}天" if alone and words.isdigit() else words
    found = spoken_period(words, scene.now, office(scene.work), scene.work.book.zone)
    if found is None:
        return Unclear("slot.period") if alone else None
    return Read(str(found.period), lead_off(found.rest))


def _person(scene: Scene, ask: Ask, text: str) -> Reading:
    return named(scene.options(ask.among or ""), text, "slot.person")


def _case(scene: Scene, ask: Ask, text: str) -> Reading:
    number = re.search(r"(?<!\d)(\d{4,9})(?!\d)", plain(text))
    if number:
        return Read(int(number.group(1)), lead_off(text.replace(number.group(1), "", 1)))
    found = [o for o in scene.options(ask.among or "") if text.strip() and text.strip() in o.label]
    return Read(found[0].value) if len(found) == 1 else None


def named(options: list[Option], text: str, unclear: str) -> Reading:
    """A person by name, by role and name, or by 老张/李队 where only one fits."""
    words = lead_off(text)
    if not words:
        return None
    for option in options:
        for name in _spoken_names(option.label):
            if name and name in words:
                return Read(option.value, lead_off(words.replace(name, "", 1)))
    for nick in _NICK.finditer(words):
        meant = [option for option in options if option.called.startswith(nick[1] or nick[2])]
        if len(meant) == 1:
            return Read(meant[0].value, lead_off(words.replace(nick[0], "", 1)))
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


def called_in(options: list[Option], text: str) -> list[int]:
    """People whose names stand in a text, in the order they are named."""
    places = {int(option.value): text.find(option.called) for option in options if option.called}
    for nick in _NICK.finditer(text):
        meant = [option for option in options if option.called.startswith(nick[1] or nick[2])]
        if len(meant) == 1 and places[int(meant[0].value)] < 0:
            places[int(meant[0].value)] = nick.start()
    return sorted((person for person, at in places.items() if at >= 0), key=lambda person: places[person])


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


_READERS: Mapping[str, Callable[[Scene, Ask, str], Reading]] = {
    "case": _case,
    "person": _person,
    "option": _option,
    "grid": _grid,
}
"""How the kinds of question are read that look at nothing but the words."""
