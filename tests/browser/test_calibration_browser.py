"""The guide "Show it your face" in a real browser: learned, waiting, and interrupted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page

from emorec.live.stream import SILENCE_S
from emorec.words import speaking
from testkit import app, directed
from testkit.portraits import Portrait, collins, cut, hopper, resized

WAIT_MS = 120_000
SMILES, RESTS = collins, hopper


def frame(portrait: Portrait) -> np.ndarray:
    """Return a webcam's picture with this face in the middle, 200 pixels wide."""
    image = resized(cut(portrait, 0.45, 0.5, 0.45, 0.45), 200).image_bgr
    picture = np.full((480, 640, 3), 176, np.uint8)
    height, width = image.shape[:2]
    top, left = (480 - height) // 2, (640 - width) // 2
    picture[top : top + height, left : left + width] = image
    return cv2.resize(picture, (480, 360))


@pytest.fixture
def page(launch, app_url):
    context = launch(camera=False).new_context(viewport={"width": 1366, "height": 768})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    directed.direct(page)
    app.ready_to_start(page, app_url)
    page.set_default_timeout(WAIT_MS)
    directed.show(page, frame(RESTS()))
    app.start_live(page)
    yield page
    context.close()


@pytest.mark.long
def test_a_held_face_is_learned_and_closes_with_the_label(page: Page) -> None:
    directed.begin_guide(page, "happy")
    said = directed.follow_guide(page, lambda step: frame((RESTS, SMILES)[step - 1]()))
    assert "Learned from" in said and "happy" in said and "neutral" in said
    page.locator(".st-key-guide").get_by_role("button", name="Close").click()
    page.get_by_text("happy", exact=True).first.wait_for()
    app.open_settings(page)
    page.get_by_role("button", name="Forget", exact=True).click()
    page.get_by_text("Learned from").wait_for(state="detached")


@pytest.mark.long
def test_it_waits_for_the_face_says_so_and_is_cancelled(page: Page) -> None:
    directed.begin_guide(page, "happy")
    guide = page.locator(".st-key-guide")
    directed.show(page, np.full((360, 480, 3), 176, np.uint8))
    guide.get_by_text("no face is read").wait_for()
    guide.get_by_role("button", name="Cancel").click()
    guide.wait_for(state="detached")


@pytest.mark.long
def test_pause_ends_the_guide_and_says_what_to_do(page: Page) -> None:
    directed.begin_guide(page, "happy")
    guide = page.locator(".st-key-guide")
    page.get_by_role("button", name="Pause").click()
    guide.get_by_text("The picture is paused. Go on, and begin again.").wait_for()


@pytest.mark.long
def test_a_lost_camera_ends_the_guide_and_the_session_at_once_and_says_so(page: Page) -> None:
    directed.begin_guide(page, "happy")
    directed.end(page)
    page.get_by_text("The camera was lost").wait_for(timeout=SILENCE_S * 500)
    page.get_by_role("button", name="Discard this session").wait_for()


@pytest.mark.long
def test_on_a_phone_the_guide_leaves_the_face_in_view(launch, app_url) -> None:
    context = launch(camera=False).new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, locale="de-DE"
    )
    page = context.new_page()
    directed.direct(page)
    with speaking("de"):
        app.ready_to_start(page, app_url)
        directed.show(page, frame(RESTS()))
        app.start_live(page)
        directed.begin_guide(page, "happy")
        directed.show(page, np.full((360, 480, 3), 176, np.uint8))
        guide = page.locator(".st-key-guide")
        guide.get_by_text("kein Gesicht gelesen").wait_for()  # the longest of its texts
    page.wait_for_timeout(1500)  # it scrolls
    header, stage = page.get_by_test_id("stHeader").bounding_box(), page.locator(".st-key-stage")
    picture, words = stage.locator("iframe").bounding_box(), guide.bounding_box()
    assert picture["y"] >= header["y"] + header["height"], "the bar lies over the picture"
    assert words["y"] - picture["y"] > picture["height"] * 0.4, "the words cover the face"
    context.close()
