"""The live page in a real browser: a laptop needs no scrolling, and nothing moves at START."""

from __future__ import annotations

import re
import time
from typing import Any

import cv2
import numpy as np
import pytest

from testkit.app import live_frame, ready_to_start, start_live
from testkit.portraits import collins, cut, hopper

LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}

_BOXES = """() => Object.fromEntries(
  ["stage", "consent", "controls", "counts", "now", "minute"].map((part) => {
    const box = document.querySelector(`.st-key-${part}`).getBoundingClientRect();
    return [part, [box.left, box.top, box.right, box.bottom].map(Math.round)];
  }),
)"""

_WATCH_SHIFTS = """() => {
  window.shifts = [];
  const inSlot = (node) => (node.parentElement || node).closest(".st-key-now");
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // What stands inside the second slot changes with the faces; the slot itself must not move.
      const moved = entry.sources.filter(({ node }) => node && !inSlot(node));
      for (const { node, previousRect, currentRect } of moved) {
        const [from, to] = [previousRect, currentRect].map((at) => [at.x, at.y].map(Math.round));
        const what = (node.outerHTML || node.textContent).slice(0, 120);
        window.shifts.push(`${Math.round(entry.startTime)} ms: ${from} to ${to}: ${what}`);
      }
    }
  }).observe({ type: "layout-shift" });
}"""
"""Keeps in ``window.shifts`` which elements were moved, when, from where and to where."""


def boxes(page: Any) -> dict[str, list[int]]:
    """Left, top, right and bottom of each part of the page, in pixels of the window."""
    return page.evaluate(_BOXES)


def button(page: Any, name: str) -> dict[str, float]:
    return live_frame(page).get_by_role("button", name=name).bounding_box()


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """A webcam that shows two portraits 25 times."""
    heads = [cut(person(), 0.4, 0.4, 0.4, 0.4).image_bgr for person in (collins, hopper)]
    heads += [head[:, ::-1] for head in heads]
    film = tmp_path_factory.mktemp("room") / "room.mjpeg"
    with film.open("wb") as file:
        for step in range(10):
            frame = np.full((720, 1280, 3), 150, np.uint8)
            for place in range(25):
                x, y = 256 * (place % 5) + 44 + step % 5, 144 * (place // 5) + 4
                head = cv2.resize(heads[place % 4], (136, 136), interpolation=cv2.INTER_AREA)
                frame[y : y + 136, x : x + 136] = head
            file.write(cv2.imencode(".jpg", frame)[1].tobytes() * 6)
    return film


@pytest.fixture(params=["one face", pytest.param("a room", marks=pytest.mark.long)])
def film(request, webcam):
    return webcam if request.param == "one face" else request.getfixturevalue("room")


@pytest.fixture
def opened(launch):
    """Open a page with a webcam's film; a page that stays open would hold a place in the room."""
    pages = []

    def open_page(size: dict[str, int], **how: Any) -> Any:
        pages.append(launch(**how).new_page(viewport=size))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def test_on_a_laptop_all_is_in_view_and_nothing_moves_at_start(opened, app_url, film, webcam):
    page = opened(LAPTOP, film=film)
    ready_to_start(page, app_url)
    page.get_by_text("The last minute", exact=True).wait_for()
    page.wait_for_timeout(3000)  # fonts, and the empty chart
    page.evaluate(_WATCH_SHIFTS)
    before, start = boxes(page), button(page, "Start camera")
    start_live(page)
    seen = page.get_by_text("Face 1") if film == webcam else page.locator(".emorec-totals")
    seen.wait_for(timeout=60_000)
    page.wait_for_timeout(3000)
    live, stop = boxes(page), button(page, "Stop")
    assert live == before
    assert page.evaluate("window.shifts") == []
    assert (stop["x"], stop["y"]) == (start["x"], start["y"])
    for name in ("Pause", "Snapshot", "Full screen"):
        beside = page.get_by_role("button", name=name).bounding_box()
        assert beside["x"] > stop["x"] + stop["width"], name
        assert beside["x"] + beside["width"] <= live["stage"][2] + 1, name
        assert abs(beside["y"] - stop["y"]) < 8, name
    for part, (left, top, right, bottom) in live.items():
        assert left >= 0 and right <= LAPTOP["width"], part
        assert top >= 0 and bottom <= LAPTOP["height"], part
    assert stop["y"] + stop["height"] <= live["stage"][3]
    video = live_frame(page).locator("video").bounding_box()
    assert video["width"] / video["height"] == pytest.approx(16 / 9, rel=0.02)


@pytest.mark.long
def test_the_pictures_place_is_kept_until_its_frame_has_come(launch, app_url):
    page = launch(camera=False).new_page(viewport=LAPTOP)
    page.set_default_timeout(60_000)
    held = []
    page.route(re.compile(r"/ComponentInstance[^/]*\.js"), lambda route: held.append(route))
    page.goto(app_url)
    page.locator(".st-key-try-example button").wait_for()
    page.locator(".st-key-minute").wait_for()
    page.wait_for_timeout(2000)
    before = boxes(page)
    assert held
    assert page.locator(".st-key-stage iframe").count() == 0
    for route in held:
        route.continue_()
    page.locator(".st-key-stage iframe").wait_for()
    page.wait_for_timeout(2000)
    assert boxes(page)["controls"] == pytest.approx(before["controls"], abs=1)
    assert boxes(page)["consent"] == pytest.approx(before["consent"], abs=1)
    page.close()


@pytest.mark.long
def test_the_example_needs_no_camera_and_can_be_paused_kept_and_shown_large(launch, app_url):
    page = launch(camera=False).new_page(viewport=LAPTOP)
    ready_to_start(page, app_url)
    page.get_by_text("finds no camera").wait_for()
    assert not page.get_by_text("A single shot").count()
    page.get_by_role("button", name="Try an example").click()
    page.get_by_text("Readings/s", exact=True).wait_for()
    page.get_by_text("public-domain portraits").wait_for()
    page.locator("[data-face]").first.or_(page.get_by_text("Face 1").first).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Snapshot").click()
    assert re.fullmatch(
        r"emorec_\d{4}-\d\d-\d\d_\d{4}_snapshot\.png", download.value.suggested_filename
    )
    assert cv2.imread(str(download.value.path())).shape == (540, 960, 3)
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("() => document.fullscreenElement")
    page.locator(".emorec-strip").wait_for()
    assert not page.get_by_text("The last minute").is_visible()
    video = live_frame(page).locator("video").bounding_box()
    assert video["height"] > 0.85 * page.evaluate("window.innerHeight")
    page.evaluate("document.exitFullscreen()")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused: nothing is read").wait_for()
    page.get_by_role("button", name="Go on").click()
    page.locator(".emorec-rows [data-face], .emorec-seats [data-face]").first.click()
    page.get_by_role("button", name="All faces", exact=True).click()
    live_frame(page).get_by_role("button", name="Stop").click()
    heading = page.get_by_role("heading", name="The example")
    heading.wait_for()
    page.wait_for_function("() => document.activeElement.tagName === 'H2'")
    page.get_by_role("button", name="Back to the start").click()
    live_frame(page).get_by_role("button", name="Start camera").wait_for()
    page.close()


@pytest.mark.long
def test_on_a_phone_the_picture_comes_first_and_then_the_minute(opened, app_url):
    page = opened(PHONE)
    ready_to_start(page, app_url)
    page.get_by_text("The last minute", exact=True).wait_for()
    hint = page.locator(".st-key-now").get_by_test_id("stAlert")
    end, before = hint.bounding_box(), boxes(page)
    assert before["consent"][3] < end["y"], "the hint comes first"
    assert 0 <= before["counts"][1] - (end["y"] + end["height"]) < 32, "and no blank after it"
    start_live(page)
    page.get_by_text("Face 1").first.wait_for()
    live = boxes(page)
    tops = [live[part][1] for part in ("stage", "counts", "minute", "now", "controls")]
    assert tops == sorted(tops)
    assert live["minute"][3] <= PHONE["height"]
    assert all(box[0] >= 0 and box[2] <= PHONE["width"] for box in live.values())


@pytest.mark.long
def test_the_failure_message_opens_the_connection_check(opened, app_url):
    page = opened(LAPTOP)
    page.add_init_script(
        "RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {})"
    )
    ready_to_start(page, app_url)
    until = time.monotonic() + 150
    opens = page.get_by_role("button", name="Open the connection check")
    while not opens.count():
        assert time.monotonic() < until, page.inner_text("body")
        # Where the room is still full of those before, a place is free a moment later.
        start = page.frame_locator('iframe[title*="webrtc"]').get_by_role(
            "button", name="Start camera"
        )
        if start.is_visible():
            start.click()
        page.wait_for_timeout(1000)
    opens.click()
    page.get_by_role("button", name="Check the connection").wait_for()
    assert page.get_by_text("finds out which step fails").is_visible()


_PRESS_ON_A_BUSY_MACHINE = """(name) => {
  const labelled = (button) => button.innerText.includes(name);
  const button = [...document.querySelectorAll("button")].find(labelled);
  const soon = window.setTimeout;
  window.setTimeout = (run, delay, ...values) => soon(run, delay || 700, ...values);
  button.click();
  window.setTimeout = soon;
}"""
"""Presses a button; Streamlit sends it only after the readings, each half second, have run."""


@pytest.mark.long
def test_a_press_counts_once_where_the_page_is_late_with_its_readings(launch, app_url):
    page = launch(camera=False).new_page(viewport=LAPTOP)
    ready_to_start(page, app_url)
    page.get_by_role("button", name="Try an example").click()
    page.get_by_text("Readings/s", exact=True).wait_for()
    page.get_by_text("public-domain portraits").wait_for()
    for presses in range(1, 4):
        page.evaluate(_PRESS_ON_A_BUSY_MACHINE, "Mark")
        page.get_by_text(f"Mark {presses} at ").wait_for()
        page.wait_for_timeout(2000)
        assert not page.get_by_text(f"Mark {presses + 1} at ").count()
    page.close()
