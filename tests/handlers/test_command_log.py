"""Each command leaves one line in the log: what, by whom, with what outcome; and nobody's words."""

import logging

import pytest

from handlers.confirming import Solved
from tests.handlers.office import LAMP, Office


def test_a_line_for_what_was_done_and_one_for_what_was_refused(
    desk: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="xiaoge.work"):
        number = desk.reports()
        refused = desk.refused("resident", Solved(incident=number))
    lines = [(vars(r)["command"], vars(r)["actor"], vars(r)["outcome"]) for r in caplog.records]

    me = desk.id("resident")
    assert lines == [("report", me, "done"), ("solved", me, refused)]
    assert LAMP not in str([vars(record) for record in caplog.records])
