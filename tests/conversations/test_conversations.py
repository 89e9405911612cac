"""The same conversations on every platform, through its stand-in and the real channel (row 95)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conversations.dingtalk_driver import DingTalkDriver
from tests.conversations.driver import Driver
from tests.conversations.played import played
from tests.conversations.telegram_driver import TelegramDriver
from tests.conversations.wechat_driver import WeChatDriver
from tests.conversations.wecom_driver import WeComDriver
from tests.conversations.wecom_kf_driver import WeComKfDriver
from tests.talk_script import Stage, Talk, read

FOLDER = Path(__file__).parents[1] / "talks"
DRIVERS: dict[str, Callable[[], Driver]] = {
    "dingtalk": DingTalkDriver,
    "telegram": TelegramDriver,
    "wechat": WeChatDriver,
    "wecom": WeComDriver,
    "wecom_kf": WeComKfDriver,
}
TALKS = [
    talk for path in sorted(FOLDER.glob("*.talk")) if "default" in (talk := read(path, ("default",))).places
]
AT_LEAST = 60


def held(name: str) -> list[Talk]:
    """The talks a platform can hold."""
    return [talk for talk in TALKS if not talk.path.stem.startswith(tuple(DRIVERS[name]().cannot))]


HELD = [(name, talk) for name in DRIVERS for talk in held(name)]


@pytest.mark.parametrize(("name", "talk"), HELD, ids=[f"{name}-{talk.path.stem}" for name, talk in HELD])
def test_conversation(name: str, talk: Talk, sqlite_url: str) -> None:
    driver = DRIVERS[name]()
    with played("default", sqlite_url, driver, talk.start) as town:
        Stage(town, talk).play()  # type: ignore[arg-type]


def test_there_are_enough_of_them() -> None:
    assert all(len(held(name)) >= AT_LEAST for name in DRIVERS)
