"""What people paste of a group's robot: which platform it is of, and the key that lets us speak."""

import re
from typing import Final

_TOKEN: Final = re.compile(r"access_token=([A-Za-z0-9]{16,128})(?![A-Za-z0-9])")
_BARE: Final = re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{64}(?![A-Za-z0-9])")
_SIGN: Final = re.compile(r"(?<![A-Za-z0-9])SEC[A-Za-z0-9]{16,128}(?![A-Za-z0-9])")
_WECOM: Final = re.compile(
    r"(?<![0-9a-f-])([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?![0-9a-f-])",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"https?://[^\s，。；]+")


def read_dingtalk(words: str) -> str:
    """Read the key of a robot out of what somebody pastes: its webhook address, and the SEC... secret.

    The address's host is not taken over: where DingTalk is, the settings say.

    Returns:
        What `Outbound.secret` holds: the access token, and after a blank the secret where there is one.

    Raises:
        ValueError: no robot is named; the message is a plain Chinese sentence and repeats nothing of it.
    """
    tokens = set(_TOKEN.findall(words)) or set(_BARE.findall(_SIGN.sub(" ", words)))
    signs = set(_SIGN.findall(words))
    if not tokens:
        raise ValueError("没有看到机器人的 Webhook 地址；请到群设置的机器人里复制，里面有 access_token=。")
    if len(tokens) > 1:
        raise ValueError("这里有不止一个机器人的地址；请一次只发一个。")
    if len(signs) > 1:
        raise ValueError("这里有不止一个 SEC 开头的密钥；请只发这个机器人的。")
    return " ".join([*tokens, *signs])


def read_robot_key(words: str) -> tuple[str, str, str] | None:
    """Find a robot's key in words.

    Returns:
        (channel, key, the words without it); None where no robot is named.

    Raises:
        ValueError: there is more than one; a plain Chinese sentence that repeats nothing of them.
    """
    if _TOKEN.search(words) or _SIGN.search(words) or _BARE.search(words):
        key = read_dingtalk(words)
        return "dingtalk_robot", key, _without(words, *key.split())
    keys = {key.lower() for key in _WECOM.findall(words)}
    if len(keys) > 1:
        raise ValueError("这里有不止一个机器人的地址；请一次只发一个。")
    if not keys:
        return None
    (key,) = keys
    return "wecom_robot", key, _without(words, key)


def _without(words: str, *keys: str) -> str:
    left = _ADDRESS.sub(" ", words)
    for key in keys:
        left = re.sub(re.escape(key), " ", left, flags=re.IGNORECASE)
    return left
