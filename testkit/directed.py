"""A webcam in a real browser that the test directs: it shows whichever picture it is given."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from emorec.words import _
from testkit.app import live_frame, open_settings

_CAMERA = """() => {
  if (!navigator.mediaDevices) return;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [480, 360];
  const context = canvas.getContext("2d");
  let image = null, count = 0, stream = null;
  const draw = () => {
    context.fillStyle = "#b0b0b0";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (image) context.drawImage(image, 0, 0, canvas.width, canvas.height);
    context.fillStyle = count++ % 2 ? "#a8a8a8" : "#b0b0b0";  // else no new picture is sent
    context.fillRect(0, 0, 4, 4);
  };
  setInterval(draw, 125);
  window.camera = {
    show: (url) => new Promise((done) => {
      const next = new Image();
      next.onload = () => { image = next; draw(); done(); };
      next.src = url;
    }),
    end: () => stream.getTracks().forEach((track) => {
      track.stop();
      track.dispatchEvent(new Event("ended"));  // a browser does so only for a real device
    }),
  };
  navigator.mediaDevices.getUserMedia = async () => (stream = canvas.captureStream(8));
}"""


def direct(page: Any) -> None:
    """Give every frame of a page the directed webcam; call before opening."""
    page.add_init_script(f"({_CAMERA})()")


def show(page: Any, image_bgr: np.ndarray) -> None:
    """Show a picture, uint8 of shape (480, 640, 3), from now on; the Live page must be open."""
    encoded, jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert encoded
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
    live_frame(page).evaluate("(url) => window.camera.show(url)", url)


def end(page: Any) -> None:
    """Let the camera fail, as if it was unplugged."""
    live_frame(page).evaluate("() => window.camera.end()")


def begin_guide(page: Any, expression: str) -> None:
    """Begin "Show it your face" with one expression; the picture says then what to show."""
    from playwright.sync_api import TimeoutError as TookTooLong

    choice = page.get_by_role("combobox", name=_("Show it your face"))
    option = page.get_by_role("option", name=_(expression), exact=True)
    begin = page.get_by_role("button", name=_("Begin"))
    for _try in range(5):  # a run of the page that began before a click closes what it has opened
        if not choice.is_visible():
            open_settings(page)
        choice.click()
        try:
            option.click(timeout=5_000)
        except TookTooLong:
            continue
        break
    page.keyboard.press("Escape")
    if not begin.is_visible():
        open_settings(page)
    begin.click()
    page.locator(".st-key-guide").get_by_role("button", name=_("Cancel")).wait_for()
    page.get_by_text(_("Smoothing (s)")).wait_for(state="hidden")


def follow_guide(page: Any, shown: Callable[[int], np.ndarray]) -> str:
    """Show a picture for each step of two until it is over; return what came of it.

    Args:
        page: the Live page.
        shown: called with 1 or 2, the number of the step; returns a picture as `show` takes it.
    """
    guide = page.locator(".st-key-guide")
    end_s = time.monotonic() + 120
    while not guide.get_by_role("button", name=_("Close")).count():
        assert time.monotonic() < end_s, guide.inner_text()
        step = re.match(r"\s*(\d)\D+2", guide.inner_text())
        if step:
            show(page, shown(int(step.group(1))))
        page.wait_for_timeout(200)
    said: str = guide.inner_text()
    return said
