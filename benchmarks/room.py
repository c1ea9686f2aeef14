"""A room of different people before the live page in a real browser.

    python -m benchmarks.room --photos DIR [--people 25] [--seconds 60] [--out FILE]
    python -m benchmarks.room --show FILE

DIR holds photographs of one face each. Those in which OpenCV's cascade finds exactly one large face
are used, evenly from the whole folder, once the grey ones and once those in colour. Every person is
pasted into a room, sways slightly, and has a face of 94 pixels at 1280×720. Chromium uses that film
as its webcam. App and browser run on the same machine, so Chromium takes processor time from the
app. The numbers on the page are recorded twice a second, from three seconds after START; the ids
are the faces seen of the session's JSON; those of the sent picture are the browser's statistics
(`RTCPeerConnection.getStats`). The photographs and the film are not stored.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from emorec.paths import CASCADE
from testkit.app import FPS, launch_browser, live_frame, ready_to_start, running_app
from testkit.backgrounds import background

Image = npt.NDArray[np.uint8]

_LOOP_S = 10
_AFTER_START_S = 3.0
_EVERY_S = 0.5
_FACE_SHARE = 94 / 720  # of the picture's height, for five rows of people
_MARGINS = 0.28, 0.22, 0.25  # above, below and beside the cascade's box, in boxes
_RIM = 0.3  # around a photograph, of its shorter side
_LARGE = 0.35  # of the photograph's shorter side; smaller boxes are often none
_LEAST_PX = 70  # of the photograph's shorter side; smaller ones are too blurred at 94 pixels
_COLOURED = 4.0  # mean distance of a pixel's channels from their mean; grey JPEGs have under 1

_KINDS = ("grey", "colour")

_WATCH = """async ([seconds, every]) => {
  const frame = [...document.querySelectorAll("iframe")].find((f) => f.title.includes("webrtc"));
  const told = (label) => {
    for (const metric of document.querySelectorAll('[data-testid="stMetric"]')) {
      if (metric.textContent.startsWith(label)) {
        const value = metric.querySelector('[data-testid="stMetricValue"]').textContent.trim();
        return value === "–" ? null : value;
      }
    }
    return null;
  };
  const received = () => {
    for (const caption of document.querySelectorAll('[data-testid="stCaptionContainer"]')) {
      const size = caption.textContent.match(/Received: (\\d+) × (\\d+)/);
      if (size) return [Number(size[1]), Number(size[2])];
    }
    return null;
  };
  const notes = [];
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const video = frame.contentDocument.querySelector("video");
    const peer = frame.contentWindow.peers.at(-1);
    const note = {
      at_s: performance.now() / 1000,
      faces: told("Faces in view"), drawn: told("Pictures/s"), read: told("Readings/s"),
      received: received(),
      shown: video ? video.getVideoPlaybackQuality().totalVideoFrames : null,
      shown_size: video ? [video.videoWidth, video.videoHeight] : null,
    };
    for (const [, stat] of await peer.getStats()) {
      if (stat.type === "outbound-rtp" && stat.kind === "video") {
        note.sent_size = [stat.frameWidth, stat.frameHeight];
        note.sent_bytes = stat.bytesSent;
        note.sent_frames = stat.framesEncoded;
        note.limited_s = stat.qualityLimitationDurations;
      }
    }
    notes.push(note);
    await new Promise((done) => setTimeout(done, every * 1000));
  }
  return notes;
}"""


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, metavar="DIR", help="of one face each, JPEG or PNG")
    parser.add_argument("--people", type=int, default=25)
    parser.add_argument("--size", type=_size, default=(1280, 720), metavar="WxH")
    parser.add_argument("--seconds", type=float, default=60, help="to watch for")
    add_options(parser)
    args = parser.parse_args()
    if args.photos is None and args.show is None:
        parser.error("--photos is needed")
    deliver(args, lambda: measure(args.photos, args.people, args.size, args.seconds), tables)


def measure(photos: Path, people: int, size_wh: tuple[int, int], seconds: float) -> dict[str, Any]:
    """Return what was counted in a room of grey people, and in one of people in colour."""
    width, height = size_wh
    report = {
        "command": f"python -m benchmarks.room --photos DIR --people {people}"
        f" --size {width}x{height} --seconds {seconds:g}",
        **machine(),
        "people": people,
        "size_wh": list(size_wh),
        "seconds": seconds,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = {
            kind: write_room(
                folder / f"{kind}.mjpeg", portraits(photos, people, kind == "colour"), size_wh
            )
            for kind in _KINDS
        }
        return {**report, "rooms": {kind: watch(film, seconds) for kind, film in films.items()}}


@cache
def portraits(folder: Path, number: int, colour: bool) -> list[tuple[Image, float]]:
    """Return so many faces, each cut out of another photograph, and the width of its box.

    Raises:
        SystemExit: there are not so many.
    """
    cascade = cv2.CascadeClassifier(str(CASCADE))
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".png"))
    clear = []
    for file in files:
        photo = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if photo is None or min(photo.shape[:2]) < _LEAST_PX:
            continue
        spread = np.abs(photo - photo.mean(axis=2, keepdims=True)).mean()
        if (spread > _COLOURED) != colour:
            continue
        # Many photographs end at the chin: the cascade, and the room, want something around it.
        rim = round(_RIM * min(photo.shape[:2]))
        wide = cv2.copyMakeBorder(photo, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
        least = round(_LARGE * min(photo.shape[:2]))
        gray = cv2.cvtColor(wide, cv2.COLOR_BGR2GRAY)
        boxes = cascade.detectMultiScale(gray, 1.1, 5, minSize=(least, least))
        if len(boxes) == 1:
            clear.append((_cut(np.asarray(wide, np.uint8), boxes[0]), float(boxes[0][2])))
    if len(clear) < number:
        raise SystemExit(f"room: {folder} has {len(clear)} clear faces, {number} are wanted")
    return [clear[place * len(clear) // number] for place in range(number)]


def _cut(photo: Image, box: npt.NDArray[np.int32]) -> Image:
    """Return the face with what is around it."""
    x, y, side, _ = (int(value) for value in box)
    above, below, beside = (round(margin * side) for margin in _MARGINS)
    rows = slice(max(y - above, 0), y + side + below)
    columns = slice(max(x - beside, 0), x + side + beside)
    return np.ascontiguousarray(photo[rows, columns])


def write_room(path: Path, people: list[tuple[Image, float]], size_wh: tuple[int, int]) -> Path:
    """Write ten seconds of them as motion JPEG, which Chromium plays round and round."""
    with path.open("wb") as file:
        for image in room(people, size_wh, _LOOP_S * FPS):
            encoded, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
            assert encoded
            file.write(jpeg.tobytes())
    return path


def room(
    people: list[tuple[Image, float]], size_wh: tuple[int, int], frames: int
) -> Iterator[Image]:
    """Yield pictures of the people in rows; the last leads on to the first."""
    width, height = size_wh
    rows = round(np.sqrt(len(people)))
    columns = -(-len(people) // rows)
    face_px = _FACE_SHARE * height * 5 / rows
    rng = np.random.default_rng(0)
    ground = cv2.GaussianBlur(background(rng, size_wh, 0), (0, 0), 3)
    grain = rng.normal(0, 2, (height + 64, width + 64, 3)).astype(np.int16)
    sprites = [
        cv2.resize(image, None, fx=face_px / side, fy=face_px / side, interpolation=cv2.INTER_AREA)
        for image, side in people
    ]
    phases = rng.uniform(0, 2 * np.pi, len(people))
    for number in range(frames):
        picture = ground.copy()
        for place, sprite in enumerate(sprites):
            turn = 2 * np.pi * number / frames
            row, column = divmod(place, columns)
            h, w = sprite.shape[:2]
            x = (column + 0.5) * width / columns + 0.2 * face_px * np.sin(2 * turn + phases[place])
            y = (row + 0.5) * height / rows + 0.04 * face_px * np.sin(3 * turn + phases[place])
            left = min(max(round(x - w / 2), 0), width - w)
            top = min(max(round(y - h / 2), 0), height - h)
            picture[top : top + h, left : left + w] = sprite
        dx, dy = rng.integers(64, size=2)
        noisy = picture + grain[dy : dy + height, dx : dx + width]
        yield noisy.clip(0, 255).astype(np.uint8)


def watch(film: Path, seconds: float) -> dict[str, Any]:
    """Let a visitor watch the film's room live and return what was counted."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        with running_app(folder / "app.log") as (process, url):
            app = psutil.Process(process.pid)
            browser = launch_browser(playwright, film)
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            button = ready_to_start(page, url)
            pressed = time.monotonic()
            button.click()
            time.sleep(max(0.0, pressed + _AFTER_START_S - time.monotonic()))
            before, began = sum(app.cpu_times()[:2]), time.monotonic()
            notes = page.evaluate(_WATCH, [seconds, _EVERY_S])
            cores = (sum(app.cpu_times()[:2]) - before) / (time.monotonic() - began)
            session = _session(page)
            browser.close()
    return {**counted(notes, session), "app_cores": round(cores, 2)}


def _session(page: Page) -> dict[str, Any]:
    """Press STOP and return the session as JSON."""
    live_frame(page).get_by_role("button", name="STOP").click()
    page.get_by_role("heading", name="Your session").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    found: dict[str, Any] = json.loads(download.value.path().read_text(encoding="utf-8"))
    return found


def counted(notes: list[dict[str, Any]], session: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of one room.

    Args:
        notes: numbers of the page and the browser, twice a second; None while the page shows no
            numbers, which counts as no face found and nothing read.
        session: as its JSON has it.

    Raises:
        SystemExit: the camera's picture was never sent.
    """
    sent = [note for note in notes if "sent_bytes" in note]
    if len(sent) < 2:
        raise SystemExit("room: the camera's picture was never sent; try again")
    first, last = sent[0], sent[-1]
    took_s = last["at_s"] - first["at_s"]
    faces = [int(note["faces"] or 0) for note in notes]
    return {
        "found_mean": round(fmean(faces), 2),
        "found_least": min(faces),
        "found_most": max(faces),
        "ids": session["summary"]["faces_seen"],
        "drawn_per_s": round(fmean(float(note["drawn"] or 0) for note in notes), 1),
        "shown_per_s": round((last["shown"] - (first["shown"] or 0)) / took_s, 1),
        "read_per_s": round(fmean(float(note["read"] or 0) for note in notes), 1),
        "received_sizes": shares([note["received"] for note in notes]),
        "sent_sizes": shares([note["sent_size"] for note in sent]),
        "sent_per_s": round((last["sent_frames"] - first["sent_frames"]) / took_s, 1),
        "sent_kbit_per_s": round((last["sent_bytes"] - first["sent_bytes"]) / took_s * 8 / 1000),
        "limited_s": {
            reason: round(seconds - first["limited_s"][reason], 1)
            for reason, seconds in last["limited_s"].items()
        },
    }


def shares(sizes: list[list[int] | None]) -> dict[str, float]:
    """Return how much of the time each size was seen."""
    names = ["none" if size is None else f"{size[0]}x{size[1]}" for size in sizes]
    return {name: round(names.count(name) / len(names), 2) for name in sorted(set(names))}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    columns = {
        "found, mean": "found_mean",
        "least": "found_least",
        "most": "found_most",
        "ids": "ids",
        "pictures drawn a second": "drawn_per_s",
        "shown": "shown_per_s",
        "readings a second": "read_per_s",
        "size received": "received_sizes",
        "size sent": "sent_sizes",
        "Mbit/s sent": "sent_kbit_per_s",
        "cores of the app": "app_cores",
    }
    lines = [f"| room | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for kind, told in report["rooms"].items():
        told = {**told, "sent_kbit_per_s": round(told["sent_kbit_per_s"] / 1000, 1)}
        cells = [_cell(told[key]) for key in columns.values()]
        lines.append(f"| {report['people']} people, {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{size.replace('x', '×')} {share:.0%}" for size, share in value.items())
    return str(value)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    main()
