"""The guide "Show it your face" in a real browser: learned, and waiting for a face."""

from __future__ import annotations

import re
import time

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TookTooLong

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


def begin(page: Page) -> None:
    """Choose happy, and begin; the settings close, and the picture says what to show."""
    choice = page.get_by_role("combobox", name="Show it your face")
    happy = page.get_by_role("option", name="happy", exact=True)
    for _ in range(5):  # a run of the page that began before a click closes what it has opened
        if not choice.is_visible():
            app.open_settings(page)
        choice.click()
        try:
            happy.click(timeout=5_000)
        except TookTooLong:
            continue
        break
    page.keyboard.press("Escape")
    if not page.get_by_role("button", name="Begin").is_visible():
        app.open_settings(page)
    page.get_by_role("button", name="Begin").click()
    page.get_by_text("1 of 2").wait_for()
    page.get_by_text("Smoothing (s)").wait_for(state="hidden")


def follow(page: Page, shown) -> str:
    """Show a picture for each step until it is over; return what came of it.

    Args:
        page: the Live page.
        shown: called with 1 or 2, the number of the step.
    """
    guide = page.locator(".st-key-guide")
    end_s = time.monotonic() + WAIT_MS / 1000
    while not guide.get_by_role("button", name="Close").count():
        assert time.monotonic() < end_s, guide.inner_text()
        step = re.match(r"\s*(\d) of 2", guide.inner_text())
        if step:
            directed.show(page, frame(shown(int(step.group(1)))))
        page.wait_for_timeout(200)
    return guide.inner_text()


@pytest.mark.long
def test_a_held_face_is_learned_and_closes_with_the_label(page: Page) -> None:
    begin(page)
    said = follow(page, lambda step: (RESTS, SMILES)[step - 1]())
    assert "Learned from" in said and "happy" in said and "neutral" in said
    page.locator(".st-key-guide").get_by_role("button", name="Close").click()
    page.get_by_text("happy", exact=True).first.wait_for()
    app.open_settings(page)
    page.get_by_role("button", name="Forget", exact=True).click()
    page.get_by_text("Learned from").wait_for(state="detached")


@pytest.mark.long
def test_it_waits_for_the_face_says_so_and_is_cancelled(page: Page) -> None:
    begin(page)
    guide = page.locator(".st-key-guide")
    directed.show(page, np.full((360, 480, 3), 176, np.uint8))
    guide.get_by_text("no face is read").wait_for()
    guide.get_by_role("button", name="Cancel").click()
    guide.wait_for(state="detached")
