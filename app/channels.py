"""Which ways of talking a place has: each that is set up is opened, and its library loaded, here alone."""

import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from app.settings import Settings, Telegram
from bot.channel import Channel, Unreadable
from bot.channels.webchat import Hub, WebChatChannel
from bot.lane import Lane
from bot.leases import SharedLeases
from bot.media import MediaStore
from bot.tokens import SharedTokens


@dataclass(frozen=True)
class Surroundings:
    """What channels stand on."""

    settings: Settings
    media: MediaStore
    hub: Hub
    lane: Lane
    now: Callable[[], datetime]
    """Aware UTC."""

    @cached_property
    def tokens(self) -> SharedTokens:
        """Access tokens, one for all processes of the place."""
        return SharedTokens(self.lane, self.now)

    @cached_property
    def leases(self) -> SharedLeases:
        """What one process alone may do, such as hold a bot's one connection."""
        return SharedLeases(self.lane, self.now, f"{socket.gethostname()}:{os.getpid()}")

    def bury(self, channel: str) -> Callable[[Unreadable, bytes], Awaitable[None]]:
        """What keeps the deliveries of a channel that nobody can read, where no webhook brings them."""

        async def keep(trouble: Unreadable, body: bytes) -> None:
            from web.hooks import bury

            await bury(self.lane, channel, body, trouble, self.now())

        return keep


def open_channels(around: Surroundings) -> dict[str, Channel]:
    """Open every channel that the settings name, by its name."""
    settings = around.settings
    found: list[Channel] = [WebChatChannel(around.hub)]
    if settings.telegram is not None:
        found.append(_telegram(settings.telegram, around))
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
