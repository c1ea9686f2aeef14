"""Sessions in a real browser: marked, kept, listed, compared, and taken home as a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from emorec.database.engine import connect
from emorec.sessions.store import SessionStore
from testkit import app
from testkit.app import live_frame, ready_to_start
from testkit.kept import ROOMS, keep_rooms
from tests.browser.test_axe_browser import violations

LAPTOP = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keeping")


@pytest.fixture(scope="module")
def keeping_url(folder: Path) -> Iterator[str]:
    """The address of an app that lets sessions be kept."""
    env = {"EMOREC_SESSIONS": "ask", "DATABASE_URL": f"sqlite:///{folder / 'kept.sqlite'}"}
    with app.running_app(folder / "app.log", env=env) as (_, url):
        yield url
    assert "Traceback" not in (folder / "app.log").read_text()


def keep_the_example(page: Any, seconds: float) -> None:
    """Watch the example, mark it, keep it from START on, and go back to the start."""
    page.get_by_role("button", name="Try an example").click()
    page.locator("[data-face]").first.or_(page.get_by_text(re.compile("Face 1"))).first.wait_for()
    page.keyboard.press("m")
    page.get_by_text(re.compile(r"Mark 1 at \d+:\d\d")).wait_for()
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("Private use", exact=True).click()
    page.get_by_text("From START on").click()
    page.get_by_text("Everyone in view knows and agrees that this is kept").click()
    page.get_by_role("button", name="Keep this session").click()
    page.get_by_role("button", name="Kept", exact=True).wait_for()
    page.wait_for_timeout(seconds * 1000)
    live_frame(page).get_by_role("button", name="Stop").click()
    page.get_by_role("heading", name="The example").wait_for()
    page.get_by_text("see the Sessions page").wait_for()
    page.get_by_role("button", name="Back to the start").click()
    live_frame(page).get_by_role("button", name="Start camera").wait_for()


@pytest.mark.long
def test_a_session_is_marked_kept_compared_and_taken_home(launch: Any, keeping_url: str) -> None:
    context = launch(camera=False).new_context(viewport=LAPTOP)
    page = context.new_page()
    ready_to_start(page, keeping_url)
    keep_the_example(page, 40)
    keep_the_example(page, 15)
    (cookie,) = [each for each in context.cookies() if each["name"] == "emorec_browser"]
    assert re.fullmatch("[0-9a-f]{32}", cookie["value"]) and cookie["sameSite"] == "Strict"

    page.get_by_role("link", name="Sessions").click()
    page.get_by_role("heading", name="Sessions").wait_for()
    page.get_by_text("Compare", exact=True).nth(1).wait_for()
    page.reload()  # the browser sends its id itself
    for place in range(2):
        page.get_by_text("Compare", exact=True).nth(place).click()
        page.get_by_role("button", name=f"Compare ({place + 1})").wait_for()
    page.get_by_role("button", name="Compare (2)").click()
    page.get_by_role("heading", name="Sessions compared").wait_for()
    page.get_by_role("combobox", name=re.compile("What")).click()
    page.get_by_role("option", name="happy").click()
    page.get_by_text("interval of the difference").wait_for()
    page.get_by_test_id("stVegaLiteChart").wait_for()

    page.get_by_role("button", name="All sessions").click()
    page.get_by_role("button", name=re.compile(r"^\d{4}-\d\d-\d\d")).last.click()
    page.get_by_text("Kept for: Private use").wait_for()
    page.get_by_text("Markers (1)").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML").click()
    report = download.value.path()
    assert re.fullmatch(r"emorec_[\d_-]+_session\.html", download.value.suggested_filename)

    context.set_offline(True)
    offline = context.new_page()
    problems: list[str] = []
    offline.on("pageerror", lambda error: problems.append(str(error)))
    offline.set_content(report.read_text(encoding="utf-8"))
    offline.locator(".chart svg, .chart canvas").first.wait_for()
    offline.get_by_text("Mark 1").first.wait_for()
    assert not problems
    context.set_offline(False)

    stranger = launch(camera=False).new_context().new_page()
    stranger.goto(f"{keeping_url}/sessions")
    stranger.get_by_text("No session is kept").wait_for()
    context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", [LAPTOP, {"width": 390, "height": 844}])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_kept_rooms_are_listed_with_their_mood_lines(
    launch: Any, keeping_url: str, folder: Path, theme: str, size: dict[str, int]
) -> None:
    owner = token_hex(16)
    store = SessionStore(connect(f"sqlite:///{folder / 'kept.sqlite'}", folder))
    keep_rooms(store, owner)
    context = launch(camera=False).new_context(viewport=size, color_scheme=theme)
    context.add_cookies([{"name": "emorec_browser", "value": owner, "url": keeping_url}])
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{keeping_url}/sessions")
    page.get_by_role("button", name="Lecture, first try").wait_for()
    drawn = page.locator(".st-key-sessions img")
    assert drawn.count() == len(ROOMS)
    assert drawn.evaluate_all("all => all.every((one) => one.complete && one.naturalWidth > 0)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= size["width"], "nothing is cut off at the right"
    found = violations(page)
    for place in range(2):
        page.get_by_text("Compare", exact=True).nth(place).click()
        page.get_by_role("button", name=f"Compare ({place + 1})").wait_for()
    page.get_by_role("button", name="Compare (2)").click()
    page.get_by_text("interval of the difference").wait_for()
    found += violations(page)
    page.get_by_role("button", name="All sessions").click()
    page.get_by_role("button", name="Lecture, first try").click()
    page.get_by_text("What this is, and what it is not").wait_for()
    page.get_by_test_id("stVegaLiteChart").nth(1).wait_for()
    found += violations(page)
    assert not found
    context.close()
    store.close()
