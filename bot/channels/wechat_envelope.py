"""How WeChat delivers to an official account: signed, and in 安全模式 encrypted as well."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.channel import Answer, Request, Untrusted
from bot.channels.wecom_envelope import Envelope

_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class WeChatEnvelope:
    """Opens deliveries and seals answers.

    Args:
        token: that signs them.
        key: that encrypts them (EncodingAESKey); empty for 明文模式. With a key nothing plain is believed:
            the signature of a plain delivery says nothing of its content.
        app_id: whom they are for.
        now: gives aware UTC.
    """

    def __init__(self, token: str, key: str, app_id: str, now: Callable[[], datetime]) -> None:
        self._token = token
        self._sealed = Envelope(token, key, app_id) if key else None
        self._now = now

    def open(self, request: Request) -> str:
        """The delivered XML. Raises Untrusted or Unreadable, and nothing else."""
        if self._sealed is not None:
            return self._sealed.open(request)
        self._must_be_signed(request)
        return request.body.decode("utf-8", "replace")

    def greet(self, request: Request) -> str:
        """What WeChat wants to read back, plain in either mode. Raises Untrusted."""
        self._must_be_signed(request)
        return request.query.get("echostr", "")

    def answer(self, reader: str, writer: str, words: str) -> Answer:
        """A text as the answer to a delivery.

        Args:
            reader: who gets it.
            writer: our account's own name, as the delivery gave it.
            words: the text, at most 2048 bytes.
        """
        at = str(int(self._now().timestamp()))
        fields = {"ToUserName": reader, "FromUserName": writer}
        inner = "".join(f"<{name}>{_data(value)}</{name}>" for name, value in fields.items())
        xml = (
            f"<xml>{inner}<CreateTime>{at}</CreateTime>"
            f"<MsgType>{_data('text')}</MsgType><Content>{_data(words)}</Content></xml>"
        )
        sealed = self._sealed.seal(xml, at, secrets.token_hex(8)) if self._sealed else xml
        return Answer(sealed, "application/xml")

    def _must_be_signed(self, request: Request) -> None:
        signature, timestamp, nonce = (
            request.query.get(name, "") for name in ("signature", "timestamp", "nonce")
        )
        signed = "".join(sorted((self._token, timestamp, nonce))).encode("utf-8", "replace")
        wanted = hashlib.sha1(signed).hexdigest()  # noqa: S324 - WeChat's own choice
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()):
            raise Untrusted("wrong signature")


def _data(words: str) -> str:
    """A text in XML, whatever stands in it."""
    plain = _NO_XML.sub("", words)
    return f"<![CDATA[{plain.replace(']]>', ']]]]><![CDATA[>')}]]>"
