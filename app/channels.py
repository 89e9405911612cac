"""Which ways of talking a place has: each that is set up is opened, and its library loaded, here alone."""

import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from app.dingtalk_settings import DingTalk
from app.settings import Settings, Telegram
from app.wecom_settings import WeCom
from bot.channel import Channel, Unreadable
from bot.channels.webchat import Hub, WebChatChannel
from bot.lane import Lane
from bot.leases import Leases, LocalLeases, SharedLeases
from bot.media import MediaStore
from bot.tokens import LocalTokens, SharedTokens, Tokens

Bury = Callable[[Unreadable, bytes], Awaitable[None]]
"""Keeps a delivery that nobody can read, where no webhook brings it."""


@dataclass(frozen=True)
class Surroundings:
    """What channels stand on."""

    settings: Settings
    media: MediaStore
    hub: Hub
    now: Callable[[], datetime]
    """Aware UTC."""
    tokens: Tokens
    """Access tokens, one for all processes of the place."""
    leases: Leases
    """What one process alone may do, such as hold a bot's one connection."""
    bury: Callable[[str], Bury]
    """By a channel's name."""

    @classmethod
    def shared(
        cls, settings: Settings, media: MediaStore, hub: Hub, lane: Lane, now: Callable[[], datetime]
    ) -> Self:
        """In earnest: with whatever other processes work on the same database."""

        def bury(channel: str) -> Bury:
            async def keep(trouble: Unreadable, body: bytes) -> None:
                from web.hooks import bury as keep_letter

                await keep_letter(lane, channel, body, trouble, now())

            return keep

        holder = f"{socket.gethostname()}:{os.getpid()}"
        tokens, leases = SharedTokens(lane, now), SharedLeases(lane, now, holder)
        return cls(settings, media, hub, now, tokens, leases, bury)

    @classmethod
    def alone(cls, settings: Settings, now: Callable[[], datetime]) -> Self:
        """For asking the platforms whether the settings are right, beside a program that may be running."""

        def forget(_: str) -> Bury:
            async def nothing(trouble: Unreadable, body: bytes) -> None:
                """Nothing is heard, so nothing is kept."""

            return nothing

        return cls(settings, MediaStore(settings.media), Hub(), now, LocalTokens(), LocalLeases(), forget)


def open_channels(around: Surroundings) -> dict[str, Channel]:
    """Open every channel that the settings name, by its name."""
    settings = around.settings
    found: list[Channel] = [WebChatChannel(around.hub)]
    if settings.telegram is not None:
        found.append(_telegram(settings.telegram, around))
    if settings.dingtalk.client_id:
        found.append(_dingtalk(settings.dingtalk, around))
    found.append(_dingtalk_robot(settings.dingtalk, around))
    found.append(_wecom_robot(settings.wecom_robots, around))
    if settings.wecom is not None:
        found.append(_wecom(settings.wecom, around))
    if settings.trial is not None:
        from app.trial import TrialChannel

        found.append(TrialChannel(settings.trial))
    return {channel.name: channel for channel in found}


def _telegram(telegram: Telegram, around: Surroundings) -> Channel:
    from bot.channels.telegram import TelegramChannel

    return TelegramChannel(
        telegram.token,
        media=around.media,
        secret=telegram.secret,
        webhook_url=telegram.webhook_url,
        base_url=telegram.calls,
        base_file_url=telegram.files,
        bury=around.bury(TelegramChannel.name),
    )


def _dingtalk(dingtalk: DingTalk, around: Surroundings) -> Channel:
    from bot.channels.dingtalk import DingTalkChannel
    from bot.channels.dingtalk_api import App

    app = App(
        dingtalk.client_id,
        dingtalk.client_secret,
        dingtalk.robot_code,
        dingtalk.base_url,
        dingtalk.old_base_url,
    )
    return DingTalkChannel(
        app,
        around.tokens,
        now=around.now,
        media=around.media,
        leases=around.leases,
        bury=around.bury(DingTalkChannel.name),
    )


def _dingtalk_robot(dingtalk: DingTalk, around: Surroundings) -> Channel:
    """Groups have their own robots, so it needs no setting and is always there."""
    from bot.channels.dingtalk_robot import DingTalkRobotChannel

    return DingTalkRobotChannel(now=around.now, base_url=dingtalk.old_base_url)


def _wecom_robot(base_url: str, around: Surroundings) -> Channel:
    """Groups have their own robots, so it needs no setting and is always there."""
    from bot.channels.wecom_robot import WeComRobotChannel

    return WeComRobotChannel(now=around.now, media=around.media, base_url=base_url)


def _wecom(wecom: WeCom, around: Surroundings) -> Channel:
    from bot.channels.wecom import WeComChannel

    return WeComChannel(
        wecom.corp_id,
        wecom.agent_id,
        wecom.secret,
        callback_token=wecom.callback_token,
        callback_key=wecom.callback_key,
        tokens=around.tokens,
        now=around.now,
        media=around.media,
        base_url=wecom.base_url,
        cards=wecom.cards,
    )
