"""What is needed for DingTalk: an application of the organisation, and where DingTalk is."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

T = TypeVar("T")

NAMES: Final = (
    "DINGTALK_CLIENT_ID",
    "DINGTALK_CLIENT_SECRET",
    "DINGTALK_ROBOT_CODE",
    "DINGTALK_BASE_URL",
    "DINGTALK_OLD_BASE_URL",
)
BASE: Final = "https://api.dingtalk.com"
OLD_BASE: Final = "https://oapi.dingtalk.com"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{6,100}")
_SECRET: Final = re.compile(r"[\x21-\x7e]{8,200}")


class Read(Protocol):
    """Reads one setting."""

    def __call__(self, name: str, default: str, form: Callable[[str], T]) -> T:
        """The value in its form; a value that cannot be used is told in a sentence."""
        ...

    def has(self, name: str) -> bool:
        """Whether it is set."""
        ...


@dataclass(frozen=True)
class DingTalk:
    """Where DingTalk is, for groups' own robots; and the application whose robot people talk with, if any."""

    base_url: str = BASE
    old_base_url: str = OLD_BASE
    """Where uploads, answers into a conversation and groups' own robots are."""
    client_id: str = ""
    """Empty: there is no application."""
    client_secret: str = field(default="", repr=False)
    robot_code: str = ""


def read_dingtalk(read: Read, address: Callable[[str], str]) -> DingTalk:
    """Read them, so that half an application is told of at the start.

    Args:
        read: one setting after the other.
        address: the form of an address.

    Raises:
        ValueError: something is missing; the message is a sentence that says what.
    """
    base = read("DINGTALK_BASE_URL", BASE, address).rstrip("/")
    old = read("DINGTALK_OLD_BASE_URL", OLD_BASE, address).rstrip("/")
    parts = ("CLIENT_ID", "CLIENT_SECRET", "ROBOT_CODE")
    if not any(read.has(f"DINGTALK_{part}") for part in parts):
        return DingTalk(base, old)
    for part in parts[:2]:
        if not read.has(f"DINGTALK_{part}"):
            raise ValueError(
                f"XIAOGE_DINGTALK_{part} is missing: an application has a Client ID and a Client Secret."
            )
    client = read("DINGTALK_CLIENT_ID", "", _name)
    secret = read("DINGTALK_CLIENT_SECRET", "", _secret)
    return DingTalk(base, old, client, secret, read("DINGTALK_ROBOT_CODE", client, _name))


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("give what DingTalk's console shows, like dingabc123def456.")
    return value


def _secret(value: str) -> str:
    """The message never repeats the value."""
    if not _SECRET.fullmatch(value):
        raise ValueError("give the Client Secret as DingTalk's console shows it, without blanks.")
    return value
