"""Sizes: which grids hold more or fewer than the place's rules of grid work say; told, never enforced."""

from collections import Counter

from handbook.registry import MEASURES, SizeRule
from handlers.registry.known import Area, Known
from handlers.work import Reading


def size_warnings(reading: Reading, known: Known) -> list[str]:
    """Say of each grid that is out of size how many it holds; one that holds nothing yet is no fault."""
    return [said for rule in reading.book.registry.sizes for said in _of_rule(reading, known, rule)]


def _of_rule(reading: Reading, known: Known, rule: SizeRule) -> list[str]:
    if rule.counts in MEASURES and rule.counts != "households":
        return []  # people come in with later lists, outlines with none: the check of the tree tells
    counts = _counts(known, rule.counts)
    least, most, wanted = rule.least or 0, rule.most, rule.wanted
    return [
        reading.word(
            "size.many", name=area.name, count=count, what=_what(reading, rule.counts), wanted=wanted
        )
        if count >= least
        else reading.word(
            "size.few", name=area.name, count=count, what=_what(reading, rule.counts), wanted=wanted
        )
        for area in known.areas
        if rule.of in (area.level, str(area.kind))
        and known.reaches(area)
        and (count := counts[area])
        and not least <= count <= (most or count)
    ]


def _counts(known: Known, what: str) -> Counter[Area]:
    """What each area holds, its subtree counted."""
    counts: Counter[Area] = Counter()
    for home in known.homes.values() if what == "households" else ():
        assert home.area is not None
        counts[home.area] += 1
    own = Counter(counts)
    if what != "households":
        own = Counter(area for area in known.areas if what in (area.level, str(area.kind)))
    counts.clear()
    for area, count in own.items():
        above = area.upward()
        if what != "households":
            next(above)
        for holder in above:
            counts[holder] += count
    return counts


def _what(reading: Reading, counts: str) -> str:
    if counts == "households":
        return reading.word("size.households")
    names = {level.key: level.name for level in reading.book.levels}
    return names.get(counts) or reading.book.registry.kinds[counts][0]  # type: ignore[index]
