"""Pictures of every page in every state (`testkit.states`), to look at and for docs/images.

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
from pathlib import Path
from typing import Any

from PIL import Image

from emorec.database.engine import connect
from emorec.sessions.store import SessionStore
from emorec.words import ENGLISH, LANGUAGES, language, speaking
from testkit import app
from testkit.kept import keep_rooms
from testkit.states import STATES, write_camera

SIZES = {"laptop": (1366, 768), "phone": (390, 844)}
SCHEMES = ("light", "dark")
_OWNER = "0" * 32  # of the sessions: the random id of a browser
_TALL_PX = 2600

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
        states: which of `testkit.states.STATES`.
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
