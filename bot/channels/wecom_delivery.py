"""How a stand-in WeCom delivers: encrypted and signed, cut after five seconds, three times in all."""

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

import httpx
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.channel import Request

TRIES: Final = 3
PATIENCE: Final = 5.0
"""Seconds."""


@dataclass
class Delivery:
    """What became of one callback."""

    name: str
    """MsgId, or the event's kind."""
    tries: int = 0
    answers: tuple[int | None, ...] = ()
    """Status of each try; None where the line was cut."""
    bodies: tuple[str, ...] = ()

    @property
    def taken(self) -> bool:
        """Whether it was answered with 200 in the end."""
        return bool(self.answers) and self.answers[-1] == 200


class Courier:
    """Brings callbacks to an application.

    Args:
        token: signs them.
        key: encrypts them.
        receive_id: the organisation's.
        now: gives aware UTC.
        patience: seconds until a delivery that is not answered is cut.
        rest: seconds between two tries.
    """

    def __init__(
        self,
        token: str,
        key: str,
        receive_id: str,
        now: Callable[[], datetime],
        patience: float,
        rest: float,
    ) -> None:
        self._token = token
        self._crypto = WeChatCrypto(token, key, receive_id)
        self._receive_id = receive_id
        self._now = now
        self._patience = patience
        self._rest = rest
        self._line: httpx.AsyncClient | None = None
        self.url = ""
        self.deliveries: list[Delivery] = []

    def sealed(self, xml: str) -> Request:
        """A delivery as it arrives, encrypted anew each time."""
        at, nonce = str(int(self._now().timestamp())), secrets.token_hex(5)
        body = self._crypto.encrypt_message(xml, nonce, at)
        encrypted, signature = _inside(body, "Encrypt"), _inside(body, "MsgSignature")
        whole = (
            f"<xml><ToUserName><![CDATA[{self._receive_id}]]></ToUserName>"
            f"<Encrypt><![CDATA[{encrypted}]]></Encrypt><AgentID><![CDATA[]]></AgentID></xml>"
        )
        query = {"msg_signature": signature, "timestamp": at, "nonce": nonce}
        return Request({"content-type": "text/xml"}, query, whole.encode())

    def greeting(self, words: str) -> Request:
        """The question whether an address is the application's."""
        sealed = self.sealed(words)
        return Request({}, {**sealed.query, "echostr": _inside(sealed.body.decode(), "Encrypt")}, b"")

    async def connect(self, url: str) -> None:
        """Take an address for the application's, if it can decrypt a question. Raises ConnectionError."""
        words = str(secrets.randbelow(10**18))
        try:
            answer = await self._http.get(url, params=dict(self.greeting(words).query), timeout=1.0)
        except httpx.HTTPError as error:
            raise ConnectionError(f"the address does not answer: {type(error).__name__}") from None
        if answer.status_code != 200 or answer.text != words:
            raise ConnectionError(f"the address does not answer as it should: {answer.status_code}")
        self.url = url

    async def deliver(self, name: str, xml: str) -> Delivery:
        """Bring one callback; again, what is not answered with 200 in time."""
        delivery = Delivery(name)
        self.deliveries.append(delivery)
        while self.url and delivery.tries < TRIES and not delivery.taken:
            if delivery.tries:
                await asyncio.sleep(self._rest)
            status, body = await self._try(xml)
            delivery.tries += 1
            delivery.answers += (status,)
            delivery.bodies += (body,)
        return delivery

    async def _try(self, xml: str) -> tuple[int | None, str]:
        sealed = self.sealed(xml)
        try:
            answer = await self._http.post(
                self.url,
                params=dict(sealed.query),
                content=sealed.body,
                headers=dict(sealed.headers),
                timeout=self._patience,
            )
        except httpx.HTTPError:
            return None, ""
        return answer.status_code, answer.text

    @property
    def _http(self) -> httpx.AsyncClient:
        if self._line is None:
            self._line = httpx.AsyncClient(trust_env=False)
        return self._line

    async def close(self) -> None:
        """Release connections."""
        line, self._line = self._line, None
        if line is not None:
            await line.aclose()


def _inside(xml: str, name: str) -> str:
    found = re.search(rf"<{name}><!\[CDATA\[(.*?)\]\]></{name}>", xml)
    assert found is not None
    return found[1]


def xml_of(fields: dict[str, object]) -> str:
    """Fields as WeCom writes them: texts in CDATA, numbers bare, what holds others nested."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"<{name}>{''.join(_element(inner, one) for inner, one in value.items())}</{name}>"
    if isinstance(value, int | float):
        return f"<{name}>{value}</{name}>"
    text = str(value)
    return f"<{name}>{escape(text) if ']]>' in text else f'<![CDATA[{text}]]>'}</{name}>"
