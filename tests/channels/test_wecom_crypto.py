"""The envelope opens what others seal and seals what others open: official vectors, and independent peers."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Request, Unreadable, Untrusted
from bot.channels.wecom_delivery import Courier
from bot.channels.wecom_envelope import Envelope
from tests.channels.wecom_reference import decrypt, encrypt, sign
from tests.channels.wecom_stage import CALLBACK_KEY, CALLBACK_TOKEN, CORP, Clock

ENVELOPE = Envelope(CALLBACK_TOKEN, CALLBACK_KEY, CORP)
COURIER = Courier(CALLBACK_TOKEN, CALLBACK_KEY, CORP, Clock(), 5, 0)
texts = st.text(st.characters(codec="utf-8"), max_size=300)
MESSAGES = ["", "灯", "a" * 31, "a" * 32, "💡" * 500, "<xml>]]></xml>", "网" * 20_000]
PEER = """
const { encrypt, decrypt, getSignature } = require('@wecom/crypto');
const lines = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(lines.map(one => {
  const sealed = encrypt(one.key, one.message, one.id, Buffer.from('0123456789abcdef'));
  const opened = decrypt(one.key, one.encrypted);
  return { sealed, message: opened.message, id: opened.id,
           sealedSign: getSignature(one.token, '1', '2', sealed),
           sign: getSignature(one.token, one.timestamp, one.nonce, one.encrypted) };
})));
"""


def delivery(encrypted: str, token: str = CALLBACK_TOKEN) -> Request:
    query = {"msg_signature": sign(token, "1", "2", encrypted), "timestamp": "1", "nonce": "2"}
    return Request({}, query, f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode())


def test_the_official_example_of_a_greeting() -> None:
    """The sample VerifyURL of WeCom's own WXBizMsgCrypt."""
    key = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt"
    envelope = Envelope("hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo", key, "ww1436e0e65a779aee")
    echo = "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA=="
    query = {
        "msg_signature": "012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb",
        "timestamp": "1476416373",
        "nonce": "47744683",
        "echostr": echo,
    }

    assert envelope.greet(Request({}, query, b"")) == "1288432023552776189"


@given(message=texts)
def test_what_the_reference_seals_is_opened(message: str) -> None:
    assert ENVELOPE.open(delivery(encrypt(message.encode(), CALLBACK_KEY, CORP))) == message


@given(message=texts)
def test_what_the_stand_in_seals_the_reference_opens(message: str) -> None:
    asked = COURIER.greeting(message)
    encrypted = asked.query["echostr"]

    assert decrypt(encrypted, CALLBACK_KEY) == (message.encode(), CORP)
    assert asked.query["msg_signature"] == sign(
        CALLBACK_TOKEN, asked.query["timestamp"], asked.query["nonce"], encrypted
    )


@given(cut=st.integers(1, 80), junk=st.binary(max_size=64))
def test_rightly_signed_rubbish_is_unreadable_and_nothing_worse(cut: int, junk: bytes) -> None:
    whole = encrypt(b"<xml></xml>", CALLBACK_KEY, CORP)
    for body in (whole[:-cut] or "A", encrypt(junk, CALLBACK_KEY, "")[4:] or "A", "AAAA"):
        with pytest.raises((Unreadable, Untrusted)):
            ENVELOPE.open(delivery(body))


def test_an_empty_receiver_is_that_of_an_ai_bot() -> None:
    bot = Envelope(CALLBACK_TOKEN, CALLBACK_KEY, "")

    assert bot.open(delivery(encrypt("灯".encode(), CALLBACK_KEY, ""))) == "灯"
    with pytest.raises(Untrusted):
        bot.open(delivery(encrypt("灯".encode(), CALLBACK_KEY, CORP)))


def node_peer() -> Path | None:
    """Where npm's @wecom/crypto is, or could be put; None where there is no node."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "xiaoge-tests/wecom-crypto"
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    if not (folder / "node_modules/@wecom/crypto").exists():
        folder.mkdir(parents=True, exist_ok=True)
        asked = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "@wecom/crypto@1.0.1"]
        try:
            subprocess.run(asked, check=True, capture_output=True, timeout=60)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
    return folder


def answers(lines: list[dict[str, str]]) -> list[dict[str, str]]:
    """What an independent peer makes of them: npm's @wecom/crypto, or the reference where it is not."""
    folder = node_peer()
    if folder is None:
        found = []
        for line in lines:
            message, whose = decrypt(line["encrypted"], line["key"])
            sealed = encrypt(line["message"].encode(), line["key"], line["id"])
            signed = sign(line["token"], line["timestamp"], line["nonce"], line["encrypted"])
            own = sign(line["token"], "1", "2", sealed)
            words = message.decode()
            found.append({"sealed": sealed, "message": words, "id": whose, "sign": signed, "sealedSign": own})
        return found
    told = subprocess.run(
        ["node", "-e", PEER], cwd=folder, input=json.dumps(lines), capture_output=True, text=True, check=True
    )
    peer: list[dict[str, str]] = json.loads(told.stdout)
    return peer


def test_an_independent_peer_agrees_both_ways() -> None:
    lines = []
    for message in MESSAGES:
        asked = COURIER.greeting(message)
        common = {"key": CALLBACK_KEY, "token": CALLBACK_TOKEN, "id": CORP, "message": message}
        lines.append({**common, **asked.query, "encrypted": asked.query["echostr"]})

    for line, answer in zip(lines, answers(lines), strict=True):
        assert (answer["message"], answer["id"]) == (line["message"], CORP)
        assert answer["sign"] == line["msg_signature"]
        assert answer["sealedSign"] == sign(CALLBACK_TOKEN, "1", "2", answer["sealed"])
        assert ENVELOPE.open(delivery(answer["sealed"])) == line["message"]
