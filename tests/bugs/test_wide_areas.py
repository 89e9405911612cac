"""Large areas: what is asked of a county is answered from its rows, or refused, and never silently wrong."""

import pytest

from handlers.residents import doubles
from handlers.residents.doubles import FindDoubles
from tests.handlers.office import Office
from tests.residents.conftest import either
from tests.residents.homes import lives

__all__ = ["either"]


def test_a_place_with_too_many_residents_is_not_compared_either(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for door in ("3栋501", "3栋502", "3栋503"):
        lives(either, door, "张三", another=True)
    monkeypatch.setattr(doubles, "MOST", 2)

    assert either.refused("worker", FindDoubles(where="第一队")) == "doubles.too_many"


def test_only_the_place_that_is_named_counts_towards_too_many(
    either: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (
        lives(either, "3栋501", "张三", "13800009999"),
        lives(either, "3栋502", "章三", "13800009999"),
    )
    for door in ("13栋501", "13栋502", "13栋503"):
        lives(either, door, "李四", "13800008888", seat="worker2", another=True)
    monkeypatch.setattr(doubles, "MOST", 4)

    assert either.refused("town", FindDoubles()) == "doubles.too_many"
    pairs = either.does("town", FindDoubles(where="第一队")).data["pairs"]
    assert [(pair["one"], pair["other"]) for pair in pairs] == [(one, other)]
