"""Text that lies sealed in the database, so that a stolen file or backup tells no phone and no ID number.

A sealed text is found again by its digest, a keyed hash kept in a column of its own (docs/decisions/08).
"""

import base64
import binascii
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import (
    Column,
    Connection,
    Dialect,
    MetaData,
    String,
    TypeDecorator,
    column,
    func,
    select,
    table,
    update,
)
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.sql.operators import OperatorType, is_, is_not

_KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits, drawn anew for each text
_MARK = "s1"
_HEAD = re.compile(rf"{_MARK}:([0-9a-f]{{8}}):")
_FORM = re.compile(rf"{_MARK}:([0-9a-f]{{8}}):([A-Za-z0-9_-]+=*)")


class SealingTrouble(DontWrapMixin, Exception):
    """What was sealed cannot be opened, or nothing can be sealed; the message says what to do.

    It is never wrapped in a database's error, which might show the text beside it.
    """


@dataclass(frozen=True)
class _Key:
    """One sealing key, with the short public name that stands on whatever it sealed."""

    name: str
    cipher: AESGCM

    @classmethod
    def of(cls, secret: bytes) -> Self:
        return cls(_derived(secret, "key name")[:4].hex(), AESGCM(_derived(secret, "sealing")))


class Keys:
    """The keys of an installation: one that seals, older ones that only open, and one for finding.

    Args:
        sealing: keys as they stand in the environment, newest first, a space or comma between.
        search: the key of the digests; it stays when sealing keys change, or nothing would be found again.

    Raises:
        SealingTrouble: a key is missing or is no key; the message names which, never the key.
    """

    def __init__(self, sealing: str, search: str) -> None:
        keys = [_Key.of(_secret(key, "a sealing key")) for key in re.split(r"[\s,]+", sealing.strip()) if key]
        if not keys:
            raise SealingTrouble("No key to seal with was given: `xiaoge keys` makes one.")
        self._newest = keys[0]
        self._by_name = {key.name: key for key in keys}
        self._search = _secret(search.strip(), "the search key")
        self._finding: dict[str, bytes] = {}
        if any(_Key.of(self._search).name == key.name for key in keys):
            raise SealingTrouble(
                "The search key is also a sealing key: make one of its own, it never changes."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The short public names of the keys that seal and open, newest first."""
        return tuple(self._by_name)

    @property
    def mark(self) -> str:
        """How everything that is sealed with the newest key begins."""
        return f"{_MARK}:{self._newest.name}:"

    def seal(self, text: str, purpose: str) -> str:
        """Encrypt a text so that it can be opened for the same purpose only (a column's name).

        Returns:
            ASCII: mark, name of the key, and nonce with AES-256-GCM ciphertext in base64.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._newest.cipher.encrypt(nonce, _bytes(text), purpose.encode())
        return self.mark + base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str, purpose: str) -> str:
        """Decrypt what `seal` made.

        Raises:
            SealingTrouble: it was never sealed, its key is not here, or it is not what was sealed.
        """
        form = _FORM.fullmatch(sealed)
        if form is None:
            raise SealingTrouble(f"{purpose} holds a text that was never sealed: run reseal over the column.")
        if form[1] not in self._by_name:
            raise SealingTrouble(
                f"{purpose} was sealed with the key {form[1]}; here are {', '.join(self._by_name)} only. Put"
                " that key behind the newest one; if it is lost, so is the text, and it is asked for anew."
            )
        try:
            raw = base64.urlsafe_b64decode(form[2])
            cipher = self._by_name[form[1]].cipher
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()).decode(
                errors="surrogatepass"
            )
        except (InvalidTag, ValueError):
            raise SealingTrouble(
                f"{purpose} holds a sealed text that was changed, cut or moved: restore it from a backup."
            ) from None

    def seal_bytes(self, data: bytes, purpose: str) -> bytes:
        """Encrypt a file, so that it can be opened for the same purpose only."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self.mark.encode() + nonce + self._newest.cipher.encrypt(nonce, data, purpose.encode())

    def open_bytes(self, sealed: bytes, purpose: str) -> bytes:
        """Decrypt what `seal_bytes` made. Raises SealingTrouble: its key is not here, or it was changed."""
        head = len(self.mark)
        form = _HEAD.fullmatch(sealed[:head].decode("ascii", "replace"))
        key = self._by_name.get(form[1]) if form else None
        if key is None:
            raise SealingTrouble(f"{purpose}: a file was sealed with a key that is not here.")
        nonce, secret = sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
        try:
            return key.cipher.decrypt(nonce, secret, purpose.encode())
        except (InvalidTag, ValueError):
            raise SealingTrouble(f"{purpose}: a sealed file was changed or cut.") from None

    def digest(self, text: str, purpose: str) -> str:
        """Keyed hash by which an equal text is found again: HMAC-SHA256, 64 hexadecimal signs.

        Args:
            text: in one writing, or it will not be found (`plain_number` of a phone).
            purpose: a column's name; equal texts in two columns have nothing to do with each other.
        """
        if purpose not in self._finding:
            self._finding[purpose] = _derived(self._search, f"search {purpose}")
        return hmac.new(self._finding[purpose], _bytes(text), sha256).hexdigest()


def is_sealed(text: str) -> bool:
    """Whether a text is what `Keys.seal` makes."""
    return _FORM.fullmatch(text) is not None


def new_key() -> str:
    """Make a key as it stands in the environment: 32 random bytes in base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _bytes(text: str) -> bytes:
    """Half a surrogate pair (cut-off emoji) does come in, and comes back as it was."""
    return text.encode(errors="surrogatepass")


def _secret(text: str, what: str) -> bytes:
    try:
        secret = base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise SealingTrouble(f"{what} is not 32 bytes in base64: `xiaoge keys` makes one.")
    return secret


def _derived(secret: bytes, use_for: str) -> bytes:
    """One key for one use (RFC 5869), so that none tells anything of another."""
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"xiaoge {use_for}".encode()).derive(secret)


# -- which keys are at hand ------------------------------------------------------------------------------


_of_process: list[Keys] = []
_at_hand: ContextVar[Keys | None] = ContextVar("keys", default=None)


def use(keys: Keys | None) -> Keys | None:
    """Hand a process that works on one database its keys, before it touches it; rows' types cannot be given
    them. A process that serves several is given none: each database has its own (`using`).

    Returns:
        The keys used until now, so that a test can put them back.
    """
    before = _of_process[-1] if _of_process else None
    _of_process[:] = [keys] if keys else []
    return before


@contextmanager
def using(keys: Keys | None) -> Iterator[None]:
    """Seal and open with a database's own keys for the length of a block, in this thread or task alone.

    None: with those of the process.
    """
    token = _at_hand.set(keys)
    try:
        yield
    finally:
        _at_hand.reset(token)


def keys_in_use() -> Keys:
    """The keys of the block, else of the process. Raises SealingTrouble when there are none."""
    keys = _at_hand.get()
    if keys is not None:
        return keys
    if not _of_process:
        raise SealingTrouble("There are no keys here: whoever opens a database says which are its own.")
    return _of_process[0]


def digest(text: str, purpose: str) -> str:
    """`Keys.digest` with the keys in use."""
    return keys_in_use().digest(text, purpose)


# -- the column ------------------------------------------------------------------------------------------


class Sealed(TypeDecorator[str]):
    """A text that lies sealed in its column and is itself in Python.

    Args:
        purpose: table and column, as in `person.phone`; part of the seal, so it never changes.
    """

    impl = String
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[str]):
        """Equal texts are sealed differently: a comparison would quietly find nothing."""

        def operate(self, op: OperatorType, *other: Any, **how: Any) -> Any:
            """Let only `IS NULL` through, and a column beside itself, by which SQLAlchemy finds it."""
            itself = bool(other) and getattr(other[0], "type", None) is self.type
            if itself or op in (is_, is_not) or (other and other[0] is None):
                return super().operate(op, *other, **how)
            return _refuse(op)

        def reverse_operate(self, op: OperatorType, other: Any, **how: Any) -> Any:
            """Refuse, whichever side the column stands on."""
            return _refuse(op)

    comparator_factory = Comparator

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal on the way in."""
        return None if value is None else keys_in_use().seal(value, self.purpose)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Open on the way out."""
        return None if value is None else keys_in_use().open(value, self.purpose)


class SealedJson(Sealed):
    """JSON that lies sealed in its column as one text."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write it as text, and seal that."""
        return super().process_bind_param(json.dumps(value, ensure_ascii=False), dialect)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Open the text, and read it."""
        text = super().process_result_value(value, dialect)
        return None if text is None else json.loads(text)


def sealed_columns(metadata: MetaData) -> list[Column[Any]]:
    """All columns that lie sealed, of all tables."""
    return [one for table in metadata.sorted_tables for one in table.columns if isinstance(one.type, Sealed)]


def _refuse(op: OperatorType) -> NoReturn:
    raise SealingTrouble(f"A sealed column cannot be compared ({op.__name__}): find the row by its digest.")


@dataclass(frozen=True)
class Lying:
    """How the texts of a sealed column lie in the database."""

    by_key: dict[str, int]
    """Name of a key -> how many texts it has sealed."""
    plain: int
    """Texts that were never sealed."""


def lying(connection: Connection, sealed: Column[Any]) -> Lying:
    """Count the texts of a column of type `Sealed` by what sealed them; none is opened."""
    raw = _raw(sealed)
    head = func.substr(raw, 1, len(_MARK) + 10)
    found = connection.execute(select(head, func.count()).where(raw.is_not(None)).group_by(head)).all()
    by_key: dict[str, int] = {}
    plain = 0
    for written, count in found:
        mark = _HEAD.fullmatch(written)
        if mark is None:
            plain += count
        else:
            by_key[mark[1]] = count
    return Lying(by_key, plain)


def _raw(sealed: Column[Any]) -> Column[Any]:
    """The column as it lies there."""
    rows = table(sealed.table.name, column(sealed.name, String()))
    return rows.c[sealed.name]  # type: ignore[return-value]


def reseal(
    connection: Connection,
    sealed: Column[Any],
    *,
    most: int = 500,
    beside: Callable[[str], Mapping[str, Any]] = lambda _: {},
) -> int:
    """Seal some rows with the newest key: what older keys sealed, and what was never sealed.

    Called with a commit after each call until it answers 0, it holds nobody up; broken off, it goes on where
    it was. A row that somebody writes meanwhile is left to the next call.

    Args:
        connection: within a transaction, which the caller ends.
        sealed: a column of type `Sealed`, in a table with one primary key.
        most: how many rows at once.
        beside: from the opened text, values of other columns of the row, such as its digest.

    Returns:
        How many rows it looked at.

    Raises:
        SealingTrouble: a row's key is not here, and nothing of this call is to be kept.
    """
    assert isinstance(sealed.type, Sealed)
    keys, purpose = keys_in_use(), sealed.type.purpose
    unopened = [column(one.name, String() if one is sealed else one.type) for one in sealed.table.columns]
    rows = table(sealed.table.name, *unopened)
    key, raw = rows.c[sealed.table.primary_key.columns[0].name], rows.c[sealed.name]
    old = select(key, raw).where(raw.is_not(None), ~raw.startswith(keys.mark, autoescape=True))
    found = connection.execute(old.order_by(key).limit(most)).all()
    for row_key, written in found:
        text = keys.open(written, purpose) if _FORM.fullmatch(written) else written
        change = {sealed.name: keys.seal(text, purpose), **beside(text)}
        connection.execute(update(rows).where(key == row_key, raw == written).values(change))
    return len(found)
