"""Played platforms: a resident speaks on one, the worker on another, and nobody needs an account anywhere."""

import re
import signal
from pathlib import Path
from time import monotonic

import httpx

from tests.app.test_command_line import start


def said(address: str, channel: str, seat: str, words: str, wanted: str) -> str:
    """Somebody says something there; what stands on the page once the answer has come."""
    form = {"as": seat, "words": words, "group": ""}
    headers = {"origin": address[:-1]}
    with httpx.Client(base_url=address, headers=headers, follow_redirects=True, timeout=30) as browser:
        shown = browser.post(f"play/{channel}", data=form).text
        end = monotonic() + 30
        while wanted not in shown and monotonic() < end:
            shown = browser.get(f"play/{channel}", params={"as": seat}).text
        return shown


def test_a_case_goes_from_one_platform_to_another(tmp_path: Path) -> None:
    with start("demo", "--with", "wecom,dingtalk", within=tmp_path, PORT="0", LOG="error") as demo:
        assert demo.stdout is not None
        lines = [demo.stdout.readline() for _ in range(5)]
        found = re.search(r"http://127\.0\.0\.1:\d+/", lines[1])
        assert found is not None
        reported = said(found[0], "wecom", "resident", "3栋楼下路灯坏了", "已登记：1001")
        taken = said(found[0], "dingtalk", "worker", "接单 1001", "已接单：1001")
        heard = said(found[0], "wecom", "resident", "进度", "已接单")
        demo.send_signal(signal.SIGINT)
        _, errors = demo.communicate(timeout=30)

    assert "/play/wecom" in lines[2]
    assert "已登记：1001" in reported
    assert "已接单：1001" in taken
    assert "已接单" in heard
    assert "Traceback" not in errors


def test_a_platform_that_cannot_be_played_is_told(tmp_path: Path) -> None:
    with start("demo", "--with", "weibo", within=tmp_path, PORT="0", LOG="error") as demo:
        _, errors = demo.communicate(timeout=30)

    assert demo.returncode == 2
    assert "weibo cannot be played here; there are wecom, dingtalk." in errors
