"""The real app as a server, a real Chromium and a fake webcam for it."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from emorec.words import _
from tools.dev import find_browser

ROOT = Path(__file__).resolve().parents[1]
FPS = 30
_LOOP_S = 4
_QUIET = ["--disable-background-networking", "--disable-component-update"]

LIVE_FRAMES = """async (seconds) => {
  const video = document.querySelector("video");
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  return (video.getVideoPlaybackQuality().totalVideoFrames - before) / seconds;
}"""
"""Pictures a second that the page's video shows, counted by the browser."""


_REMEMBER_PEERS = """() => {
  const Real = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); window.peers.push(this); }
  };
}"""


def browser_path() -> str | None:
    """Return the browser that `make test` chose, or an installed one; None: Playwright's own."""
    return os.environ.get("EMOREC_BROWSER") or find_browser()


def webcam_frame(number: int, size_wh: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Return a frame in which a real face moves over a plain room; uint8, blue first."""
    width, height = size_wh
    side = round(height * 0.62)
    room, head = _room_and_head(size_wh, side)
    frame = room.copy()
    phase = 2 * np.pi * number / (_LOOP_S * FPS)
    x = round((width - side) / 2 + np.sin(phase) * width * 0.15)
    y = round((height - side) / 2 + np.cos(phase) * height * 0.05)
    frame[y : y + side, x : x + side] = head
    return frame


@cache
def _room_and_head(size_wh: tuple[int, int], side: int) -> tuple[np.ndarray, np.ndarray]:
    import skimage.data

    width, height = size_wh
    rows = np.linspace(150, 190, height)[:, None, None]
    room = np.broadcast_to(rows, (height, width, 3)).astype(np.uint8)
    head = skimage.data.astronaut()[20:240, 130:330, ::-1]
    return room, cv2.resize(head, (side, side))


def write_webcam(path: Path, size_wh: tuple[int, int] = (640, 480)) -> Path:
    """Write four seconds of a webcam film; Chromium repeats it endlessly."""
    with path.open("wb") as file:
        for number in range(_LOOP_S * FPS):
            encoded, jpeg = cv2.imencode(".jpg", webcam_frame(number, size_wh))
            assert encoded
            file.write(jpeg.tobytes())
    return path


def free_port() -> int:
    """Return a free port of this machine, below those that connections to servers get."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


@contextmanager
def running_app(
    log: Path,
    root: Path = ROOT,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "streamlit"),
    path: str = "",
) -> Iterator[tuple[subprocess.Popen, str]]:
    """Run the app as on a server; yields its process and its address.

    Args:
        log: the file that its output goes to.
        root: the checkout that it runs from.
        env: further environment variables.
        program: the arguments of Python in place of Streamlit's command line.
        path: the app's path at its address, if ``env`` sets one.

    Raises:
        RuntimeError: it did not start within a minute; the text holds its log.
    """
    port = free_port()
    # Browser and server are one machine here: no server outside is asked.
    variables = os.environ | {"EMOREC_ICE_SERVERS": "[]"} | dict(env or {})
    if preload := os.environ.get("EMOREC_APP_PRELOAD"):
        variables |= {"LD_PRELOAD": preload}  # a browser could not run with benchmarks/avx2.c
    command = [sys.executable, *program, "run", "app.py", "--server.headless=true"]
    command += ["--server.address=localhost", f"--server.port={port}"]
    url = f"http://localhost:{port}{path}"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=root, env=variables, stdout=out, stderr=out)
    deadline = time.monotonic() + 60
    try:
        while not answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield process, url
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:  # Streamlit may miss a signal while it starts
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    """Return whether the health check of the app at this address succeeds."""
    try:
        return bool(urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).read())
    except OSError:
        return False


def launch_browser(
    playwright: Any, webcam: Path | None, allowed: bool = True, secure: str | None = None
) -> Any:
    """Start Chromium with this film as its webcam, or without a webcam.

    It allows the camera without a question, or denies it. Pages at ``secure``, an address without
    HTTPS, may use the camera too.
    """
    arguments = [
        *_QUIET,
        *(["--no-sandbox"] if hasattr(os, "geteuid") and not os.geteuid() else []),
    ]
    if secure is not None:
        arguments.append(f"--unsafely-treat-insecure-origin-as-secure={secure}")
    if webcam is not None:
        arguments += [
            "--use-fake-device-for-media-stream",
            *(["--use-fake-ui-for-media-stream"] if allowed else []),
            f"--use-file-for-fake-video-capture={webcam}",
        ]
    return playwright.chromium.launch(executable_path=browser_path(), args=arguments)


def ready_to_start(page: Any, url: str) -> Any:
    """Open the Live page, remember its connections, and return START as soon as it is shown.

    It is looked for in the language that the thread speaks, as the other parts of a page are.
    """
    page.set_default_timeout(90_000)
    remember_peers(page)
    page.goto(url)
    page.get_by_role("heading", name=_("Live")).wait_for()
    button = live_frame(page).get_by_role("button", name=_("Start camera"))
    button.wait_for()
    return button


def remember_peers(page: Any) -> None:
    """Make every frame of a page store its connections in ``window.peers``; call before opening."""
    page.add_init_script(f"({_REMEMBER_PEERS})()")


def live_frame(page: Any) -> Any:
    """Return the frame in which START and the picture live, once the page has drawn it."""
    iframe = page.locator('iframe[title*="webrtc"]')
    for _try in range(100):
        if frame := iframe.element_handle().content_frame():
            return frame
        page.wait_for_timeout(100)  # the page has just replaced it
    raise LookupError("The page replaced the live picture's frame again and again.")


def open_settings(page: Any) -> None:
    """Open the Live page's settings; a run of the page that began before the click closes them."""
    inside = page.get_by_text(_("Smoothing (s)"))
    for _try in range(5):
        page.get_by_role("button", name=_("Settings")).click()
        page.wait_for_timeout(1500)
        if inside.is_visible():
            return
    raise LookupError("The settings do not stay open.")


def start_live(page: Any) -> None:
    """Press START and wait until faces are counted; one start in twenty ends at once.

    A session that is over is discarded first.
    """
    from playwright.sync_api import TimeoutError as TookTooLong

    for last in (False, True):
        discard = page.get_by_role("button", name=_("Discard this session"))
        if discard.count():
            discard.click()
        live_frame(page).get_by_role("button", name=_("Start camera")).click()
        try:
            page.get_by_text(_("Readings/s"), exact=True).wait_for(timeout=45_000)
            return
        except TookTooLong:
            if last:
                raise
