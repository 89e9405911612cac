"""A trial touches nothing of the real place: neither its database nor its files, nor who speaks for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Telegram, read_settings, trial_of

REAL = {
    "XIAOGE_DATABASE_URL": "postgresql://user:password@host/real",
    "XIAOGE_PLACE": "default",
    "XIAOGE_MEDIA": "var/media",
    "XIAOGE_TELEGRAM_TOKEN": "1000:fictional",
}


@pytest.mark.parametrize("name", ["", "aa"])
def test_a_trial_has_everything_of_its_own(name: str) -> None:
    real = replace(read_settings(REAL), name=name, hostname="grid.example.cn" if name else "")
    trial = trial_of(real, "demo")
    called = name or "default"

    assert isinstance(real.telegram, Telegram)
    assert trial.database_url == f"sqlite:///var/demo-{called}.db"
    assert trial.media == Path(f"var/demo-{called}-media")
    assert (trial.telegram, trial.hostname, trial.base, trial.place) == (None, "", "", "default")
    assert trial_of(real, "talk").media != trial.media


def test_the_address_of_a_place_leads_nowhere_in_its_trial() -> None:
    real = replace(read_settings(REAL), name="aa", url="http://127.0.0.1:8000/aa")

    assert trial_of(real, "demo").url == "http://127.0.0.1:8000"
