"""WeCom's envelope once more, written from its description alone: nothing of the library that is checked."""

import base64
import hashlib
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


def encrypt(message: bytes, key: str, receive_id: str, salt: bytes = b"0123456789abcdef") -> str:
    """AES-256-CBC of 16 random bytes, the length, the message and for whom it is, padded to 32 bytes."""
    secret = base64.b64decode(f"{key}=")
    plain = salt + struct.pack(">I", len(message)) + message + receive_id.encode()
    pad = BLOCK - len(plain) % BLOCK
    turn = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(turn.update(plain + bytes([pad]) * pad) + turn.finalize()).decode()


def decrypt(encrypted: str, key: str) -> tuple[bytes, str]:
    """The message, and for whom it is."""
    secret = base64.b64decode(f"{key}=")
    turn = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).decryptor()
    plain = turn.update(base64.b64decode(encrypted)) + turn.finalize()
    plain = plain[: -plain[-1]]
    (length,) = struct.unpack(">I", plain[16:20])
    return plain[20 : 20 + length], plain[20 + length :].decode()


def sign(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """SHA-1 of the four in their order."""
    return hashlib.sha1("".join(sorted((token, timestamp, nonce, encrypted))).encode()).hexdigest()  # noqa: S324
