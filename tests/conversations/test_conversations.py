"""The same conversations on every platform, through its stand-in and the real channel (row 95)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conversations.dingtalk_driver import DingTalkDriver
from tests.conversations.driver import Driver
from tests.conversations.played import played
from tests.conversations.telegram_driver import TelegramDriver
from tests.talk_script import Stage, Talk, read

FOLDER = Path(__file__).parents[1] / "talks"
DRIVERS: dict[str, Callable[[], Driver]] = {"dingtalk": DingTalkDriver, "telegram": TelegramDriver}
TALKS = [
    talk for path in sorted(FOLDER.glob("*.talk")) if "default" in (talk := read(path, ("default",))).places
]
AT_LEAST = 60


@pytest.mark.parametrize("name", DRIVERS)
@pytest.mark.parametrize("talk", TALKS, ids=[talk.path.stem for talk in TALKS])
def test_conversation(name: str, talk: Talk, sqlite_url: str) -> None:
    driver = DRIVERS[name]()
    with played("default", sqlite_url, driver, talk.start) as town:
        Stage(town, talk).play()  # type: ignore[arg-type]


def test_there_are_enough_of_them() -> None:
    for make in DRIVERS.values():
        held = [talk for talk in TALKS if not talk.path.stem.startswith(tuple(make().cannot))]

        assert len(held) >= AT_LEAST
