"""Keeps every test on this machine: a test which talks to the world tests the world.

It watches Python's own sockets and name look-ups. What a driver opens in C (libpq, uvloop) and what another
process does (a browser) are not seen here.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

import pytest

NAMES_OF_THIS_MACHINE = {"", "localhost", "ip6-localhost"}


def stays_here(host: object) -> bool:
    """Tell whether a host, as sockets are given it, is this machine; None and "" mean its own addresses."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in NAMES_OF_THIS_MACHINE:
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def keep_on_this_machine(patch: pytest.MonkeyPatch) -> None:
    """Make every way out of this machine fail the test which takes it.

    The failure is no `Exception`: code which rightly takes a broken network in its stride must not hide it.
    """
    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        refuse_unless_here(host)
        return look_up(host, *rest, **named)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)


def guarded(reach: Callable[..., Any]) -> Callable[..., Any]:
    """Return the socket's method with a look at the address first; it is always the last argument."""

    def method(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse_unless_here(arguments[-1][0])
        return reach(self, *arguments)

    return method


def refuse_unless_here(host: object) -> None:
    """Fail the running test when the host is not this machine."""
    if not stays_here(host):
        pytest.fail(f"A test tried to reach {host!r}: tests never leave this machine.")
