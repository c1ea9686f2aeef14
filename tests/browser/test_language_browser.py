"""The switch of the language in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emorec.words import LANGUAGES
from testkit.app import open_settings, ready_to_start, running_app

_ROW_ENDS_BEFORE_THE_SWITCH = """() => {
  const left = document.querySelector(".st-key-language").getBoundingClientRect().left;
  const shown = [...document.querySelectorAll("[data-testid=stTopNav] :is(a, button)")];
  return shown.length > 0 && shown.every((each) => each.getBoundingClientRect().right <= left);
}"""


def pick(page: Any, key: str, place: int) -> None:
    """Choose an option, by its place."""
    page.locator(f"[class*=st-key-{key}] input").click()
    page.get_by_role("option").nth(place).click()
    page.wait_for_timeout(1500)


@pytest.mark.long
def test_a_choice_whose_popover_is_closed_outlasts_a_change_of_the_language(
    launch: Any, app_url: str
) -> None:
    page = launch(camera=False).new_page(viewport={"width": 1366, "height": 900})
    ready_to_start(page, app_url)
    open_settings(page)
    pick(page, "live-detector", 1)
    page.keyboard.press("Escape")
    page.get_by_text("Smoothing (s)").wait_for(state="hidden")
    pick(page, "language", 2)
    # A run in which the browser has not shown the German choice yet.
    page.get_by_text("Gesichter verpixeln").click()
    page.get_by_text("Gezeigt werden nur durchsuchte Bilder").wait_for()
    page.locator(".st-key-settings button").first.click()
    chosen = page.locator("[class*=st-key-live-detector] input")
    chosen.wait_for()
    assert chosen.input_value() == "Haar: die Kaskade von OpenCV"
    page.close()


@pytest.mark.long
def test_the_switch_does_not_cover_what_closes_a_phones_list_of_pages(
    launch: Any, app_url: str
) -> None:
    context = launch(camera=False).new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{app_url}/about")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Photo").wait_for()
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click(timeout=10_000)
    page.locator("[data-testid=stSidebar][data-collapsed=true]").wait_for(state="attached")
    pick(page, "language", 2)
    page.get_by_role("heading", name="Was es tut").wait_for()
    context.close()


@pytest.fixture(scope="module")
def all_pages_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("all pages")
    env = {"EMOREC_SESSIONS": "ask", "EMOREC_PEOPLE": "1", "EMOREC_DATA": str(folder)}
    with running_app(folder / "app.log", env=env) as (_, url):
        yield url


@pytest.mark.long
@pytest.mark.parametrize("locale", LANGUAGES)
def test_the_switch_covers_no_page_of_the_row_at_any_width(
    launch: Any, all_pages_url: str, locale: str
) -> None:
    context = launch(camera=False).new_context(
        viewport={"width": 1366, "height": 600}, locale=locale
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{all_pages_url}/about")
    page.locator("[data-testid=stTopNav] a").nth(6).wait_for()
    page.locator(".st-key-language input").wait_for()
    for width in (768, 792, 816, 840, 1024):  # a narrower window has a list in place of the row
        page.set_viewport_size({"width": width, "height": 600})
        page.wait_for_function(_ROW_ENDS_BEFORE_THE_SWITCH, timeout=20_000)
    context.close()
