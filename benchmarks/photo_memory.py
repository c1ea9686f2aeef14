"""Memory that the web app takes to read one photo of 50 megapixels, by kind of file.

    python -m benchmarks.photo_memory [--side 7071] [--here] [--out FILE]
    python -m benchmarks.photo_memory --show FILE

Each file shows a real portrait, enlarged. It is read as the Photo page reads it, in a new worker
process; the peak is the most memory that the process has had at once (VmHWM, on Linux). With
``--here`` it is decoded whole and read in a process of its own as the command line does it.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import psutil
import skimage.data
from PIL import Image

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from emorec.media.workers import Workers
from emorec.model.store import path_of
from emorec.photos import reading as photos
from emorec.photos.reading import Engine
from emorec.settings import Settings

SIDE_PX = 7071  # 50 megapixels
_HERE = """
import sys
from emorec.drawing.overlay import draw_faces
from emorec.media.photo import encode_png, open_photo
from emorec.recognizer import EmotionRecognizer
image_bgr = open_photo(open(sys.argv[1], "rb").read()).image_bgr
encode_png(draw_faces(image_bgr, EmotionRecognizer().analyze(image_bgr).faces))
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""


class Visitor:
    """Whom the worker's time is charged to."""


def main() -> int:
    """Measure, print and, with ``--out``, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=SIDE_PX, help="of the picture, in pixels")
    parser.add_argument("--here", action="store_true", help="whole, as the command line reads it")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.side, args.here), tables)
    return 0


def measure(side_px: int, here: bool) -> dict[str, Any]:
    """Return the peak and the time of each kind of file, fit for JSON."""
    where = machine()
    reader = _peak_here if here else _peak_of_worker
    told = []
    for kind, make in kinds().items():
        data = make(Image.fromarray(skimage.data.astronaut()).resize((side_px, side_px)))
        began = time.monotonic()
        peak_mb = reader(data)
        seconds = round(time.monotonic() - began, 1)
        told.append({"kind": kind, "peak_mb": round(peak_mb), "seconds": seconds})
    option = " --here" if here else ""
    return {
        "command": f"python -m benchmarks.photo_memory --side {side_px}{option}",
        **where,
        "megapixels": round(side_px**2 / 1e6, 1),
        "how": "whole" if here else "worker",
        "files": told,
    }


def kinds() -> dict[str, Callable[[Image.Image], bytes]]:
    """Return what makes a file of each kind."""
    pillow_heif.register_heif_opener()

    def saved(file_format: str, **options: Any) -> Callable[[Image.Image], bytes]:
        def save(image: Image.Image) -> bytes:
            stream = io.BytesIO()
            image.save(stream, file_format, **options)
            return stream.getvalue()

        return save

    def deep(image: Image.Image) -> bytes:
        values = np.asarray(image)[..., ::-1].astype(np.uint16) * 20  # 13 of the 16 bits
        return cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()

    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "JPEG": saved("JPEG", quality=90),
        "JPEG, rotated by EXIF": saved("JPEG", quality=90, exif=exif),
        "progressive JPEG": saved("JPEG", quality=90, progressive=True),
        "PNG": saved("PNG", compress_level=1),
        "PNG with transparency": lambda image: saved("PNG", compress_level=1)(
            image.convert("RGBA")
        ),
        "PNG, 16 bits a channel": deep,
        "WebP": saved("WEBP", quality=80, method=0),
        "HEIC": saved("HEIF", quality=50, enc_params={"preset": "ultrafast"}),
        "TIFF": saved("TIFF"),
    }


def _peak_of_worker(data: bytes) -> float:
    others = psutil.Process().children()
    workers = Workers(photos.prepare, count=1, job_s=300)
    engine = Engine(path_of(), Settings())
    workers.run(Visitor(), photos.read, data, "photo", engine, False, False)
    (worker,) = set(psutil.Process().children()).difference(others)
    status = Path(f"/proc/{worker.pid}/status").read_text()
    workers.close()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def _peak_here(data: bytes) -> float:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        command = [sys.executable, "-c", _HERE, file.name]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout) / 1000


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = [f"| {report['megapixels']:g} megapixels | MB at most | s |", "|---|--:|--:|"]
    lines += [f"| {f['kind']} | {f['peak_mb']} | {f['seconds']:.1f} |" for f in report["files"]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
