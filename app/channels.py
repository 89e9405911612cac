"""Which ways of talking a place has: each that is set up is opened, and its library loaded, here alone."""

import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Self

from app.dingtalk_settings import DingTalk
from app.settings import Settings, Telegram
from app.wechat_settings import WeChat, WeComKf
from app.wecom_settings import WeCom
from bot.channel import Channel, Unreadable
from bot.channels.webchat import Hub, WebChatChannel
from bot.cursors import Cursors, LocalCursors, SharedCursors
from bot.lane import Lane
from bot.leases import Leases, LocalLeases, SharedLeases
from bot.media import MediaStore
from bot.outbox import leave
from bot.tokens import LocalTokens, SharedTokens, Tokens

Bury = Callable[[Unreadable, bytes], Awaitable[None]]
"""Keeps a delivery that nobody can read, where no webhook brings it."""


Leave = Callable[[str], Awaitable[None]]
"""Keeps that an account has turned away from us."""


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
    cursors: Cursors
    """How far messages were pulled."""
    bury: Callable[[str], Bury]
    """By a channel's name."""
    leave: Callable[[str], Leave]
    """By a channel's name."""
    zone: tzinfo = UTC
    """The place's."""

    @classmethod
    def shared(
        cls,
        settings: Settings,
        media: MediaStore,
        hub: Hub,
        lane: Lane,
        now: Callable[[], datetime],
        zone: tzinfo = UTC,
    ) -> Self:
        """In earnest: with whatever other processes work on the same database."""

        def bury(channel: str) -> Bury:
            async def keep(trouble: Unreadable, body: bytes) -> None:
                from web.hooks import bury as keep_letter

                await keep_letter(lane, channel, body, trouble, now())

            return keep

        def leaving(channel: str) -> Leave:
            async def keep(handle: str) -> None:
                await lane.run(partial(leave, channel=channel, handle=handle))

            return keep

        holder = f"{socket.gethostname()}:{os.getpid()}"
        tokens, leases = SharedTokens(lane, now), SharedLeases(lane, now, holder)
        return cls(settings, media, hub, now, tokens, leases, SharedCursors(lane), bury, leaving, zone)

    @classmethod
    def alone(cls, settings: Settings, now: Callable[[], datetime]) -> Self:
        """For asking the platforms whether the settings are right, beside a program that may be running."""

        def forget(_: str) -> Bury:
            async def nothing(trouble: Unreadable, body: bytes) -> None:
                """Nothing is heard, so nothing is kept."""

            return nothing

        def stay(_: str) -> Leave:
            async def nothing(handle: str) -> None:
                """Nobody is heard leaving."""

            return nothing

        store, tokens, leases = MediaStore(settings.media), LocalTokens(), LocalLeases()
        return cls(settings, store, Hub(), now, tokens, leases, LocalCursors(), forget, stay)


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
    if settings.wechat is not None:
        found.append(_wechat(settings.wechat, around))
    if settings.wecom_kf is not None:
        found.append(_wecom_kf(settings.wecom_kf, around))
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


def _wechat(wechat: WeChat, around: Surroundings) -> Channel:
    from bot.channels.wechat import WeChatChannel
    from bot.channels.wechat_knock import Template

    return WeChatChannel(
        wechat.app_id,
        wechat.secret,
        callback_token=wechat.token,
        callback_key=wechat.key,
        tokens=around.tokens,
        now=around.now,
        media=around.media,
        leave=around.leave(WeChatChannel.name),
        template=Template(wechat.template_id, wechat.template_fields) if wechat.template_id else None,
        zone=around.zone,
        base_url=wechat.base_url,
    )


def _wecom_kf(account: WeComKf, around: Surroundings) -> Channel:
    from bot.channels.wecom_kf import WeComKfChannel

    return WeComKfChannel(
        account.corp_id,
        account.id,
        account.secret,
        callback_token=account.token,
        callback_key=account.key,
        tokens=around.tokens,
        cursors=around.cursors,
        leases=around.leases,
        now=around.now,
        media=around.media,
        leave=around.leave(WeComKfChannel.name),
        bury=around.bury(WeComKfChannel.name),
        base_url=account.base_url,
    )
