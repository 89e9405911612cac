"""WeCom's group robots (群机器人): an address into one internal group, which speaks and hears nothing."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import httpx

from bot.channel import Accept, Broken, Can, Gone, Later, Outcome, Rate, Refused, Request, Sent, Untrusted
from bot.channels.caller import Caller, Closed
from bot.channels.edge import Recent, writable
from bot.message import Inbound, Outbound

log = logging.getLogger(__name__)

NAME: Final = "wecom_robot"
BASE_URL: Final = "https://qyapi.weixin.qq.com"
LONGEST: Final = 2048
"""Bytes of UTF-8 (channels.md 2.2)."""
_TOO_FAST: Final = frozenset({45009, 45033})
_NO_ROBOT: Final = frozenset({93000, 93008, 40058})
_MINUTE: Final = 60.0


class WeComRobotChannel:
    """Speaks in groups through the robots that their people have added; each group has its robot's key.

    Args:
        base_url: another server than WeCom's own, for private deployments.
        patience: seconds until a call that is not answered is given up.
    """

    name = NAME
    can = Can(
        group_push=True,
        private=False,
        mentions=True,
        webhook=False,
        longest=LONGEST,
        per_second=15.0,
        per_chat_second=0.5,
        rates=(Rate("group", 18, timedelta(minutes=1)),),
        at_once=5,
    )

    def __init__(self, *, base_url: str = BASE_URL, patience: float = 10.0) -> None:
        self._base_url = base_url
        self._line = Caller(patience)
        self._halfway: Recent[int, int] = Recent(1000)
        """How many parts of a message were said before it failed, by mail id."""

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        if not message.secret:
            return Refused("这个群没有绑定机器人的地址；请重新绑定。")
        if any(len(writable(part).encode()) > LONGEST for part in message.parts):
            return Refused(f"longer than {LONGEST} bytes")
        try:
            return await self._say(message)
        except (httpx.HTTPError, Closed) as error:
            return Broken(type(error).__name__)  # its words may hold the address
        except Exception as error:  # noqa: BLE001 - its words and its trace may hold the robot's key
            log.error("mail %d was not sent: %s", message.mail_id, type(error).__name__)
            return Broken(type(error).__name__)

    async def _say(self, message: Outbound) -> Outcome:
        if message.photos or message.files:
            log.warning("pictures and files of mail %d were left out", message.mail_id)
        said = self._halfway.setdefault(message.mail_id, 0)
        for number, part in enumerate(message.parts[said:], said):
            mentions = message.mentions if number == 0 else ()
            outcome = await self._post(message.secret, writable(part), mentions)
            if outcome is not None:
                return outcome
            self._halfway[message.mail_id] = number + 1
        self._halfway.pop(message.mail_id, None)
        return Sent("")  # the platform gives these messages no name

    async def _post(self, key: str, words: str, mentions: Sequence[str]) -> Outcome | None:
        """Say one text; None when it was taken."""
        text: dict[str, Any] = {"content": words}
        if mentions:
            text["mentioned_list"] = list(mentions)
        address = f"{self._base_url}/cgi-bin/webhook/send"
        answer = await self._line.post(address, params={"key": key}, json={"msgtype": "text", "text": text})
        if not answer.is_success:
            return Later(_MINUTE) if answer.status_code == 429 else Broken(f"HTTP {answer.status_code}")
        return _outcome(int(answer.json().get("errcode", -1)))

    # -- what it cannot -----------------------------------------------------------------------------------

    def parse(self, request: Request) -> Sequence[Inbound]:
        """Refuse all: such a robot hears nothing."""
        raise Untrusted("a group's robot hears nothing")

    async def fetch(self, key: str) -> tuple[bytes, str] | None:
        """Nothing was ever sent to it."""
        return None

    async def start(self, accept: Accept) -> None:
        """There is nothing to listen to; it may speak again after it was stopped."""
        self._line.open()

    async def stop(self) -> None:
        """Release connections."""
        await self._line.close()


def _outcome(code: int) -> Outcome | None:
    """What an error number means; None for none. The platform's own words stay out: they may quote ours."""
    if code == 0:
        return None
    if code in _TOO_FAST:
        return Later(_MINUTE)
    if code in _NO_ROBOT:
        return Gone(f"群里的机器人已不在，或它的地址不对（{code}）；请重新绑定。")
    if code == -1:
        return Broken("WeCom is busy (-1)")
    return Refused(f"企业微信不接受这条消息（{code}）。")
