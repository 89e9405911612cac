"""What lasts is said once in a while, and how often it was met."""

import logging

import pytest

from bot.seldom import Seldom

EVERY = 0.5


def test_a_hundred_troubles_a_second_are_two_lines(caplog: pytest.LogCaptureFixture) -> None:
    moments = (hundredth / 100 for hundredth in range(300))
    now = 0.0
    complain = Seldom(logging.getLogger("xiaoge.test"), EVERY, lambda: now)
    for now in moments:  # noqa: B007 - the complainer looks at it
        complain.error("the disk is full", OSError(28, "no room"), channel="memory")
    said = [vars(record)["times"] for record in caplog.records]

    assert said == [1, 50, 50, 50, 50, 50]
    assert all(record.exc_info for record in caplog.records)
    assert {vars(record)["channel"] for record in caplog.records} == {"memory"}


def test_other_words_are_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    complain = Seldom(logging.getLogger("xiaoge.test"), EVERY, lambda: 0.0)
    for words in ("one", "other", "one", "other"):
        complain.warning(words)

    assert caplog.messages == ["one", "other"]
