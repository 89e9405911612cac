"""The first page a newcomer reads: every picture and link is there, and every `make` goal can be made."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_GOAL = re.compile(r"\bmake ([a-z][a-z-]*)\b")


def code_of(page: str) -> str:
    """What is set as code on a page, alone: prose may make anything."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", page, re.DOTALL))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_picture_leads_somewhere(name: str) -> None:
    links = _LINK.findall((HERE / name).read_text("utf-8"))
    own = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]

    assert len(own) >= 3
    assert [link for link in own if not (HERE / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_goal_can_be_made(name: str) -> None:
    goals = set(_GOAL.findall(code_of((HERE / name).read_text("utf-8"))))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (HERE / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert {"run", "test"} <= goals <= targets
