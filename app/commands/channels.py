"""Ways of talking: whether their settings are right."""

import argparse
import asyncio

from app.commands import FAILED, Add, settings_of


def add_channels(add: Add) -> None:
    """Add the command that asks the platforms about our settings."""
    channels = add("channels", _channels, "ask each platform whether the settings of its channel are right")
    channels.add_argument("deed", choices=("check",), help="what to do with them")
    channels.add_argument("name", nargs="*", help="only these: wecom, dingtalk ...")


def _channels(given: argparse.Namespace) -> int:
    from app.channel_check import check_channels

    code = 0
    for finding in asyncio.run(check_channels(settings_of(given), given.name)):
        print(finding, flush=True)
        code = FAILED if finding.wrong else code
    return code
