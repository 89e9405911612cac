"""Cutting: how people write what a grid is to be split into, or which grids are to be one."""

import re
from collections.abc import Iterator

_BETWEEN = re.compile(r"[、,，;；\n]+|(?<=）)\s*(?=[^、,，;；\s])|(?<=[^\s（）])[和与](?=[^\s])")
_HELD = re.compile(r"[（(]([^（）()]*)[）)]")
_AMONG = re.compile(r"[、,，;；\s]+|(?<=\S)[和与](?=\S)")
_RUN = re.compile(r"(\d{1,4})\D{0,3}?(?:-|~|～|—|–|至|到)(\d{1,4})(\D{1,4})")
_LONGEST_RUN = 200


def parts_of(words: str) -> list[tuple[str, tuple[str, ...]]]:
    """Read 东片（1栋、3-5栋）、西片: each part's name and what was said to lie in it.

    A run of buildings is written out: 3-5栋 is 3栋, 4栋 and 5栋.
    """
    held: list[str] = []

    def aside(found: re.Match[str]) -> str:
        held.append(found[1])
        return f"（{len(held) - 1}）"

    return [
        _part(part.strip(), held) for part in _BETWEEN.split(_HELD.sub(aside, words)) if part and part.strip()
    ]


def _part(part: str, held: list[str]) -> tuple[str, tuple[str, ...]]:
    found = _HELD.search(part)
    return _HELD.sub("", part).strip(), tuple(_places(held[int(found[1])])) if found else ()


def _places(words: str) -> Iterator[str]:
    for part in _AMONG.split(words):
        run = _RUN.fullmatch(part)
        if run and int(run[1]) <= int(run[2]) <= int(run[1]) + _LONGEST_RUN:
            yield from (f"{number}{run[3]}" for number in range(int(run[1]), int(run[2]) + 1))
        elif part:
            yield part
