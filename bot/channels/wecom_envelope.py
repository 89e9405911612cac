"""The envelope in which WeCom and 微信客服 deliver: signed, encrypted, meant for one organisation."""

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any, Final

from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.enterprise.exceptions import InvalidCorpIdException

from bot.channel import Request, Unreadable, Untrusted
from bot.channels.edge import fingerprint, writable

_ENCRYPTED: Final = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?\s*([A-Za-z0-9+/=]+)\s*(?:\]\]>)?\s*</Encrypt>")
"""Found without reading XML: before the signature is checked it is anybody's bytes."""


class Envelope:
    """Opens deliveries (channels.md 2.1).

    Args:
        token: that signs them.
        key: that encrypts them, EncodingAESKey, 43 letters and digits.
        receive_id: whom they are for: the corp id of an application, empty for an AI bot.
    """

    def __init__(self, token: str, key: str, receive_id: str) -> None:
        self._token = token
        self._receive_id = receive_id
        self._crypto = WeChatCrypto(token, key, receive_id)

    def open(self, request: Request) -> str:
        """The delivered XML. Raises Untrusted or Unreadable, and nothing else."""
        found = _ENCRYPTED.search(request.body)
        if found is None:
            raise Untrusted("nothing in it is encrypted")
        encrypted = found[1].decode("ascii")
        signature, timestamp, nonce = self._must_be_signed(request, encrypted)
        return self._decrypted(
            encrypted,
            lambda: self._crypto.decrypt_message({"Encrypt": encrypted}, signature, timestamp, nonce),
        )

    def greet(self, request: Request) -> str:
        """What WeCom wants to read back when it asks whether the address is ours. Raises as `open`."""
        encrypted = request.query.get("echostr", "").replace(" ", "+")  # where a proxy has read + as a space
        signature, timestamp, nonce = self._must_be_signed(request, encrypted)
        return self._decrypted(
            encrypted, lambda: self._crypto.check_signature(signature, timestamp, nonce, encrypted)
        )

    def seal(self, xml: str, timestamp: str, nonce: str) -> str:
        """An answer, encrypted and signed, for whoever delivered."""
        return str(self._crypto.encrypt_message(xml, nonce, timestamp))

    def _must_be_signed(self, request: Request, encrypted: str) -> tuple[str, str, str]:
        """Signature, timestamp and nonce. Compared in constant time, which the library does not."""
        signature, timestamp, nonce = (
            request.query.get(name, "") for name in ("msg_signature", "timestamp", "nonce")
        )
        signed = "".join(sorted((self._token, timestamp, nonce, encrypted))).encode("utf-8", "replace")
        wanted = hashlib.sha1(signed).hexdigest()  # noqa: S324 - WeCom's own choice
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode()):
            raise Untrusted("wrong signature")
        return signature, timestamp, nonce

    def _decrypted(self, encrypted: str, decrypt: Callable[[], Any]) -> str:
        """The library fails in many ways (ValueError, IndexError, struct.error ...): all mean the same."""
        try:
            return str(decrypt())
        except InvalidCorpIdException:
            raise Untrusted("meant for another organisation") from None
        except Exception as error:
            raise Unreadable(fingerprint(encrypted.encode()), type(error).__name__) from error


def read_xml(xml: str) -> dict[str, Any]:
    """Fields of a delivered message, fit for any database.

    A delivery that comes again is encrypted anew, so it is the XML that names what cannot be read.

    Raises Unreadable.
    """
    try:
        data = writable(parse_message(xml)._data)
        if not isinstance(data, dict):
            raise TypeError("no fields")
    except Exception as error:
        raise Unreadable(fingerprint(xml.encode("utf-8", "replace")), type(error).__name__) from error
    return data
