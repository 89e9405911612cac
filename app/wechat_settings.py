"""What is needed to be an official account (微信公众号), and to be 微信客服: all of each, or none."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.wecom_settings import Read, callback_key, callback_token, corp_id

NAMES: Final = (
    *(f"WECHAT_{name}" for name in ("APP_ID", "SECRET", "TOKEN", "KEY", "BASE_URL")),
    *("WECHAT_TEMPLATE_ID", "WECHAT_TEMPLATE_FIELDS"),
    *("WECOM_KF_ID", "WECOM_KF_SECRET", "WECOM_KF_TOKEN", "WECOM_KF_KEY"),
)
_NEEDED: Final = NAMES[:3]
_KF_NEEDED: Final = NAMES[-4:]
_APP_ID: Final = re.compile(r"[A-Za-z0-9_-]{4,64}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,128}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FIELD: Final = re.compile(r"[a-z_]{2,30}\d{0,2}")


@dataclass(frozen=True)
class WeChat:
    """One official account."""

    app_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    key: str = field(repr=False)
    """Empty: what is delivered is not encrypted (明文模式)."""
    base_url: str
    template_id: str = ""
    template_fields: tuple[str, str, str] = ("character_string1", "thing2", "time3")
    """The template's fields for 编号, 内容, 时间."""


@dataclass(frozen=True)
class WeComKf:
    """One account of 微信客服."""

    corp_id: str
    id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    key: str = field(repr=False)
    base_url: str


def read_wechat(read: Read, address: Callable[[str], str]) -> WeChat | None:
    """Read the official account's settings; None where there are none.

    Raises:
        ValueError: something is missing; a sentence that names it.
    """
    if not any(read.has(name) for name in NAMES if name.startswith("WECHAT_")):
        return None
    _must_have(
        read,
        _NEEDED,
        "an official account has an AppID, an AppSecret and the Token of its 服务器配置",
    )
    return WeChat(
        app_id=read("WECHAT_APP_ID", "", _app_id),
        secret=read("WECHAT_SECRET", "", _secret),
        token=read("WECHAT_TOKEN", "", _token),
        key=read("WECHAT_KEY", "", lambda value: callback_key(value) if value else ""),
        base_url=read("WECHAT_BASE_URL", "https://api.weixin.qq.com", address).rstrip("/"),
        template_id=read("WECHAT_TEMPLATE_ID", "", _template),
        template_fields=read("WECHAT_TEMPLATE_FIELDS", "character_string1,thing2,time3", _fields),
    )


def read_kf(read: Read, address: Callable[[str], str]) -> WeComKf | None:
    """Read the settings of 微信客服; None where there are none.

    Raises:
        ValueError: something is missing; a sentence that names it.
    """
    if not any(read.has(name) for name in _KF_NEEDED):
        return None
    _must_have(
        read,
        ("WECOM_CORP_ID", *_KF_NEEDED),
        "微信客服 has a corp id, an open_kfid, a secret, and its callback's Token and EncodingAESKey",
    )
    return WeComKf(
        corp_id=read("WECOM_CORP_ID", "", corp_id),
        id=read("WECOM_KF_ID", "", _kf_id),
        secret=read("WECOM_KF_SECRET", "", _secret),
        token=read("WECOM_KF_TOKEN", "", callback_token),
        key=read("WECOM_KF_KEY", "", callback_key),
        base_url=read("WECOM_BASE_URL", "https://qyapi.weixin.qq.com", address).rstrip("/"),
    )


def _must_have(read: Read, needed: tuple[str, ...], what: str) -> None:
    missing = [f"XIAOGE_{name}" for name in needed if not read.has(name)]
    if missing:
        raise ValueError(f"{', '.join(missing)} missing: {what}; docs/channels.md says where they stand.")


def _app_id(value: str) -> str:
    if not _APP_ID.fullmatch(value):
        raise ValueError("an AppID looks like wx0123456789abcdef; it stands in 基本配置.")
    return value


def _secret(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise ValueError("a secret is 32 or more letters, digits, _ and -; copy it whole.")
    return value


def _token(value: str) -> str:
    if not _TOKEN.fullmatch(value):
        raise ValueError("the Token of 服务器配置 is 3 to 32 letters and digits.")
    return value


def _template(value: str) -> str:
    if value and not _NAME.fullmatch(value):
        raise ValueError("a template's id is some 43 letters, digits, _ and -.")
    return value


def _fields(value: str) -> tuple[str, str, str]:
    names = [name.strip() for name in value.split(",")]
    if len(names) != 3 or not all(_FIELD.fullmatch(name) for name in names):
        raise ValueError(
            "name the template's fields for 编号,内容,时间, like character_string1,thing2,time3."
        )
    return names[0], names[1], names[2]


def _kf_id(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("an account of 微信客服 looks like wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q.")
    return value
