"""Logs: one line a record, found by the message, and nobody to be found in them."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.log import Line, masked, set_up
from bot.tracing import working_on

PHONE = "13800001001"
RESIDENT = "350121198001011234"
DIGITS = st.text("0123456789", min_size=8, max_size=8)
AROUND = st.text("电话是。, 的()abc:\n\"'", max_size=6)


def line_of(words: str, *args: object, trace: bool = False, **facts: object) -> str:
    """A record as it is written."""
    record = logging.makeLogRecord(
        {"name": "xiaoge.test", "levelno": 40, "levelname": "ERROR", "msg": words, "args": args, **facts}
    )
    record.exc_info = sys.exc_info() if trace else None
    return Line().format(record)


@given(AROUND, st.sampled_from("3456789"), DIGITS, AROUND)
def test_no_mobile_phone_is_left_in_a_line(before: str, second: str, rest: str, after: str) -> None:
    phone = f"1{second}{rest[0]}{rest}"

    assert phone not in masked(before + phone + after)


@given(AROUND, st.dates(), DIGITS, st.sampled_from("0123456789Xx"), AROUND)
def test_no_residents_number_is_left_in_a_line(
    before: str, born: object, rest: str, check: str, after: str
) -> None:
    number = f"3501{rest[:2]}19{str(born)[2:4]}0101{rest[2:5]}{check}"

    assert number not in masked(before + number + after)


@pytest.mark.parametrize(
    "text",
    [
        "138 0000 1001",
        "138-0000-1001",
        "+86 13800001001",
        "8613800001001",
        "电话13800001001,找我",
        "35012119800101123X",
        "35012119800101123x",
    ],
)
def test_other_ways_to_write_them(text: str) -> None:
    shown = masked(text)

    assert "0000" not in shown
    assert "1001" not in shown.replace("*", "")
    assert "19800101" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "编号 1017",
        "2026-11-23T09:00:00+0000",
        "slot=2026-11-23T01:00Z",
        "process 12345 ended: 137",
        "350121107201",
        "media:" + "1" * 64 + ".jpg",
        "12345678901234567890",
    ],
)
def test_what_is_nobodys_stays(text: str) -> None:
    assert masked(text) == text


def test_secrets_do_not_stay() -> None:
    assert "abcdefgh" not in masked(
        "https://api.telegram.org/bot1000001:abcdefghijklmnopqrstuvwxyz0123456789/x"
    )
    assert masked("postgresql://xiaoge:geheim@db/x") == "postgresql://xiaoge:***@db/x"


def test_a_trace_is_part_of_the_line_and_masked() -> None:
    try:
        raise ValueError(f"居民 {RESIDENT} 的电话 {PHONE}")
    except ValueError:
        line = line_of("it broke", trace=True)

    assert "\n" not in line
    assert "ValueError" in line
    assert "test_log.py" in line
    assert PHONE not in line
    assert RESIDENT not in line


def test_facts_stand_beside_the_words() -> None:
    line = line_of("job %s failed", "watch", job="watch", said='he said "no"\nand left')

    assert ' level=error from=xiaoge.test says="job watch failed"' in line
    assert " job=watch" in line
    assert "said=\"he said 'no' | and left\"" in line
    assert "\n" not in line


def test_a_message_that_is_worked_on_is_named() -> None:
    with working_on("telegram:9001"):
        inside = line_of("hm")
    outside = line_of("hm")

    assert " message=telegram:9001" in inside
    assert "message=" not in outside


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """A log of the test's own; what was set up before is put back."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("xiaoge", "app", "bot", "handlers")}
    set_up("info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, old in levels.items():
        logging.getLogger(name).setLevel(old)
    logging.captureWarnings(False)


def test_every_logger_of_the_process_is_masked(out: io.StringIO) -> None:
    logging.getLogger("xiaoge.lane").info("from %s", PHONE)
    logging.getLogger("some.library").warning("sent to %s", PHONE)
    logging.getLogger("some.library").info("chatter")
    lines = out.getvalue().splitlines()

    assert len(lines) == 2
    assert PHONE not in out.getvalue()
    assert lines[0].endswith('level=info from=xiaoge.lane says="from 138********"')
