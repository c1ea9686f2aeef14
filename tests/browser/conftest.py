"""A real Chromium with a fake webcam, against the real app on a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FPS = 30


def find_browser() -> str | None:
    """The browser that tools/dev.py found, or one on PATH; None: none is there."""
    named = os.environ.get("EMOREC_BROWSER")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return named or next((path for name in names if (path := shutil.which(name))), None)


def webcam_frame(number: int, size_wh: tuple[int, int] = (640, 480)) -> np.ndarray:
    """A real face that moves over a plain room; BGR."""
    import skimage.data

    head = skimage.data.astronaut()[20:240, 130:330, ::-1]
    width, height = size_wh
    side = round(height * 0.62)
    head = cv2.resize(head, (side, side))
    rows = np.linspace(150, 190, height)[:, None, None]
    frame = np.broadcast_to(rows, (height, width, 3)).astype(np.uint8).copy()
    phase = 2 * np.pi * number / (4 * FPS)
    x = round((width - side) / 2 + np.sin(phase) * width * 0.15)
    y = round((height - side) / 2 + np.cos(phase) * height * 0.05)
    frame[y : y + side, x : x + side] = head
    return frame


@pytest.fixture(scope="session")
def webcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of webcam picture; Chromium plays them round and round."""
    path = tmp_path_factory.mktemp("webcam") / "face.mjpeg"
    with path.open("wb") as file:
        for number in range(4 * FPS):
            encoded, jpeg = cv2.imencode(".jpg", webcam_frame(number))
            assert encoded
            file.write(jpeg.tobytes())
    return path


@pytest.fixture(scope="session")
def app_process(tmp_path_factory: pytest.TempPathFactory):
    """The app as a visitor's server runs it; yields the process and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "app.log"
    # Browser and server are one machine here: no server outside is asked.
    env = os.environ | {"EMOREC_ICE_SERVERS": "[]"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, f"--server.port={port}"], cwd=ROOT, env=env, stdout=out, stderr=out
        )
    url = f"http://localhost:{port}"
    deadline = time.monotonic() + 60
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).read()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the app did not start:\n{log.read_text()}")
                time.sleep(0.2)
        yield process, url
    finally:
        process.terminate()
        process.wait(timeout=20)
    errors = [line for line in log.read_text().splitlines() if "Traceback" in line]
    assert not errors, f"the app logged a traceback:\n{log.read_text()}"


@pytest.fixture(scope="session")
def app_url(app_process) -> str:
    return app_process[1]


@pytest.fixture(scope="session")
def launch(webcam: Path):
    """Start a browser: ``launch(camera=True)`` with the fake webcam, allowed without asking."""
    path = find_browser()
    # `make test` sets the variable, empty for the browser that Playwright brought itself.
    if path is None and not {"CI", "EMOREC_BROWSER"} & os.environ.keys():
        pytest.skip("no Chromium or Chrome found; `make test` installs one")
    playwright_api = pytest.importorskip("playwright.sync_api")
    started = []
    with playwright_api.sync_playwright() as playwright:

        def start(camera: bool = True):
            args = ["--disable-background-networking", "--disable-component-update", "--no-sandbox"]
            if camera:
                args += [
                    "--use-fake-device-for-media-stream",
                    "--use-fake-ui-for-media-stream",
                    f"--use-file-for-fake-video-capture={webcam}",
                ]
            browser = playwright.chromium.launch(executable_path=path, args=args)
            started.append(browser)
            return browser

        yield start
        for browser in started:
            browser.close()


@pytest.fixture(scope="session")
def root_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: docs/images with EMOREC_SCREENSHOTS=1, else a temporary folder."""
    if os.environ.get("EMOREC_SCREENSHOTS"):
        return ROOT / "docs" / "images"
    return tmp_path_factory.mktemp("images")
