"""The states of every page, what its camera shows, and how a browser gets to each.

A browser is led to a state at an app's address, in the language that the thread speaks. The app
keeps the sessions of `testkit.kept` and lets people be enrolled.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emorec.pages.live.example import FILM
from emorec.words import _
from testkit import app
from testkit.kept import ROOMS
from testkit.portraits import Portrait, collins, room

CROWDS = {"one": (1, 1, 260.0), "nine": (3, 3, 130.0), "25": (5, 5, 80.0)}
"""Columns and rows of faces in the camera's picture, and the side of a face in pixels."""

_STEPS = 20  # frames of a camera's film, after which it runs backwards
_READ_MS = 9000  # until the minute's chart has something to show


def write_camera(path: Path, crowd: str) -> Path:
    """Write a camera's film in which the heads of a crowd sway a little; 1280×720."""
    columns, rows, face_px = CROWDS[crowd]
    image = room(columns, rows, face_px, (1280, 720)).image_bgr
    steps = 4 * np.sin(np.arange(_STEPS) * 2 * np.pi / _STEPS)
    with path.open("wb") as file:
        for step in steps:
            move = np.array([[1.0, 0.0, step], [0.0, 1.0, 0.4 * step]])
            frame = cv2.warpAffine(image, move, (1280, 720), borderMode=cv2.BORDER_REPLICATE)
            file.write(cv2.imencode(".jpg", frame)[1].tobytes() * 3)
    return path


def before(page: Any, url: str) -> None:
    """Show the page before START."""
    app.ready_to_start(page, url)
    page.locator(".st-key-minute canvas, .st-key-minute svg").first.wait_for()
    page.wait_for_timeout(2500)


def settings(page: Any, url: str) -> None:
    """Show the settings of the live picture."""
    before(page, url)
    app.open_settings(page)


def live(page: Any, url: str) -> None:
    """Show a picture that runs."""
    app.ready_to_start(page, url)
    app.start_live(page)
    page.wait_for_timeout(_READ_MS)


def keep(page: Any, url: str) -> None:
    """Show what is asked before a session is kept."""
    live(page, url)
    page.locator(".st-key-keep button").click()
    page.locator('[class*="st-key-keep_for"] label').last.click()
    page.locator(".st-key-keep-not-prohibited").wait_for()


def example(page: Any, url: str) -> None:
    """Show the example that needs no camera."""
    app.ready_to_start(page, url)
    page.locator(".st-key-try-example button").click()
    page.locator(".st-key-rates").wait_for()
    page.wait_for_timeout(_READ_MS)


def over(page: Any, url: str) -> None:
    """Show the report of a session that is over."""
    live(page, url)
    app.live_frame(page).get_by_role("button", name=_("Stop")).click()
    page.locator(".st-key-discard").wait_for()
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for()
    page.wait_for_timeout(1500)


def denied(page: Any, url: str) -> None:
    """Show a camera that the visitor has denied."""
    page.context.new_cdp_session(page).send(
        "Browser.setPermission",
        {"permission": {"name": "camera"}, "setting": "denied", "origin": url},
    )
    app.ready_to_start(page, url).click()
    page.locator(".st-key-now").get_by_text("videocam_off").wait_for()
    page.wait_for_timeout(1500)


def missing(page: Any, url: str) -> None:
    """Show a computer without a camera."""
    app.ready_to_start(page, url)
    page.locator(".st-key-now").get_by_text("videocam_off").wait_for()
    page.wait_for_timeout(1500)


def photos(page: Any, url: str) -> None:
    """Show the Photo page before any photo."""
    _open(page, url, "photo")
    page.get_by_test_id("stImage").wait_for()


def gallery(page: Any, url: str) -> None:
    """Show a gallery: a group, one face, nobody, and a file that is none."""
    _open(page, url, "photo")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("room.jpg", "portrait.jpg", "wall.png")]
        pictures = (room(3, 3, 120, (1000, 700)), collins(), Portrait(_WALL, np.zeros((0, 4))))
        for file, picture in zip(files, pictures, strict=True):
            cv2.imwrite(str(file), picture.image_bgr)
        files.append(Path(folder) / "notes.jpg")
        files[-1].write_bytes(b"no picture")
        page.locator('input[type="file"]').first.set_input_files(files)
        page.locator(".st-key-photo-zip").wait_for()
    page.wait_for_timeout(1500)


def opened(page: Any, url: str) -> None:
    """Show one photo of the gallery."""
    gallery(page, url)
    page.get_by_test_id("stButton").get_by_role("button", name="9 ").click()
    page.locator("[data-face]").first.or_(page.get_by_role("group")).first.wait_for()


def video(page: Any, url: str) -> None:
    """Show what was read of a video, at a moment of it."""
    _open(page, url, "video")
    page.locator('input[type="file"]').set_input_files(FILM)
    chart = page.locator(".st-key-video-timeline")
    chart.locator("canvas, svg").first.wait_for()
    page.wait_for_timeout(1500)
    box = chart.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.55, box["y"] + 40)
    page.wait_for_timeout(1500)


def sessions(page: Any, url: str) -> None:
    """Show the sessions of some rooms that were kept."""
    _open(page, url, "sessions")
    page.get_by_role("button", name=ROOMS[0][0]).wait_for()


def session(page: Any, url: str) -> None:
    """Show one kept session."""
    sessions(page, url)
    page.get_by_role("button", name=ROOMS[0][0]).click()
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for()


def compared(page: Any, url: str) -> None:
    """Show two kept sessions compared."""
    sessions(page, url)
    for number in (0, 1):
        page.locator('[class*="st-key-session-chosen"] label').nth(number).click()
        page.wait_for_timeout(1000)
    page.locator(".st-key-compare-sessions button").first.click()
    page.get_by_test_id("stVegaLiteChart").first.locator("canvas, svg").first.wait_for()


def people(page: Any, url: str) -> None:
    """Show a person who is enrolled."""
    _open(page, url, "people")
    with tempfile.TemporaryDirectory() as folder:
        portrait = Path(folder) / "portrait.jpg"
        cv2.imwrite(str(portrait), collins().image_bgr)
        page.locator('input[type="file"]').first.set_input_files(portrait)
        page.get_by_role("img").first.wait_for()
    page.get_by_role("textbox", name=_("Name")).first.fill("Eileen")
    page.get_by_role("textbox", name=_("Name")).first.press("Enter")
    page.locator('[class*="st-key-people-consent"] label').click()
    page.get_by_test_id("stBaseButton-primary").and_(page.locator(":enabled")).first.click()
    page.locator('[class*="st-key-people-ask"]').first.wait_for()


def model(page: Any, url: str) -> None:
    """Show how good the model is."""
    _open(page, url, "model")
    page.get_by_test_id("stVegaLiteChart").nth(1).locator("canvas, svg").first.wait_for()


def about(page: Any, url: str) -> None:
    """Show what EmoRec does, and the law."""
    _open(page, url, "about")
    page.get_by_test_id("stMetricValue").first.wait_for()


def notice(page: Any, url: str) -> None:
    """Show the notice for people who are filmed."""
    _open(page, url, "notice")


def _open(page: Any, url: str, path: str) -> None:
    page.set_default_timeout(90_000)
    page.goto(f"{url}/{path}")
    page.get_by_role("heading", level=1).wait_for(state="attached")


_WALL = np.full((300, 400, 3), (180, 200, 190), np.uint8)

STATES: dict[str, tuple[str | None, Callable[[Any, str], None]]] = {
    "before": ("one", before),
    "settings": ("one", settings),
    "one": ("one", live),
    "nine": ("nine", live),
    "25": ("25", live),
    "keep": ("one", keep),
    "example": (None, example),
    "denied": ("one", denied),
    "missing": (None, missing),
    "report": ("nine", over),
    "photos": (None, photos),
    "gallery": (None, gallery),
    "opened": (None, opened),
    "video": (None, video),
    "sessions": (None, sessions),
    "session": (None, session),
    "compared": (None, compared),
    "people": (None, people),
    "model": (None, model),
    "about": (None, about),
    "notice": (None, notice),
}
"""The camera's crowd, None where there is no camera, and what leads to the state."""
