"""Which known place a sentence means: names as people type them, the sender's own grid first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from handbook.addresses import (
    BEFORE,
    Part,
    detail_after,
    first_detail,
    parts_beside,
    spot_words,
    stands_in_unknown,
)
from handbook.gazetteer import Entry, Gazetteer, Key, Mention, Range
from handbook.words import plain

__all__ = ["Candidate", "Entry", "Guess", "Places", "spot_words"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place for a numbered question."""

    id: int
    name: str
    score: float
    """1 as written, less for every letter which differs."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What place a sentence seems to mean."""

    best: int | None = None
    """The likeliest place, sure or not."""
    sure: bool = False
    """It may be taken; otherwise the candidates are asked."""
    candidates: tuple[Candidate, ...] = ()
    span: tuple[int, int] = (0, 0)
    """Where the place stands in the `plain` text."""
    detail: str = ""
    """The rest of the address as typed: 2单元501."""


class _Hit(NamedTuple):
    """An entry, what speaks for it, and how far its numbered parts were followed."""

    order: int
    tier: int
    score: float
    mention: Mention | None
    used: tuple[Part, ...]


_READ = 160  # letters; a place stands at the beginning
_LONG_WAY = 12  # letters between a name and a number which belongs to it
_SURE = 0.6
_MARGIN = 0.75  # of a letter's price between the likeliest name and its rival at the same spot
_EXACT = 0.05
_WITHIN = 0.1  # what it adds when a place above is named too
_AREAS = frozenset({"grid", "micro", "section", "group", "team", "lane", "phase"})


class Places:
    """The names of a tree of grids, indexed once.

    Args:
        entries: its nodes in any order.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._gazetteer = Gazetteer(entries)

    def find(self, text: str, within: Sequence[str] = (), limit: int = 5) -> Guess:
        """Say which place a sentence means, so that nobody has to walk down a tree of menus.

        Args:
            text: a message as typed.
            within: paths whose subtrees are searched, the sender's own grid first; empty for all.
            limit: the most candidates to give.

        Returns:
            the place and what is left of the address; no best where none is named.
        """
        said = plain(text[:_READ])
        tiers = [self._gazetteer.range_of(path) for path in within] or [(0, len(self._gazetteer.entries))]
        mentions = _strongest(self._gazetteer.mentions(said, _joined(tiers)))
        parts = parts_beside(said, {mention.end for mention in mentions})
        hits = [hit for some in _alternatives(parts) for hit in self._hits(said, mentions, some, tiers)]
        if not hits:
            return Guess(detail=first_detail(said, parts))
        ranked = sorted(hits, key=lambda hit: (-hit.score, hit.tier, hit.order))
        return self._guess(said, parts, ranked, limit)

    def _hits(
        self, said: str, mentions: list[Mention], parts: tuple[Part, ...], tiers: Sequence[Range]
    ) -> list[_Hit]:
        return self._named(mentions, parts, tiers) or self._only_numbered(said, parts, tiers)

    def _guess(self, said: str, parts: tuple[Part, ...], ranked: Sequence[_Hit], limit: int) -> Guess:
        entries = self._gazetteer.entries
        scores: dict[int, float] = {}
        for hit in ranked:
            scores.setdefault(hit.order, round(min(1.0, hit.score), 3))
        candidates = [
            Candidate(entries[order].id, entries[order].name, score) for order, score in scores.items()
        ]
        span = _span(ranked[0])
        left = tuple(part for part in parts if part not in ranked[0].used)
        return Guess(
            best=entries[ranked[0].order].id,
            sure=_is_sure(said, ranked),
            candidates=tuple(candidates[:limit]),
            span=span,
            detail=detail_after(said, span[1], left),
        )

    def _named(self, mentions: list[Mention], parts: tuple[Part, ...], tiers: Sequence[Range]) -> list[_Hit]:
        hits = [hit for mention in mentions for hit in self._held(mention, parts, tiers)]
        return self._deepest(hits)

    def _held(self, mention: Mention, parts: tuple[Part, ...], tiers: Sequence[Range]) -> list[_Hit]:
        """The entries which bear a name, followed down by the numbers said after it."""
        score = 1.0 - mention.cost / max(1, len(mention.name))
        after = tuple(part for part in parts if mention.end <= part.end <= mention.end + _LONG_WAY)
        hits: list[_Hit] = []
        for order, own in mention.holders:
            used = tuple(part for part in after if part.key in own)
            left = tuple(part for part in after if part not in used)
            missing = 0.2 * (len(own) - len(used))
            for deeper, followed in self._followed(order, left, tiers):
                hits.append(_Hit(deeper, _tier(deeper, tiers), score - missing, mention, (*used, *followed)))
        most = max((len(hit.used) for hit in hits), default=0)
        return [hit for hit in hits if len(hit.used) == most]

    def _followed(
        self, order: int, parts: tuple[Part, ...], tiers: Sequence[Range]
    ) -> list[tuple[int, tuple[Part, ...]]]:
        """Go down from an entry by numbers: 3栋 of 幸福小区; several ends when several bear the number."""
        ends: list[tuple[int, tuple[Part, ...]]] = [(order, ())]
        for part in parts:
            deeper = [
                (below, (*used, part)) for end, used in ends for below in self._below(end, part.key, tiers)
            ]
            ends = deeper or ends
        return ends

    def _below(self, order: int, key: Key, tiers: Sequence[Range]) -> list[int]:
        low, high = self._gazetteer.range_of(self._gazetteer.entries[order].path)
        below = self._gazetteer.numbered(key, (low + 1, high))
        nearest = min((_tier(found, tiers) for found in below), default=0)
        return [found for found in below if _tier(found, tiers) == nearest]

    def _only_numbered(self, said: str, parts: tuple[Part, ...], tiers: Sequence[Range]) -> list[_Hit]:
        """A bare 3栋 means the one in the sender's own grid, or has to be asked."""
        for at, part in enumerate(parts):
            for tier, within in enumerate(_own_first(tiers)):
                if found := self._gazetteer.numbered(part.key, within):
                    near = tier == 0 and not stands_in_unknown(said, part.start)
                    return self._down_from(found, parts[at:], tiers, near=near)
        return []

    def _down_from(
        self, found: Sequence[int], parts: tuple[Part, ...], tiers: Sequence[Range], *, near: bool
    ) -> list[_Hit]:
        ends = [
            (order, (parts[0], *used))
            for top in found
            for order, used in self._followed(top, parts[1:], tiers)
        ]
        most = max(len(used) for _, used in ends)
        clear = near or (most > 1 and parts[0].kind in _AREAS)
        score = 1.0 if clear else _SURE - 0.1
        return [
            _Hit(order, _tier(order, tiers), score, None, used) for order, used in ends if len(used) == most
        ]

    def _deepest(self, hits: list[_Hit]) -> list[_Hit]:
        """Of 桂花镇 and 幸福社区 in one sentence the lower one is meant, and it is meant more surely."""
        entries = self._gazetteer.entries
        kept: list[_Hit] = []
        for hit in hits:
            path = entries[hit.order].path
            others = {
                entries[other.order].path
                for other in hits
                if other.mention is not hit.mention and other.order != hit.order
            }
            if not any(other.startswith(path) for other in others):
                within = any(path.startswith(other) for other in others)
                kept.append(hit._replace(score=hit.score + (_WITHIN if within else 0.0)))
        return kept


def _tier(order: int, tiers: Sequence[Range]) -> int:
    return next((tier for tier, (low, high) in enumerate(tiers) if low <= order < high), len(tiers))


def _joined(tiers: Sequence[Range]) -> list[Range]:
    """The ranges without their overlaps."""
    joined: list[Range] = []
    for low, high in sorted(tiers):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def _own_first(tiers: Sequence[Range]) -> Sequence[Range]:
    """Somebody who lives in a building says 3栋 of its neighbour: their own grid is the one around it."""
    own_is_single = len(tiers) > 1 and tiers[0][1] - tiers[0][0] <= 1
    return tiers[1:] if own_is_single else tiers


def _alternatives(parts: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """3栋和5栋之间 names two houses: each is tried."""
    for part in parts:
        twins = [other for other in parts if other.kind == part.kind and other.number != part.number]
        if twins:
            rest = tuple(other for other in parts if other.kind != part.kind)
            return [tuple(sorted((twin, *rest), key=lambda one: one.start)) for twin in (part, *twins)]
    return [parts]


def _strongest(mentions: Sequence[Mention]) -> list[Mention]:
    """At each spot the names for which most letters speak, and their rivals within the margin."""
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda found: (-found.weight, found.cost)):
        over = [other for other in kept if other.start < mention.end and mention.start < other.end]
        beaten = any(
            other.weight - mention.weight >= _MARGIN or other.cost < _EXACT <= mention.cost for other in over
        )
        if not beaten:
            kept.append(mention)
    return kept


def _is_sure(said: str, ranked: Sequence[_Hit]) -> bool:
    best = ranked[0]
    rivals = [hit for hit in ranked[1:] if hit.order != best.order]
    told = best.mention is None or _is_told(said, best.mention, best.used)
    return told and best.score >= _SURE and not any(_rivals(best, hit) for hit in rivals)


def _is_told(said: str, mention: Mention, used: tuple[Part, ...]) -> bool:
    """A homophone or a letter left out is still the name; another letter may be another place."""
    placed = mention.start == 0 or said[mention.start - 1] in BEFORE
    if mention.short:
        return placed or bool(used) or spot_words(said[mention.end : mention.end + 3])
    begun = placed or said[mention.start] == mention.name[0]  # 湖小区 within 西湖小区 is not 东湖小区
    left_out = mention.end - mention.start < len(mention.name)
    return mention.cost <= 0.5 or (left_out and begun and mention.cost <= 1.15)


def _rivals(best: _Hit, other: _Hit) -> bool:
    """Whether a second place could as well be meant: not one of the same name farther away."""
    if best.mention is None or other.mention is None:
        return best.mention is other.mention and best.tier == other.tier
    if best.mention == other.mention and best.score - other.score >= _WITHIN - 0.01:
        return False
    same_spot = best.mention.start < other.mention.end and other.mention.start < best.mention.end
    farther = best.tier < other.tier and best.mention.cost <= other.mention.cost
    return not (same_spot and farther and best.mention.cost < _EXACT)


def _span(hit: _Hit) -> tuple[int, int]:
    starts = [part.start for part in hit.used] + ([hit.mention.start] if hit.mention else [])
    ends = [part.end for part in hit.used] + ([hit.mention.end] if hit.mention else [])
    return min(starts), max(ends)
