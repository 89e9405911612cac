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


def test_a_trial_speaks_as_no_organisations_application() -> None:
    """Every channel that the settings open is closed in a trial, also one that came later."""
    wecom = {
        "XIAOGE_WECOM_CORP_ID": "ww00000000fictional",
        "XIAOGE_WECOM_AGENT_ID": "1000002",
        "XIAOGE_WECOM_SECRET": "a-fictional-secret-of-an-application",
        "XIAOGE_WECOM_CALLBACK_TOKEN": "fictional",
        "XIAOGE_WECOM_CALLBACK_KEY": "fictional1fictional2fictional3fictional4fic",
    }
    dingtalk = {"XIAOGE_DINGTALK_CLIENT_ID": "dingfictional", "XIAOGE_DINGTALK_CLIENT_SECRET": "fictional"}
    wechat = {
        "XIAOGE_WECHAT_APP_ID": "wx00000000fictional",
        "XIAOGE_WECHAT_SECRET": "a-fictional-secret-of-an-account",
        "XIAOGE_WECHAT_TOKEN": "fictional",
        "XIAOGE_WECOM_KF_ID": "wk00fictional",
        "XIAOGE_WECOM_KF_SECRET": "a-fictional-secret-of-the-account",
        "XIAOGE_WECOM_KF_TOKEN": "fictional",
        "XIAOGE_WECOM_KF_KEY": "fictional1fictional2fictional3fictional4fic",
    }
    real = read_settings(REAL | wecom | dingtalk | wechat)
    trial = trial_of(real, "demo")

    assert real.wecom is not None
    assert real.dingtalk.client_id
    assert trial.wecom is None
    assert real.wechat is not None
    assert real.wecom_kf is not None
    assert (trial.wechat, trial.wecom_kf) == (None, None)
    assert not trial.dingtalk.client_id
