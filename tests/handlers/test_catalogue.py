"""The catalogue: a command that is not in it exists for some doors and not for others."""

from pathlib import Path

import handlers
from handlers import catalogue

HERE = Path(handlers.__file__).parent


def test_every_noun_with_a_command_is_in_it() -> None:
    nouns = {path.stem for path in HERE.rglob("*.py") if "\n@handles(" in path.read_text("utf-8")}

    assert {"reporting", "watching", "waiting"} <= nouns
    assert nouns == {noun.__name__.rpartition(".")[2] for noun in catalogue.NOUNS}


def test_help_names_commands_in_the_catalogues_order_whatever_was_imported_first() -> None:
    found = [kind.__module__ for kind in catalogue.COMMANDS.values()]

    assert list(dict.fromkeys(found)) == [noun.__name__ for noun in catalogue.NOUNS]


def test_commands_are_handled_on_their_own_floor_alone() -> None:
    elsewhere = [
        path.name
        for floor in ("bot", "web", "scheduler", "app")
        for path in (HERE.parent / floor).rglob("*.py")
        if "@handles(" in path.read_text("utf-8")
    ]

    assert elsewhere == []
