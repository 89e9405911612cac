"""Knocking: a template message that asks somebody to open the chat, where nothing else may be said to them.

Once they write, what waited for them is told whole; so the knock carries a number and a few words of it.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from bot.channels.edge import Recent, writable
from bot.channels.wechat_client import WeChatClient, words_of
from bot.channels.wecom_client import WeComError
from bot.message import Outbound

log = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=24)
"""Nobody is knocked for more often: the second letter waits beside the first."""
_NUMBER: Final = re.compile(r"[0-9A-Z]{2,}(?:-[0-9A-Z]+)+")
_NO_SUCH_TEMPLATE: Final = 40037
_WORDS: Final = 20
"""Characters that a field of words takes."""


@dataclass(frozen=True)
class Template:
    """The template that the account has chosen, and its fields for 编号, 内容, 时间."""

    id: str
    fields: tuple[str, str, str] = ("character_string1", "thing2", "time3")


class Knock:
    """Sends the template.

    Args:
        client: of the account.
        template: which one.
        zone: the place's, in which a time is written.
    """

    def __init__(self, client: WeChatClient, template: Template, zone: tzinfo) -> None:
        self._client = client
        self._template = template
        self._zone = zone
        self._knocked: Recent[str, datetime] = Recent(20_000)

    async def __call__(self, message: Outbound, now: datetime) -> None:
        """Knock for whoever a letter waits for, at most once a day. Never raises."""
        last = self._knocked.get(message.handle)
        if last is not None and now < last + EVERY:
            return
        self._knocked[message.handle] = now
        body = {"touser": message.handle, "template_id": self._template.id, "data": self._data(message, now)}
        try:
            await self._send(body)
        except (WeComError, ConnectionError) as error:
            why = words_of(error) if isinstance(error, WeComError) else str(error)
            log.warning("a template was not sent: %s", why)

    async def _send(self, body: Mapping[str, object]) -> None:
        """As a template message; where the template is one to subscribe to, as that."""
        try:
            await self._client.post("message/template/send", body)
        except WeComError as error:
            if error.code != _NO_SUCH_TEMPLATE:
                raise
            await self._client.post("message/subscribe/bizsend", body)

    def _data(self, message: Outbound, now: datetime) -> dict[str, dict[str, str]]:
        words = writable("\n".join(message.parts))
        number = _NUMBER.search(words)
        line = next((line.strip() for line in words.split("\n") if line.strip()), "有新消息")
        short = line if len(line) <= _WORDS else line[: _WORDS - 1] + "…"
        values = number[0][:32] if number else "0", short, f"{now.astimezone(self._zone):%Y-%m-%d %H:%M}"
        return {name: {"value": value} for name, value in zip(self._template.fields, values, strict=True)}
