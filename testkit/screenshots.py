"""Pictures of every page in every state, to look at and for docs/images.

    python -m testkit.screenshots FOLDER [--state NAME …] [--language de] [--docs]

Each state is shown on a laptop (1366×768) and a phone (390×844), light and dark; ``--tall`` makes
the windows high enough for the whole page. Cameras, photos and the video show public-domain
portraits (`testkit.portraits`). Needs what `make test` installs. ``--docs`` replaces the pictures
in docs/images by those of these states, and the moving one of the README.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from emorec.database.engine import connect
from emorec.pages.live.example import FILM
from emorec.sessions.store import SessionStore
from emorec.words import ENGLISH, LANGUAGES, _, language, speaking
from testkit import app
from testkit.kept import ROOMS, keep_rooms
from testkit.portraits import Portrait, collins, room

SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
SCHEMES = ("light", "dark")
CROWDS = {"one": (1, 1, 260.0), "nine": (3, 3, 130.0), "25": (5, 5, 80.0)}
"""Columns and rows of faces in the camera's picture, and the side of a face in pixels."""

_OWNER = "0" * 32  # of the sessions: the random id of a browser
_STEPS = 20  # frames of a camera's film, after which it runs backwards
_TALL_PX = 2600
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


DOCS = {
    "report": "live-summary.png",
    "opened": "photo.png",
    "video": "video.png",
    "sessions": "sessions.png",
    "model": "model.png",
    "about": "about.png",
}
"""The states whose picture on a laptop, light, stands in docs/images."""
MOVING = "live.webp"
"""The room view, moving, for the top of the README."""
_MOVING_FRAMES, _MOVING_STEP_MS, _MOVING_WIDTH = 16, 250, 960


def record(page: Any, file: Path) -> None:
    """Write what a page shows for some seconds as an animated WebP."""
    frames = []
    for _number in range(_MOVING_FRAMES):
        with Image.open(io.BytesIO(page.screenshot())) as shot:
            height = shot.height * _MOVING_WIDTH // shot.width
            frames.append(shot.convert("RGB").resize((_MOVING_WIDTH, height)))
        page.wait_for_timeout(_MOVING_STEP_MS)
    frames[0].save(
        file,
        save_all=True,
        append_images=frames[1:],
        duration=_MOVING_STEP_MS,
        loop=0,
        quality=60,
        method=2,
    )
    print(f"{file}: {file.stat().st_size} bytes")


def take(folder: Path, states: list[str], docs: bool, tall: bool) -> None:
    """Write the pictures of these states, four of each, in the language that the thread speaks.

    Args:
        folder: where to.
        states: which of `STATES`.
        docs: whether the pictures in docs/images are replaced too.
        tall: whether the windows are as high as the pages.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        log = Path(scratch) / "app.log"
        database = f"sqlite:///{Path(scratch) / 'kept.sqlite'}"
        store = SessionStore(connect(database, Path(scratch)))
        keep_rooms(store, _OWNER)
        store.close()
        env = {"EMOREC_SESSIONS": "ask", "DATABASE_URL": database, "EMOREC_DATA": scratch}
        env["EMOREC_PEOPLE"] = "1"
        with app.running_app(log, env=env) as (_process, url):
            for state in states:
                crowd, lead = STATES[state]
                film = write_camera(Path(scratch) / f"{crowd}.mjpeg", crowd) if crowd else None
                browser = app.launch_browser(playwright, film, allowed=state != "denied")
                context = browser.new_context(viewport=_viewport("laptop"), locale=language())
                context.add_cookies([{"name": "emorec_browser", "value": _OWNER, "url": url}])
                page = context.new_page()
                lead(page, url)
                if docs and state == "25":
                    record(page, app.ROOT / "docs" / "images" / MOVING)
                for size in SIZES:
                    page.set_viewport_size(_viewport(size) | ({"height": _TALL_PX} if tall else {}))
                    for scheme in SCHEMES:
                        page.emulate_media(color_scheme=scheme)
                        page.wait_for_timeout(2000)
                        file = folder / f"{state}-{size}-{scheme}.png"
                        page.screenshot(path=file)
                        print(file)
                        if docs and state in DOCS and (size, scheme) == ("laptop", "light"):
                            shutil.copy(file, app.ROOT / "docs" / "images" / DOCS[state])
                browser.close()


def _viewport(size: str) -> dict[str, int]:
    width, height = SIZES[size]
    return {"width": width, "height": height}


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="is made where it is missing")
    parser.add_argument("--state", nargs="+", choices=STATES, default=list(STATES))
    parser.add_argument("--language", choices=LANGUAGES, default=ENGLISH)
    parser.add_argument("--tall", action="store_true", help="windows as high as the pages")
    parser.add_argument("--docs", action="store_true", help="replace those in docs/images too")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with speaking(given.language):
        take(given.folder, given.state, given.docs, given.tall)
    return 0


if __name__ == "__main__":
    sys.exit(main())
