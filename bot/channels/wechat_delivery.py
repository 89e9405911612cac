"""How a stand-in WeChat delivers to an official account, and reads what it is answered."""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime

import httpx
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException

from bot.channel import Request, Unreadable
from bot.channels.wechat_rules import LONGEST_TEXT
from bot.channels.wecom_delivery import Courier
from bot.channels.wecom_envelope import read_xml

_FIELD = re.compile(r"<(\w+)>(?:<!\[CDATA\[)?([^<>\]]*)(?:\]\]>)?</\1>")


class WeChatCourier(Courier):
    """Brings messages and events to an account; plain, or encrypted where it has a key.

    Args:
        token: signs them.
        key: encrypts them; empty: nothing is encrypted.
        app_id: the account's.
        now: gives aware UTC.
        patience: seconds until a delivery that is not answered is cut.
        rest: seconds between two tries.
    """

    def __init__(
        self, token: str, key: str, app_id: str, now: Callable[[], datetime], patience: float, rest: float
    ) -> None:
        super().__init__(token, key or "0" * 43, app_id, now, patience, rest)
        self._opener = WeChatCrypto(token, key, app_id) if key else None

    def sealed(self, xml: str) -> Request:
        """A delivery as it arrives."""
        if self._opener is None:
            return Request({"content-type": "text/xml"}, self._signed(), xml.encode())
        whole = super().sealed(xml)
        plain = self._signed(whole.query["timestamp"], whole.query["nonce"])
        return Request(whole.headers, {**whole.query, **plain, "encrypt_type": "aes"}, whole.body)

    def greeting(self, words: str) -> Request:
        """The question whether an address is the account's: plain in either mode."""
        return Request({}, {**self._signed(), "echostr": words}, b"")

    def _signed(self, timestamp: str = "", nonce: str = "") -> dict[str, str]:
        timestamp = timestamp or str(int(self._now().timestamp()))
        nonce = nonce or secrets.token_hex(5)
        signed = "".join(sorted((self._token, timestamp, nonce)))
        signature = hashlib.sha1(signed.encode()).hexdigest()  # noqa: S324 - WeChat's own choice
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce}

    def read(self, body: str, user: str, account: str) -> str:
        """The words of an answer; empty for none.

        Raises ValueError for an answer that WeChat cannot use.
        """
        if body in ("", "success"):
            return ""
        try:
            fields = read_xml(body if self._opener is None else self._opened(body, self._opener))
        except (Unreadable, WeChatException, ValueError) as error:
            raise ValueError(f"no answer: {type(error).__name__}") from None
        words = fields.get("Content")
        if (fields.get("ToUserName"), fields.get("FromUserName")) != (user, account):
            raise ValueError("an answer to somebody else")
        if fields.get("MsgType") != "text" or not words or not str(fields.get("CreateTime", "")).isdigit():
            raise ValueError("an answer without words")
        if len(str(words).encode()) > LONGEST_TEXT:
            raise ValueError("an answer that is too long")
        return str(words)

    def _opened(self, body: str, opener: WeChatCrypto) -> str:
        """The XML in an encrypted answer. Raises WeChatException or ValueError."""
        outer = dict(_FIELD.findall(body))
        asked = (outer.get(name, "") for name in ("MsgSignature", "TimeStamp", "Nonce"))
        return str(opener.decrypt_message({"Encrypt": outer.get("Encrypt", "")}, *asked))

    async def try_once(self, xml: str) -> httpx.Response | None:
        """One delivery and no more, as a proxy might double one; None where the line was cut."""
        sealed = self.sealed(xml)
        try:
            return await self._http.post(
                self.url, params=dict(sealed.query), content=sealed.body, timeout=self._patience
            )
        except httpx.HTTPError:
            return None
