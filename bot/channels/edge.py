"""What every webhook's edge needs: reading strange bytes, and naming what cannot be read."""

import hashlib
import json
import math
import re
from collections import OrderedDict
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_UNWRITABLE = re.compile(r"[\x00\ud800-\udfff]")


def load_json(body: bytes) -> Any:
    """Read JSON from outside, with every text in it fit for any database.

    Raises ValueError (also for a number that no database takes, such as NaN) or RecursionError.
    """
    return writable(json.loads(body, parse_constant=_finite, parse_float=_finite))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"no number: {digits[:20]}")
    return number


def writable(value: Any) -> Any:
    """Return the JSON value with texts that can be encoded and stored; an odd character stays one.

    Half a surrogate pair cannot be written as UTF-8, and PostgreSQL takes no NUL.
    """
    if isinstance(value, str):
        return _UNWRITABLE.sub("�", value)
    if isinstance(value, list):
        return [writable(part) for part in value]
    if isinstance(value, dict):
        return {writable(name): writable(part) for name, part in value.items()}
    return value


def fingerprint(body: bytes) -> str:
    """Name of a body that does not tell its own, so that the same one sent again is known."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Recent(OrderedDict[K, V]):
    """A dict of the latest entries only, for what may be forgotten without harm."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, name: K, value: V) -> None:
        super().__setitem__(name, value)
        if len(self) > self._most:
            self.popitem(last=False)
