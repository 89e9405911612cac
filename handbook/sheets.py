"""The book's sheets of YAML, read with the file and line of every word, and one laid over another.

A town edits these files by hand, so a fault has to be shown where it was written. The files are data and
nothing else: true, false, null and numbers as in YAML 1.2; all other words (17:12, 2026-01-01, yes, 07) stay
text; a tag or a key written twice is a fault.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _SafeLoader  # five times as fast
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]

Scalar = str | int | float | bool | None
Content = Mapping[Scalar, "Piece"] | tuple["Piece", ...] | Scalar

_PLAIN = "tag:yaml.org,2002:"


class BookError(Exception):
    """Something in a place's book is wrong, and the program does not start before it is mended.

    Args:
        problems: one line each, `file:line: what is wrong`; the file as seen from the handbook's folder.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Piece:
    """A part of a sheet, and where it was written: a mapping's part stands on the line of its key."""

    value: Content
    file: str
    line: int

    def fault(self, what: str) -> BookError:
        """Say that this part is wrong, so that a person finds it without searching."""
        return BookError(f"{self.file}:{self.line}: {what}")

    def plain(self) -> Any:
        """Give the bare mappings, lists and words, which is what the schema checks."""
        if isinstance(self.value, Mapping):
            return {key: part.plain() for key, part in self.value.items()}
        if isinstance(self.value, tuple):
            return [part.plain() for part in self.value]
        return self.value

    def part(self, step: object) -> "Piece | None":
        """Go one step down: by key, by index, or to the member of a list whose `key` or `code` it is."""
        if isinstance(self.value, Mapping):
            return next((part for key, part in self.value.items() if str(key) == str(step)), None)
        if not isinstance(self.value, tuple):
            return None
        if isinstance(step, int):
            return self.value[step] if step < len(self.value) else None
        return next((part for part in self.value if part.name == step), None)

    @property
    def name(self) -> Scalar:
        """The word by which a member of a list is known in the book, or None."""
        found = self.part("key") or self.part("code") if isinstance(self.value, Mapping) else None
        return found.value if found and isinstance(found.value, str) else None

    def nearest(self, path: Sequence[object]) -> "Piece":
        """Follow a path as far as it goes, for a fault about something which is not there."""
        here = self
        for step in path:
            here = here.part(step) or here
        return here

    def saying(self, word: str) -> "Piece | None":
        """Find the first part which is this very word, for a fault which tells the word and not its place."""
        if self.value == word:
            return self
        parts = self.value.values() if isinstance(self.value, Mapping) else self.value
        within = parts if isinstance(parts, Iterable) and not isinstance(parts, str) else ()
        return next((found for part in within if (found := part.saying(word))), None)

    def items(self) -> Iterator[tuple[str, "Piece"]]:
        """List the parts of a mapping.

        Raises:
            BookError: the piece is a list or a word.
        """
        if not isinstance(self.value, Mapping):
            raise self.fault("names and values are wanted here, as in `name: value`")
        yield from ((str(key), part) for key, part in self.value.items())


def read_sheet(path: Path, shown_as: str) -> Piece:
    """Read one YAML file as plain data; an empty one is an empty mapping.

    Raises:
        BookError: no UTF-8, no YAML, a tag, a key written twice, or a part which holds itself.
    """
    try:
        node = _Loader(path.read_text(encoding="utf-8")).get_single_node()
        return _Reader(shown_as).piece(node) if node else Piece({}, shown_as, 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BookError(f"{shown_as}:{mark.line + 1 if mark else 1}: {error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BookError(f"{shown_as}:1: {error}") from error


def lay_over(base: Piece, over: Piece) -> Piece:
    """Lay a place's own words over the default, so that a place writes down only what differs.

    Mappings join key by key, anything else replaces, and null takes a key out (the merge patch of RFC 7396).

    Raises:
        BookError: null for a key which the default does not have.
    """
    if not isinstance(over.value, Mapping):
        return over
    known = base.value if isinstance(base.value, Mapping) else {}
    joined = dict(known)
    for key, part in over.value.items():
        if part.value is None:
            if joined.pop(key, None) is None:
                raise part.fault(f"{key}: the default has nothing here to take out")
        else:
            joined[key] = lay_over(known.get(key, Piece(None, part.file, part.line)), part)
    return Piece(joined, over.file, over.line)


def join_by_name(base: Piece, over: Piece) -> Piece:
    """Lay a list over a list member by member, by their `key` or `code`; a new name is added at the end.

    Raises:
        BookError: as `lay_over`.
    """
    if not isinstance(base.value, tuple) or not isinstance(over.value, tuple):
        return over
    members = {part.name or index: part for index, part in enumerate(base.value)}
    for index, part in enumerate(over.value):
        known = members.get(part.name or "")
        members[part.name or -1 - index] = lay_over(known, part) if known else part
    return Piece(tuple(members.values()), over.file, over.line)


class _Loader(_SafeLoader):
    """SafeLoader with the few plain words of YAML 1.2, for 17:12 is a time here and no sexagesimal number."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver(f"{_PLAIN}null", re.compile(r"(null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver(f"{_PLAIN}bool", re.compile(r"(true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(f"{_PLAIN}int", re.compile(r"-?(0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    f"{_PLAIN}float", re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789")
)


@dataclass
class _Reader:
    """Turns composed nodes into pieces of one file."""

    file: str
    above: list[int] = field(default_factory=list)

    def piece(self, node: yaml.Node, line: int | None = None) -> Piece:
        line = line or node.start_mark.line + 1
        if id(node) in self.above:
            raise BookError(f"{self.file}:{line}: this part holds itself")
        self.above.append(id(node))
        value = self._value(node, line)
        self.above.pop()
        return Piece(value, self.file, line)

    def _value(self, node: yaml.Node, line: int) -> Content:
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_PLAIN}map":
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_PLAIN}seq":
            return tuple(self.piece(member) for member in node.value)
        if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_PLAIN) in _WORDS:
            return self._word(node, line)
        raise BookError(f"{self.file}:{line}: {node.tag} is not plain data")

    def _word(self, node: yaml.ScalarNode, line: int) -> Scalar:
        kind = node.tag.removeprefix(_PLAIN)
        try:
            return _WORDS[kind](node.value)
        except (ValueError, KeyError):
            raise BookError(f"{self.file}:{line}: {node.value} is no {kind}") from None

    def _mapping(self, node: yaml.MappingNode) -> dict[Scalar, Piece]:
        found: dict[Scalar, Piece] = {}
        for key_node, value_node in node.value:
            key = self.piece(key_node)
            if isinstance(key.value, Mapping | tuple):
                raise key.fault("a name must be one word")
            if key.value in found:
                raise key.fault(f"{key.value} is written twice")
            found[key.value] = self.piece(value_node, key.line)
        return found


_WORDS: dict[str, Callable[[str], Scalar]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": {"true": True, "false": False}.__getitem__,
    "null": lambda _: None,
}
