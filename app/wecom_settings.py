"""What is needed to be an application of WeCom (企业微信自建应用): all of it, or none."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

NAMES: Final = (
    *(f"WECOM_{name}" for name in ("CORP_ID", "AGENT_ID", "SECRET", "CALLBACK_TOKEN", "CALLBACK_KEY")),
    *(f"WECOM_{name}" for name in ("BASE_URL", "CARDS", "ROBOT_BASE_URL")),
)
BASE: Final = "https://qyapi.weixin.qq.com"
_NEEDED: Final = NAMES[:5]
_CORP_ID: Final = re.compile(r"[A-Za-z0-9_-]{4,64}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_CALLBACK_TOKEN: Final = re.compile(r"[A-Za-z0-9]{1,32}")
_CALLBACK_KEY: Final = re.compile(r"[A-Za-z0-9]{43}")


class Read(Protocol):
    """Reads one setting, and tells whether it is there."""

    def __call__(self, name: str, default: str, form: Callable[[str], T]) -> T:
        """Read a setting in its form."""
        ...

    def has(self, name: str) -> bool:
        """Tell whether a setting is there."""
        ...


@dataclass(frozen=True)
class WeCom:
    """One application of an organisation."""

    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    callback_token: str = field(repr=False)
    callback_key: str = field(repr=False)
    base_url: str
    """Another one for 政务微信 and private deployments."""
    cards: bool
    """Choices are shown as buttons; 微信插件 shows none of them, so the numbers in the words are the rule."""


def read_wecom(read: Read, address: Callable[[str], str], yes: Callable[[str], bool]) -> WeCom | None:
    """Read the application's settings; None where there are none.

    The corp id alone is no application: other channels of the organisation need it as well.

    Raises:
        ValueError: something is missing; a sentence that names it.
    """
    if not any(read.has(name) for name in _NEEDED[1:]):
        return None
    missing = [f"XIAOGE_{name}" for name in _NEEDED if not read.has(name)]
    if missing:
        raise ValueError(
            f"{', '.join(missing)} missing: an application of WeCom has a corp id, an agent id, a secret, "
            "and the token and EncodingAESKey of its 接收消息 page; docs/channels.md says where they stand."
        )
    return WeCom(
        corp_id=read("WECOM_CORP_ID", "", corp_id),
        agent_id=read("WECOM_AGENT_ID", "", _agent_id),
        secret=read("WECOM_SECRET", "", _secret),
        callback_token=read("WECOM_CALLBACK_TOKEN", "", callback_token),
        callback_key=read("WECOM_CALLBACK_KEY", "", callback_key),
        base_url=read("WECOM_BASE_URL", BASE, address).rstrip("/"),
        cards=read("WECOM_CARDS", "no", yes),
    )


def read_robot_base(read: Read, address: Callable[[str], str]) -> str:
    """Where groups' own robots are: where WeCom itself is, unless told. Raises what `read` does."""
    return read("WECOM_ROBOT_BASE_URL", read("WECOM_BASE_URL", BASE, address), address).rstrip("/")


def corp_id(value: str) -> str:
    """An organisation's id. Raises ValueError."""
    if not _CORP_ID.fullmatch(value):
        raise ValueError(
            "a corp id looks like ww1436e0e65a779aee; it stands at the foot of 我的企业-企业信息."
        )
    return value


def callback_token(value: str) -> str:
    """What signs deliveries. Raises ValueError, which never repeats it."""
    if not _CALLBACK_TOKEN.fullmatch(value):
        raise ValueError("the token of 接收消息 is 1 to 32 letters and digits.")
    return value


def callback_key(value: str) -> str:
    """What encrypts deliveries. Raises ValueError, which never repeats it."""
    try:
        whole = len(base64.b64decode(f"{value}=", validate=True)) == 32
    except (binascii.Error, ValueError):
        whole = False
    if not whole or not _CALLBACK_KEY.fullmatch(value):
        raise ValueError("an EncodingAESKey is 43 letters and digits; copy it whole from 接收消息.")
    return value


def _agent_id(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 10**9:
        raise ValueError("an agent id is a number like 1000002.")
    return int(value)


def _secret(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise ValueError("an application's secret is some 43 letters, digits, _ and -; copy it whole.")
    return value
