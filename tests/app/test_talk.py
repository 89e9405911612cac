"""The town in a terminal: what one types and what is printed, the clock included."""

import asyncio
import io
from pathlib import Path

import pytest

from app.settings import Settings, read_settings
from app.talk import talk


def settings(url: str, folder: Path) -> Settings:
    """A town of the default book."""
    values = {"XIAOGE_DATABASE_URL": url, "XIAOGE_PLACE": "default", "XIAOGE_MEDIA": str(folder / "media")}
    return read_settings(values)


def typed(url: str, folder: Path, *lines: str) -> list[str]:
    """What is printed when somebody types these lines."""
    out = io.StringIO()
    asyncio.run(talk(settings(url, folder), io.StringIO("".join(f"{line}\n" for line in lines)), out))
    return out.getvalue().splitlines()


def test_each_line_is_answered_before_the_next_is_heard(sqlite_url: str, tmp_path: Path) -> None:
    printed = typed(sqlite_url, tmp_path, "幸福社区第一网格2栋的路灯坏了", "进度")
    filed = next(n for n, line in enumerate(printed) if line.startswith("小格:已登记"))
    shown = next(n for n, line in enumerate(printed) if n > filed and line.startswith("小格:1001"))

    assert "「+2h」" in "".join(printed[:3])
    assert filed < shown


def test_somebody_else_speaks_and_the_clock_is_moved(sqlite_url: str, tmp_path: Path) -> None:
    printed = typed(sqlite_url, tmp_path, "幸福社区第一网格2栋的路灯坏了", "+40d")
    owners = [line.split(":")[0] for line in printed if "已上报到您这里" in line]
    moved = [line for line in printed if line.startswith("(现在是")]

    assert len(owners) >= 2
    assert all(owner.startswith("小格 → ") for owner in owners)
    assert len(moved) == 1
    again = typed(sqlite_url, tmp_path, f"@{owners[-1].removeprefix('小格 → ')}", "待办")
    assert any("路灯" in line for line in again if line.startswith(("小格:", "1")))


def test_the_clock_leaps_to_the_next_due_time_and_stays_there(sqlite_url: str, tmp_path: Path) -> None:
    first = typed(sqlite_url, tmp_path, "幸福社区第一网格2栋的路灯坏了", "+", "+ 1天")
    second = typed(sqlite_url, tmp_path, "+1m")
    moved = [line for line in first + second if line.startswith("(现在是")]

    assert len(moved) == 3
    assert moved == sorted(moved, key=day_and_time)
    assert len(set(moved)) == 3


def day_and_time(line: str) -> tuple[int, ...]:
    """Month, day, hour and minute of a line about the clock."""
    digits = "".join(sign if sign.isdigit() else " " for sign in line)
    return tuple(int(part) for part in digits.split())


@pytest.mark.parametrize("line", ["+", "+1h", "＋30分钟", "+1.5 小时", "+2d"])
def test_ways_to_move_the_clock(sqlite_url: str, tmp_path: Path, line: str) -> None:
    printed = typed(sqlite_url, tmp_path, line)

    assert [one for one in printed if one.startswith("(现在是")]
    assert not [one for one in printed if one.startswith("小格:")]


@pytest.mark.parametrize("line", ["+1", "1h", "+1h吧", "+-1h", "1+1"])
def test_what_only_looks_like_it_is_heard_as_words(sqlite_url: str, tmp_path: Path, line: str) -> None:
    printed = typed(sqlite_url, tmp_path, line)

    assert not [one for one in printed if one.startswith("(现在是")]
    assert [one for one in printed if one.startswith("小格:")]
