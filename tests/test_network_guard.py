"""The guard lets tests talk on this machine and nowhere else."""

import asyncio
import socket

import pytest

from tests.network import stays_here


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", b"127.0.0.1", "", None, "0.0.0.0"]
)
def test_this_machine_may_be_reached(host: object) -> None:
    assert stays_here(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "example.invalid", b"192.0.2.1"])
def test_nothing_else_may(host: object) -> None:
    assert not stays_here(host)


def test_a_connection_outside_fails_the_test() -> None:
    with socket.socket() as out, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        out.connect(("192.0.2.1", 80))


def test_a_datagram_outside_fails_the_test() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as out, pytest.raises(pytest.fail.Exception):
        out.sendto(b"x", ("192.0.2.1", 53))


def test_a_name_is_not_even_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception):
        socket.create_connection(("example.invalid", 443))


def test_asyncio_is_guarded_too() -> None:
    with pytest.raises(pytest.fail.Exception):
        asyncio.run(asyncio.wait_for(asyncio.open_connection("192.0.2.1", 80), 5))


def test_loopback_carries_bytes() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as out,
    ):
        there, _ = server.accept()
        with there:
            out.sendall(b"x")
            assert there.recv(1) == b"x"
