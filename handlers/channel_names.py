"""What people call the ways of talking: 企业微信, 钉钉; a channel's own name is no word of theirs."""

from typing import Final

from handlers.work import Reading

CHANNELS: Final = (
    "webchat",
    "wecom",
    "wecom_robot",
    "wecom_contact",
    "wecom_bot",
    "wecom_kf",
    "wechat",
    "dingtalk",
    "dingtalk_robot",
    "telegram",
    "terminal",
    "memory",
)
"""Every channel there is a word for, in the order in which they are named."""


def channel_name(reading: Reading, channel: str | None) -> str:
    """The place's word for a channel; its own name where there is none (somebody's own adapter)."""
    return reading.word(f"channel.{channel}") if channel in CHANNELS else str(channel or "")
