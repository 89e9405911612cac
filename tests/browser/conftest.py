"""A real Chromium before a real house: phones of 360 by 740 points, and a desk for the demo page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.web.house import House, build_house, serving

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}
PATIENCE = 15_000
"""Milliseconds a page may take to show what is expected; reached only when something is wrong."""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Start the browser once."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a demo."""
    with serving(build_house(sqlite_url, tmp_path)) as running:
        yield running


@pytest.fixture
def earnest_house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    """Lend a house that is no demo."""
    with serving(build_house(sqlite_url, tmp_path, demo=False)) as running:
        yield running


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open an address in a browser of one's own; whatever its console complains of fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    def open_page(address: str, *, script: str = "", expect_errors: bool = False, **options: Any) -> Page:
        settings = {"viewport": PHONE, "locale": "zh-CN", "has_touch": True, **options}
        context = browser.new_context(**settings)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        if not expect_errors:
            page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
