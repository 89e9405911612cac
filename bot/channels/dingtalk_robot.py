"""DingTalk's group robots (群自定义机器人): an address into one group, which speaks and hears nothing."""

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from bot.channel import Accept, Broken, Can, Gone, Later, Outcome, Rate, Refused, Request, Sent, Untrusted
from bot.channels.caller import Caller, Closed
from bot.channels.edge import Recent, fingerprint, writable
from bot.message import Inbound, Outbound

log = logging.getLogger(__name__)

NAME: Final = "dingtalk_robot"
OLD_BASE: Final = "https://oapi.dingtalk.com"
BLOCKED: Final = timedelta(minutes=10)
"""So long nothing is taken from a robot that spoke more than 20 times in a minute (channels.md 2.8)."""
LONGEST: Final = 18_000
"""Bytes of a text; the whole message may have 20,000."""

_MOBILE: Final = re.compile(r"(?:\+?86-?)?(1\d{10})")

_TOO_FAST: Final = frozenset({130101, 410100})
_BUSY: Final = frozenset({-1, 429})
_NO_ROBOT: Final = frozenset({300001, 300005, 40035, 400013, 400101, 400102, 400106})
"""Its key is wrong, or the robot or the group is no more."""
_UNSAFE: Final = 310000
_CLOCK: Final = "服务器的时间与钉钉相差超过一小时，签名不被接受；请校准服务器时间。"
_SIGNATURE: Final = "加签密钥不对；请到机器人的安全设置里重新复制 SEC 开头的密钥，再绑定一次。"
_UNSIGNED: Final = "机器人的安全设置选了“加签”，绑定时却没有密钥；请把 SEC 开头的密钥一起发来，再绑定一次。"
_OF_SIGNS: Final = (_CLOCK, _SIGNATURE)
_REASONS: Final = (
    (r"\bkeyword|关键词", "机器人要求每条消息带关键词，这条没有；请换成每条都有的字，或改用“加签”。"),
    (r"\btimestamp|时间", _CLOCK),
    (r"\bsign|签名", _SIGNATURE),
    (r"\bip\b|白名单", "服务器的出口 IP 不在机器人允许的地址里；请加进去，或改用“加签”。"),
)


def sign(secret: str, milliseconds: int) -> str:
    """The signature of a moment, not yet quoted for an address (channels.md 2.8)."""
    signed = hmac.new(secret.encode(), f"{milliseconds}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


class DingTalkRobotChannel:
    """Speaks in groups through the robots that their people have set up; each group has its robot's key.

    Args:
        now: gives aware UTC.
        base_url: where the robots are (XIAOGE_DINGTALK_OLD_BASE_URL).
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

    def __init__(
        self, *, now: Callable[[], datetime], base_url: str = OLD_BASE, patience: float = 10.0
    ) -> None:
        self._now = now
        self._base_url = base_url
        self._line = Caller(patience)
        self._blocked: Recent[str, datetime] = Recent(1000)
        """Until when a robot is not listened to, by its key's fingerprint."""
        self._halfway: Recent[int, int] = Recent(1000)
        """How many parts of a message were said before it failed, by mail id."""

    # -- speaking -----------------------------------------------------------------------------------------

    async def send(self, message: Outbound) -> Outcome:
        """Say what was not said yet of a message. See `Channel.send`."""
        if not message.secret:
            return Refused("这个群没有绑定机器人的地址；请重新绑定。")
        robot = fingerprint(message.secret.encode("utf-8", "replace"))
        rest = self._blocked.get(robot, self._now()) - self._now()
        if rest > timedelta(0):
            return Later(rest.total_seconds())
        try:
            outcome = await self._say(message)
        except (httpx.HTTPError, Closed) as error:
            return Broken(type(error).__name__)  # its words may hold the address
        except Exception as error:  # noqa: BLE001 - its words and its trace may hold the robot's key
            log.error("mail %d was not sent: %s", message.mail_id, type(error).__name__)
            return Broken(type(error).__name__)
        if isinstance(outcome, Later) and outcome.seconds >= BLOCKED.total_seconds():
            self._blocked[robot] = self._now() + BLOCKED
        return outcome

    async def _say(self, message: Outbound) -> Outcome:
        if message.photos or message.files:
            log.warning("pictures and files of mail %d were left out: a robot shows none", message.mail_id)
        said = self._halfway.setdefault(message.mail_id, 0)
        for number, part in enumerate(message.parts[said:], said):
            mentions = message.mentions if number == 0 else ()
            outcome = await self._post(message.secret, _body(writable(part), mentions))
            if outcome is not None:
                return outcome
            self._halfway[message.mail_id] = number + 1
        self._halfway.pop(message.mail_id, None)
        return Sent("")  # the platform gives these messages no name

    async def _post(self, secret: str, body: dict[str, Any]) -> Outcome | None:
        """Say one text; None when it was taken."""
        token, _, key = secret.partition(" ")
        query: dict[str, str] = {"access_token": token}
        if key:
            milliseconds = int(self._now().timestamp() * 1000)
            query |= {"timestamp": str(milliseconds), "sign": sign(key, milliseconds)}
        answer = await self._line.post(f"{self._base_url}/robot/send", params=query, json=body)
        if answer.status_code == 429:
            return Later(60)
        if not answer.is_success:
            return Broken(f"HTTP {answer.status_code}")
        told = answer.json()
        return _outcome(int(told.get("errcode", -1)), str(told.get("errmsg", "")), signed=bool(key))

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


def _body(words: str, mentions: Sequence[str]) -> dict[str, Any]:
    """A text; whoever is called stands in it as well, else nobody's device tells them."""
    mobiles = [found[1] for name in mentions if (found := _MOBILE.fullmatch(name))]
    users = [name for name in mentions if not _MOBILE.fullmatch(name)]
    if mobiles or users:
        words = " ".join([*(f"@{name}" for name in (*mobiles, *users)), words])
    at = {"atMobiles": mobiles, "atUserIds": users, "isAtAll": False}
    return {"msgtype": "text", "text": {"content": words}, "at": at}


def _outcome(code: int, words: str, *, signed: bool) -> Outcome | None:
    """What an error number means; None for none. The platform's own words stay out: they may quote ours."""
    if code == 0:
        return None
    if code in _TOO_FAST:
        return Later(BLOCKED.total_seconds())
    if code in _BUSY:
        return Broken(f"DingTalk is busy ({code})")
    if code in _NO_ROBOT:
        return Gone(f"群里的机器人已不在，或它的地址不对（{code}）；请重新绑定。")
    if code == _UNSAFE:
        reason = _reason(words)
        return Refused(_UNSIGNED if reason in _OF_SIGNS and not signed else reason)
    return Refused(f"钉钉不接受这条消息（{code}）。")


def _reason(words: str) -> str:
    """Which of the robot's safety settings a message went against."""
    lower = words.lower()
    found = (why for pattern, why in _REASONS if re.search(pattern, lower))
    return next(found, "机器人的安全设置不接受这条消息（310000）；请检查关键词、加签和 IP 设置。")
