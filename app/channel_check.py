"""Asks every platform whether the settings of its channel are right; the sentences are the channels' own."""

import asyncio
from collections.abc import Sequence

from app.channels import Surroundings, open_channels
from app.findings import Finding, mind, ok, wrong
from app.settings import Settings, WrongSetting
from bot.channel import Channel, Checks
from handbook import open_book
from scheduler.clock import SystemClock

PATIENCE = 20.0
"""Seconds until a platform that does not answer is given up."""
_NO_SETTINGS = "没有接入任何平台：现在只能在网页上说话。docs/channels.md 写着每个平台怎么接。"


async def check_channels(settings: Settings, names: Sequence[str] = ()) -> list[Finding]:
    """Ask all platforms at once, or those that are named.

    Raises WrongSetting for a name of no channel that is set up.
    """
    channels = open_channels(Surroundings.alone(settings, SystemClock().now))
    asked = _named(channels, names)
    if not asked:
        return [mind(_NO_SETTINGS)]
    book = open_book(settings.place)
    found = await asyncio.gather(*(_asked(channel) for channel in asked))
    return [
        finding
        for channel, sentences in zip(asked, found, strict=True)
        for finding in _findings(book.text(f"channel.{channel.name}"), sentences)
    ]


def _named(channels: dict[str, Channel], names: Sequence[str]) -> list[Channel]:
    known = {name: channel for name, channel in channels.items() if isinstance(channel, Checks)}
    for name in names:
        if name not in known:
            there = "、".join(known) or "没有"
            raise WrongSetting(f"没有设置名叫 {name} 的渠道；现在有：{there}。")
    return [channel for name, channel in known.items() if not names or name in names]


async def _asked(channel: Channel) -> Sequence[str]:
    assert isinstance(channel, Checks)
    try:
        return await asyncio.wait_for(channel.check(), PATIENCE)
    except TimeoutError:
        return [f"{PATIENCE:.0f} 秒没有回应：请检查这台机器的网络、代理和平台地址的设置。"]
    finally:
        await channel.stop()


def _findings(name: str, sentences: Sequence[str]) -> list[Finding]:
    return [wrong(f"{name}：{sentence}") for sentence in sentences] or [ok(f"{name}：设置可用。")]
