"""Every word that is said stands in the book, every text of the book is said, and what goes in agrees."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest
import yaml

from handbook import Book
from handbook.loading import places
from handbook.spans import Unit
from handlers import catalogue, watching
from handlers.channel_names import CHANNELS
from handlers.choices import CASES
from handlers.command import Command, ask_of
from handlers.material import Media
from models import Move, State
from models.notice import NoticeState
from tests.handbook.books import book_of

ROOT = Path(__file__).parents[2]
CODE = ("app", "bot", "handlers", "scheduler", "web")
KEY_AT = {
    **dict.fromkeys(
        ("reply", "say", "Say", "Refusal", "NotFound", "NotAllowed", "Unclear", "text", "word"), 0
    ),
    "tell": 1,
    **dict.fromkeys(("tell_owner", "tell_worker", "tell_reporters"), 2),
}
"""Where the key stands among the arguments of whatever says something."""
ABOUT = frozenset({"number", "title", "what", "place", "kind", "grade", "stage", "by_when"})
"""What `about` says of a case."""
GIVEN = {"tell_owner": ABOUT, "tell_reporters": frozenset({"number", "title"})}
"""What is told besides the arguments that are written down."""
DEFAULTS = {"NotFound": "incident.not_found", "NotAllowed": "refusal.not_allowed"}
NO_WORDS = frozenset(
    {"choices", "gone", "incident", "key", "still", "urgent", "event", "offer", "besides", "not_before"}
)
"""Arguments that steer a message and are not shown in it."""
IN_MENUS = ("help", "menu", "cancel", "back", "resume", "undo", "human")
SMALL = ("thanks", "ack", "skip")
CJK = "\u4e00-\u9fff"
HALF_WIDTH = re.compile(rf"[{CJK}”」）】]\s?[,:;?!](?!\S*//)|[{CJK}]\(|\([{CJK}]")
PATTERN = re.compile(r"\\[sdw]|\(\?|\[\^|\]\*|\|")
"""Signs of a regular expression, which is never shown."""


@dataclass(frozen=True)
class Call:
    """A place in the code where something is said by a key that is written down."""

    where: str
    verb: str
    key: str
    args: frozenset[str]
    more: tuple[str, ...]
    """What is unpacked besides: `**about(...)`."""


@pytest.fixture(scope="module", params=places())
def book(request: pytest.FixtureRequest) -> Book:
    return book_of(request.param)


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    return tuple(
        (str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for folder in CODE
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


@cache
def calls() -> tuple[Call, ...]:
    nodes = ((path, node) for path, tree in sources() for node in ast.walk(tree))
    return tuple(call for path, node in nodes if isinstance(node, ast.Call) for call in _call(path, node))


def _call(path: str, node: ast.Call) -> Iterator[Call]:
    verb = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if verb not in KEY_AT:
        return
    position = KEY_AT[verb]
    given = node.args[position] if len(node.args) > position else ast.Constant(DEFAULTS.get(verb))
    if not (isinstance(given, ast.Constant) and isinstance(given.value, str)):
        return
    args = frozenset(word.arg for word in node.keywords if word.arg is not None) - NO_WORDS
    more = tuple(ast.unparse(word.value) for word in node.keywords if word.arg is None)
    yield Call(f"{path}:{node.lineno}", verb, given.value, args, more)


@cache
def constants() -> frozenset[str]:
    """Every string in the code that is no part of an f-string."""
    return frozenset(
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


# ---- keys ------------------------------------------------------------------------------------------------


def asked(kind: type[Command]) -> Iterator[str]:
    """The fields of a command a chat may ask for."""
    for field, info in kind.model_fields.items():
        ask = ask_of(info)
        if ask.kind not in ("quiet", "number") and (info.is_required() or ask.offered):
            yield field


def conventional(book: Book) -> set[str]:
    """The keys that are put together from names: questions, menus, moves, empty lists, requests."""
    people = {name: kind for name, kind in catalogue.COMMANDS.items() if kind.in_menu or kind.in_api}
    clock = {name for name, kind in catalogue.COMMANDS.items() if not (kind.in_menu or kind.in_api)}
    chat = {name: kind for name, kind in catalogue.COMMANDS.items() if name not in clock}
    amongs = {
        ask_of(info).among
        for kind in chat.values()
        for f, info in kind.model_fields.items()
        if ask_of(info).kind == "case"
    }
    return {
        *(f"{name}.{field}.ask" for name, kind in chat.items() for field in asked(kind)),
        *(f"{name}.confirm" for name, kind in chat.items() if kind.confirm),
        *(f"menu.{name}" for name in (*IN_MENUS, *people)),
        *(f"none.{among}" for among in amongs if among in CASES),
        *(f"move.{move}" for move in Move),
        *(f"request.{move}" for move in asking_moves()),
        *(f"ended.{move}" for move in asking_moves() if move.startswith("close_")),
        *(f"notice.stage.{state}" for state in NoticeState),
        *(f"watch.{kind}" for kind in trouble_kinds()),
        *(f"channel.{name}" for name in CHANNELS),
        *(f"small.{name}" for name in SMALL),
        *(f"greeting.{part}" for part in ("morning", "noon", "afternoon", "evening")),
        *(f"unit.{work}{unit}" for work in ("", "work_") for unit in get_args(Unit)),
        *(f"given.{kind}" for kind in get_args(Media.model_fields["kind"].annotation)),
        *(f"{key}.items" for key, text in book.texts.items() if "items" in placeholders(text)),
    }


def asking_moves() -> set[str]:
    """What the owner of a case may ask to be allowed."""
    moves = (vars(kind).get("move") for kind in catalogue.COMMANDS.values())
    return {str(move) for move in moves if isinstance(move, Move)}


def trouble_kinds() -> set[str]:
    """The kinds of trouble the watch knows, as its code names them."""
    tree = ast.parse(Path(watching.__file__).read_text(encoding="utf-8"))
    verbs = {"Trouble": 0, "_counted": 1}
    return {
        str(node.args[verbs[node.func.id]].value)  # type: ignore[attr-defined]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in verbs
        and isinstance(node.args[verbs[node.func.id]], ast.Constant)
    }


def test_every_key_that_is_said_stands_in_every_book(book: Book) -> None:
    written = {call.key for call in calls()}

    assert written - set(book.texts) == set()
    assert conventional(book) - set(book.texts) == set()


def test_every_word_inside_others_stands_in_every_book(book: Book) -> None:
    sheets = {key.partition(".")[0] for key in words_sheet()}
    named = {said for said in constants() if said.count(".") == 1 and said.partition(".")[0] in sheets}

    assert len(named) > 40
    assert named - set(book.texts) - {f"{sheet}." for sheet in sheets} == set()


def words_sheet() -> dict[str, str]:
    """The texts of the sheet of single words."""
    sheet = ROOT / "handbook/default/texts/words.zh.yaml"
    return {
        f"{part}.{key}": text
        for part, its in yaml.safe_load(sheet.read_text("utf-8")).items()
        for key, text in its.items()
    }


def test_what_a_place_says_stands_in_its_book_and_not_in_the_handlers() -> None:
    found = [
        (path, words)
        for path, tree in sources()
        if path.startswith("handlers/")
        for words in spoken(tree)
        if re.search(f"[{CJK}]", words)
    ]

    assert found == []


def test_the_scan_sees_the_code() -> None:
    found = list(calls())

    assert len(found) > 150
    assert {call.verb for call in found} >= {
        "reply",
        "tell",
        "say",
        "Refusal",
        "tell_owner",
        "tell_reporters",
    }


def test_every_text_of_the_book_is_said_somewhere(book: Book) -> None:
    said = constants() | conventional(book)

    assert {key for key in book.texts if key not in said and key.removesuffix("_group") not in said} == set()


# ---- what goes in ----------------------------------------------------------------------------------------


def test_a_refusal_is_given_exactly_what_its_words_say() -> None:
    texts = book_of("default").texts
    wrong = [
        (call.where, call.key, sorted(call.args), sorted(placeholders(texts[call.key])))
        for call in calls()
        if call.verb in ("Refusal", "NotFound", "NotAllowed", "Unclear")
        if not call.more and call.args != placeholders(texts[call.key])
    ]

    assert wrong == []


def test_whatever_is_said_is_given_all_its_words_need(book: Book) -> None:
    wrong = [
        (call.where, call.key, sorted(missing))
        for call in calls()
        if all(more.startswith("about(") for more in call.more)
        if (missing := placeholders(book.texts[call.key]) - given(call))
    ]

    assert wrong == []


def given(call: Call) -> frozenset[str]:
    about = ABOUT if call.more else frozenset()
    return call.args | about | GIVEN.get(call.verb, frozenset())


def test_a_place_asks_for_nothing_in_its_own_words_that_is_not_given(book: Book) -> None:
    default = book_of("default").texts

    for key, text in book.texts.items():
        assert placeholders(text) <= placeholders(default[key]) | ABOUT, key


# ---- how it is written -----------------------------------------------------------------------------------


def test_texts_are_short(book: Book) -> None:
    for key, text in book.texts.items():
        words = "".join(literal for literal, _, _, _ in Formatter().parse(text))
        assert text.count("\n") < 5, f"{key} has more than five lines"
        assert len(words) <= 120, f"{key} has {len(words)} characters of its own"


def test_chinese_is_written_with_its_own_marks(book: Book) -> None:
    shown = [
        *book.texts.items(),
        *((f"stages.{state}", words) for state, words in book.incidents.stages.items()),
        *((f"grades.{key}", grade.name) for key, grade in book.incidents.grades.items()),
        *((f"roles.{key}", role.name) for key, role in book.roles.items()),
        *((f"levels.{level.key}", level.name) for level in book.levels),
        *((f"categories.{category.code}", category.name) for category in book.categories),
        *((f"danger.{key}", kind.advice) for key, kind in book.data.danger.kinds.items()),
    ]

    assert [(name, words) for name, words in shown if HALF_WIDTH.search(words)] == []


def test_chinese_in_the_code_is_written_with_its_own_marks_too() -> None:
    found = [
        (path, words)
        for path, tree in sources()
        if path.startswith(("handlers/", "bot/"))
        for words in spoken(tree)
        if HALF_WIDTH.search(words) and not PATTERN.search(words)
    ]

    assert found == []


def spoken(tree: ast.Module) -> Iterator[str]:
    """Strings of a module that are no docstrings; the form of a day, 11月22日(周日), is let be."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value.replace("日(周", "")


def test_every_state_has_its_word_in_every_place(book: Book) -> None:
    assert set(book.incidents.stages) == {str(state) for state in State}
    assert all(book.incidents.stages.values())
