"""Whatever happens to the serving process, nobody who calls is refused."""

import os
import pty
import signal
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.supervisor import LONGEST_WAIT, supervise, wait_before_start
from tests.app.serving import SAY_UP, SERVE, Callers, call, read_all, supervised

KILLS = 6
TELLS_ITS_SIGNAL = SAY_UP + "\nsys.exit(40 + signal.sigwait({signal.SIGTERM, signal.SIGINT}))"
BLOCKED = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})\n"
FAILS = SAY_UP + "\nsys.exit(3)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
ANNOUNCED = (
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
)
UVICORN = (
    SAY_UP
    + """
import uvicorn

async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    body = b"%d" % os.getpid()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

uvicorn.run(app, fd=int(sys.argv[1]), lifespan="off")
"""
)


def test_killed_again_and_again_it_serves_on_and_refuses_nobody() -> None:
    with supervised() as served:
        children = [served.wait_until_up()]
        callers = Callers(served.port)
        with callers.calling(6):
            for _ in range(KILLS):
                assert callers.wait_for(children[-1], times=20)
                os.kill(children[-1], signal.SIGKILL)
                children.append(served.wait_until_up())
            assert callers.wait_for(children[-1], times=20)

    assert callers.refused == 0
    assert set(callers.answers) == set(children)
    assert len(set(children)) == KILLS + 1


def test_a_call_while_nobody_serves_waits_and_is_answered() -> None:
    slow_to_rise = SAY_UP + "\nsignal.sigwait({signal.SIGUSR1})" + SERVE
    with supervised(
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})" + slow_to_rise
    ) as served:
        child = served.wait_until_up()
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as early:
            early.sendall(b"GET / HTTP/1.0\r\n\r\n")
            os.kill(child, signal.SIGKILL)
            second = served.wait_until_up()
            os.kill(second, signal.SIGUSR1)
            assert early.recv(65536).endswith(b"%d" % second)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_tells_the_child_and_ends_with_its_code(number: signal.Signals) -> None:
    with supervised(BLOCKED + TELLS_ITS_SIGNAL) as served:
        served.wait_until_up()
        served.process.send_signal(number)
        assert served.process.wait() == 40 + number


def test_a_child_which_ends_by_the_signal_has_ended_well() -> None:
    with supervised() as served:
        served.wait_until_up()
        served.process.terminate()
        assert served.process.wait() == 0


def test_a_child_which_will_not_end_is_killed() -> None:
    with supervised(DEAF + SAY_UP + SERVE, grace=0.05) as served:
        served.wait_until_up()
        served.process.terminate()
        assert served.process.wait() == 128 + signal.SIGKILL


def test_told_to_stop_between_two_starts_it_stops_at_once() -> None:
    with supervised(DEAF + FAILS) as served:
        served.hear("6 times in a row")
        served.process.terminate()
        assert served.process.wait() == 3


def test_a_hangup_lets_what_was_begun_be_finished_and_starts_a_new_child() -> None:
    with supervised(UVICORN) as served:
        old = served.wait_until_up()
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(ANNOUNCED)
            assert connection.recv(65536).startswith(b"HTTP/1.1 100")
            served.process.send_signal(signal.SIGHUP)
            served.hear("Shutting down")
            connection.sendall(b"body")
            assert read_all(connection).endswith(b"%d" % old)
        new = served.wait_until_up()

        assert new != old
        assert call(served.port) == b"%d" % new


def test_a_hangup_ends_the_waiting_before_a_start() -> None:
    with supervised(FAILS) as served:
        served.hear("5 times in a row")
        served.process.send_signal(signal.SIGHUP)
        assert "2 times" in served.hear("times in a row")


def test_when_its_terminal_is_closed_it_ends() -> None:
    ours, theirs = pty.openpty()
    with supervised(stdin=theirs) as served:
        served.wait_until_up()
        served.process.send_signal(signal.SIGHUP)
        assert served.process.wait() == 0
    os.close(ours)
    os.close(theirs)


def test_killed_itself_it_leaves_no_child_behind() -> None:
    with supervised() as served:
        served.wait_until_up()
        assert call(served.port) == b"%d" % served.child
        served.process.kill()

        assert served.hear("anything") == ""
        with pytest.raises(ConnectionRefusedError):
            call(served.port)


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        supervise(lambda _: ["true"], "127.0.0.1", taken.getsockname()[1])


def test_a_command_that_does_not_exist_is_told_at_once_and_signals_are_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(FileNotFoundError):
        supervise(lambda _: ["no-such-program"], "127.0.0.1", 0)
    assert signal.getsignal(signal.SIGTERM) is before


@given(st.integers(0, 100_000))
def test_the_wait_only_grows_and_never_beyond_its_limit(ends: int) -> None:
    assert wait_before_start(ends) <= wait_before_start(ends + 1) <= LONGEST_WAIT


def test_one_accident_costs_no_wait() -> None:
    assert [wait_before_start(ends) for ends in range(9)] == [0, 0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5]
