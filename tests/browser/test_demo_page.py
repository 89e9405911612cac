"""The demo page: everybody side by side, a clock to move, and the board behind it."""

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import DESK, Visit
from tests.web.house import House

pytestmark = pytest.mark.browser


def pane(page: Page, seat: str) -> FrameLocator:
    """One person's chat."""
    return page.frame_locator(f"iframe[name={seat}]")


def report(page: Page) -> None:
    """Let the resident say the first example."""
    page.locator(".example").first.click()
    pane(page, "resident").locator(".go").click()
    expect(pane(page, "resident").locator("p", has_text="已登记：1001")).to_be_visible()


def test_a_case_climbs_when_the_clock_goes_forward(house: House, visit: Visit) -> None:
    page = visit(house.url, viewport=DESK)
    report(page)
    expect(pane(page, "worker").get_by_role("button", name="1 接单")).to_be_visible()
    community = pane(page, "community").locator("p", has_text="已上报到您这里")
    for _ in range(12):
        shown = page.locator("#now").inner_text()
        page.click("#next")
        expect(page.locator("#now")).not_to_have_text(shown)
        expect(page.locator("#next")).to_be_enabled()
        if "已上报" in page.request.get(f"{house.url}/chat?seat=community").text():
            break

    expect(community).to_be_visible()
    expect(pane(page, "resident").locator("p", has_text="已上报到上一级")).to_be_visible()


def test_other_people_can_be_looked_at(house: House, visit: Visit) -> None:
    page = visit(house.url, viewport=DESK)
    page.get_by_role("checkbox", name="镇领导刘涛").check()

    expect(page.locator("iframe")).to_have_count(4)
    expect(pane(page, "leader").locator("#who")).to_have_text("镇领导刘涛")
    page.get_by_role("checkbox", name="居民赵明").click()
    expect(page.locator("iframe")).to_have_count(4)


def test_on_a_phone_there_is_a_tab_for_each_person(house: House, visit: Visit) -> None:
    page = visit(house.url)
    expect(page.locator("iframe[name=resident]")).to_be_visible()
    expect(page.locator("iframe[name=worker]")).to_be_hidden()
    page.get_by_text("网格员李强").last.click()

    expect(page.locator("iframe[name=worker]")).to_be_visible()
    expect(page.locator("iframe[name=resident]")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_script_the_clock_moves_too(house: House, visit: Visit) -> None:
    page = visit(house.url, viewport=DESK, java_script_enabled=False)
    page.get_by_role("button", name="＋1天").click()

    expect(page.locator("#now")).to_contain_text("11月24日(周二)10:")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_board_fits_the_screen_and_leads_to_a_case(house: House, visit: Visit, width: int) -> None:
    report(visit(house.url, viewport=DESK))
    page = visit(f"{house.url}/board?seat=leader", viewport={"width": width, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".cases a").click()

    expect(page.locator("h1")).to_contain_text("1001")
    expect(page.locator(".story li").first).to_contain_text("上报")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_api_listing_reads_well(house: House, visit: Visit) -> None:
    page = visit(f"{house.url}/api/docs")

    expect(page.locator("code", has_text="/api/commands/report")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
