"""A webcam in a real browser that the test directs: it shows whichever picture it is given."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np

from testkit.app import live_frame

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
    end: () => stream.getTracks().forEach((track) => track.stop()),
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
