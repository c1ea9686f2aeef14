"""The command line: one function a command, each imports only what it needs.

Exit codes: 0 fine, 2 wrong usage or unreadable input (one line on stderr, no traceback).
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emorec.emotions import UNSURE
from emorec.errors import EmorecError
from emorec.paths import APP
from emorec.people.commands import add_parser as add_people
from emorec.settings import DETECTORS, Settings
from emorec.training.commands import add_parsers as add_training

if TYPE_CHECKING:
    from emorec.media.photo import ImageBGR
    from emorec.media.table import FaceRecord, PhotoRecord
    from emorec.records import FrameResult


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; wrong usage raises ``SystemExit(2)``."""
    args = _parser().parse_args(argv)
    try:
        return int(args.command(args))
    except EmorecError as error:
        return _complain(error)
    except BrokenPipeError:  # `| head` has seen enough; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run(args: argparse.Namespace) -> int:
    """Start the web app and stay until it ends."""
    if not APP.is_file():
        raise EmorecError(f"{APP}: the web app is missing; install EmoRec again.")
    try:
        socket.create_server(("", args.port)).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise EmorecError(
            f"port {args.port} cannot be used ({why}): stop what holds it, or pass --port."
        ) from None
    # For this computer alone: a browser gives the camera to no other one without HTTPS.
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += ["--server.address", "localhost", "--server.port", str(args.port)]
    if args.detector:
        os.environ["EMOREC_DETECTOR"] = args.detector
    # Nobody else comes here, so the people in the gallery are whoever's this computer is.
    os.environ["EMOREC_PEOPLE"] = os.environ.get("EMOREC_PEOPLE") or "1"
    print(f"EmoRec on http://localhost:{args.port} (Ctrl+C stops it)", flush=True)
    if os.name == "nt":  # there, exec gives the terminal back while the app still runs
        return subprocess.call(command)
    os.execv(sys.executable, command)


def photo(args: argparse.Namespace) -> int:
    """Read the faces of some pictures; one that cannot be read does not stop the others."""
    from emorec.drawing.overlay import draw_faces
    from emorec.media.photo import encode_png, read_photo
    from emorec.media.table import photo_record
    from emorec.pipeline.detect import shortcoming
    from emorec.recognizer import EmotionRecognizer

    outputs = _outputs(args.images, args.out) if args.out else {}
    settings = Settings.from_env()
    if args.detector:
        settings = replace(settings, detector=args.detector)
    recognizer, code = EmotionRecognizer(settings=settings), 0
    name = _namer() if args.names else None
    if note := shortcoming(settings.detector):
        print(f"emorec: {note}", file=sys.stderr, flush=True)
    for path in args.images:
        try:
            image_bgr = read_photo(path)
        except EmorecError as error:
            code = _complain(error)
            continue
        result = recognizer.analyze(image_bgr)
        if name:
            result = name(image_bgr, result)
        record = photo_record(str(path), result, args.names)
        print(json.dumps(record, allow_nan=False) if args.json else _readable(record), flush=True)
        if args.out:
            _write(outputs[path], encode_png(draw_faces(image_bgr, result.faces, show="all")))
    return code


def doctor(args: argparse.Namespace) -> int:
    """Say what is installed and sound, a line each; a line that says FAIL gives exit code 2."""
    from emorec.doctor import findings

    code = 0
    for finding in findings():
        print(f"{finding.kind:<6}{finding.text}", flush=True)
        code = 2 if finding.kind == "FAIL" else code
    return code


def bench(args: argparse.Namespace) -> int:
    """Time the stages on one picture."""
    from emorec.bench import measure
    from emorec.media.photo import read_photo

    timings = measure(read_photo(args.image) if args.image else _portrait())
    if args.json:
        print(json.dumps(timings, allow_nan=False))
        return 0
    size = "×".join(map(str, timings["size"]))
    print(f"{size}, faces: {timings['faces']}, medians of {timings['runs']} runs")
    for stage, ms in [*timings["stage_ms"].items(), ("total", timings["total_ms"])]:
        print(f"{stage:<10}{ms:8.2f} ms")
    print(f"{timings['analyses_per_s']} analyses a second")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emorec", description="Reads the apparent emotion of every face in a picture."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("run", help="start the web app")
    add.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("PORT") or "8501",
        help="default: the environment's PORT, else 8501",
    )
    _add_detector(add)
    add.set_defaults(command=run)

    add = commands.add_parser("photo", help="read the faces of some pictures")
    add.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    add.add_argument("--out", type=Path, metavar="DIR", help="write the annotated pictures there")
    add.add_argument("--json", action="store_true", help="one JSON object a picture, one a line")
    add.add_argument("--names", action="store_true", help="say who it is, of the people enrolled")
    _add_detector(add)
    add.set_defaults(command=photo)

    add_training(commands)
    add_people(commands)

    add = commands.add_parser("doctor", help="what is installed, which models, camera advice")
    add.set_defaults(command=doctor)

    add = commands.add_parser("bench", help="time the stages on a portrait at 640×480")
    add.add_argument("--image", type=Path, metavar="FILE", help="default: scikit-image's portrait")
    add.add_argument("--json", action="store_true", help="one JSON object")
    add.set_defaults(command=bench)
    return parser


def _add_detector(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detector",
        choices=DETECTORS,
        help=f"what finds the faces; default: EMOREC_DETECTOR, else {DETECTORS[0]}",
    )


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"Expected a port from 1 to 65535. Received {text!r}.")
    return port


def _complain(error: EmorecError) -> int:
    print(f"emorec: {error}", file=sys.stderr, flush=True)
    return 2


def _outputs(images: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Return a file in ``folder`` for each input: no two the same, and none of them an input."""
    # Case is folded, since macOS and Windows take A.png and a.png for one file.
    taken = {str(path.resolve()).casefold() for path in images}
    outputs: dict[Path, Path] = {}
    for path in dict.fromkeys(images):
        name, count = f"{path.stem}_emorec.png", 1
        while str((folder / name).resolve()).casefold() in taken:
            count += 1
            name = f"{path.stem}_emorec_{count}.png"
        outputs[path] = folder / name
        taken.add(str(outputs[path].resolve()).casefold())
    return outputs


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise EmorecError(f"{path}: cannot be written ({error.strerror or error}).") from None


def _readable(record: PhotoRecord) -> str:
    """Return a line for each face of a photo, or one that says there is none."""
    if not record["faces"]:
        return f"{record['file']}: no face found"
    return "\n".join(
        f"{record['file']}: face {number}, {_says(face)}, at {', '.join(map(str, face['box']))}"
        for number, face in enumerate(record["faces"], start=1)
    )


def _says(face: FaceRecord) -> str:
    who = f"{face['name']}, " if face.get("name") else ""
    if face["unreadable"]:
        return f"{who}unreadable: {face['unreadable']}"
    return f"{who}{face['emotion'] or UNSURE} {face['confidence'] or 0:.0%}"


def _namer() -> Callable[[ImageBGR, FrameResult], FrameResult]:
    """Return what names the faces of a photo."""
    from emorec.people.extra import require

    require()
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.gallery import open_gallery
    from emorec.people.matching import named

    return partial(named, embedder=FaceEmbedder(), gallery=open_gallery())


def _portrait() -> ImageBGR:
    try:
        from skimage.data import astronaut
    except ImportError:
        raise EmorecError("no picture to measure: pass --image FILE, one with a face.") from None
    return astronaut()[..., ::-1]
