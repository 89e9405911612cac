"""Killed again and again under load on each database: nothing acknowledged is lost, nothing is done twice."""

import pytest

from tests.crash.kills import kill_test, summary

pytestmark = pytest.mark.long


KILLS = 5
SEED = 20261122


def test_killed_again_and_again_under_load(migrated_url: str) -> None:
    report = kill_test(migrated_url, KILLS, SEED)

    assert report.faults == {}, summary(report)
    assert report.kills == KILLS
    assert report.acknowledged > 5 * KILLS
    assert report.extra_sends <= KILLS
