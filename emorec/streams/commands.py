"""`emorec watch`: streams for other programs; nothing heavy is loaded before it runs."""

from __future__ import annotations

import argparse
import io
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from emorec.options import add_detector, add_no_baseline, chosen_settings
from emorec.terminal import print_line

if TYPE_CHECKING:
    from emorec.rows import Row
    from emorec.streams.camera import Camera
    from emorec.streams.feed import Outlet

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def add_parser(commands: Any) -> None:
    """Add ``watch`` to the object that ``add_subparsers`` returned."""
    add = commands.add_parser(
        "watch",
        help="stream what a camera shows to other programs",
        description="Writes the apparent expression of every face in a camera's picture to"
        " standard output, one JSON object a line. A line typed meanwhile is a marker. Ctrl+C ends"
        " it. No picture and no name is sent.",
    )
    add.add_argument(
        "--camera",
        default="0",
        metavar="CAMERA",
        help="a camera's number, /dev/videoN, an address such as rtsp://…, or a video file, which"
        " is played at its own pace (default: 0)",
    )
    add.add_argument(
        "--websocket",
        type=_address,
        metavar="[HOST:]PORT",
        help="send the same objects to the clients of a WebSocket; without HOST only on this"
        " computer",
    )
    add.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="URL",
        help="a web page's origin, such as http://localhost:3000, that may be a client",
    )
    add.add_argument(
        "--lsl",
        action="store_true",
        help="offer Lab Streaming Layer streams on the local network; needs the extra lsl",
    )
    add.add_argument(
        "--group-only",
        action="store_true",
        help="send totals of three faces or more only, nothing of single faces",
    )
    add_no_baseline(add)
    add_detector(add)
    add.set_defaults(command=watch, wrong=add.error)


def watch(args: argparse.Namespace) -> int:
    """Read a camera and send what is read until it ends, or Ctrl+C."""
    if args.allow_origin and not args.websocket:
        args.wrong("--allow-origin needs --websocket")
    if args.lsl:
        from emorec.streams.extra import require

        require()
    from emorec.calibration.baseline import Baselines
    from emorec.deployment import Deployment
    from emorec.model.choice import for_live
    from emorec.model.store import DEFAULT_NAME, path_of
    from emorec.recognizer import EmotionRecognizer
    from emorec.rows import header
    from emorec.sessions.report import NOTICE
    from emorec.streams.camera import Camera
    from emorec.streams.feed import UNITS, Feed

    runtime = Deployment.from_env(only=("runtime",)).runtime
    settings = chosen_settings(args)
    recognizer = EmotionRecognizer(path_of(runtime=runtime), settings)
    if (live := for_live(recognizer.model)) != DEFAULT_NAME:
        recognizer = EmotionRecognizer(path_of(live, runtime), settings)
    reader = recognizer.reader("live", calibrate=None if args.no_baseline else Baselines())
    with Camera(args.camera) as camera:
        clock_start = datetime.now(UTC) - timedelta(seconds=monotonic() - camera.began_s)
        about = header(recognizer.model, recognizer.settings) | {
            "baseline": not args.no_baseline,
            "group_only": args.group_only,
            "wall_clock": clock_start.isoformat(timespec="milliseconds"),
            "units": UNITS,
            "notice": NOTICE,
        }
        outlets = _outlets(args, about, camera)
        with _CtrlC(camera.end) as ctrl_c, Feed(clock_start, outlets, args.group_only) as feed:
            _take_markers(feed.mark, camera.began_s)
            for image_bgr, time_s in camera:
                feed.add(image_bgr, reader.read(image_bgr, time_s))
    return 130 if ctrl_c.pressed else 0


class _CtrlC:
    """Lets the first Ctrl+C end the camera, so that all that was read is sent and no line is cut.

    The second one interrupts, as usual.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self.pressed = False
        self._end = end

    def __enter__(self) -> Self:
        self._usual = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *why: object) -> None:
        signal.signal(signal.SIGINT, self._usual)

    def _press(self, *what: object) -> None:
        signal.signal(signal.SIGINT, self._usual)
        self.pressed = True
        self._end()


def _outlets(args: argparse.Namespace, about: Row, camera: Camera) -> list[Outlet]:
    from emorec.streams.json_lines import JsonLines

    outlets: list[Outlet] = []
    if args.websocket:
        from emorec.streams.websocket import WebSocket

        host, port = args.websocket
        if host not in _LOOPBACK:
            print_line(
                f"--websocket {host}:{port}: every program that can reach this address can receive"
                " the stream, which is not encrypted."
            )
        outlets.append(WebSocket(about, host, port, args.allow_origin))
    if args.lsl:
        from emorec.streams.lsl import LabStreams

        print_line("--lsl: every program on the local network can receive the streams.")
        outlets.append(LabStreams(about, args.camera, camera.began_s, not args.group_only))
    if sys.stdout is not None:
        outlets.append(JsonLines(about, sys.stdout))  # last: no line if another cannot start
    return outlets


def _take_markers(mark: Callable[[str, float], None], began_s: float) -> None:
    """Take typed lines as markers, if there is a standard input."""
    from emorec.streams.markers import read_markers

    if hasattr(signal, "SIGTTIN"):
        # A program in a shell's background would otherwise be stopped when it reads the terminal.
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    try:
        descriptor = -1 if sys.stdin is None else sys.stdin.fileno()
    except io.UnsupportedOperation:  # something else stands in its place, as in a notebook
        descriptor = -1
    if descriptor >= 0:
        read_markers(descriptor, mark, began_s)


def _address(text: str) -> tuple[str, int]:
    """Return the host and port of ``[HOST:]PORT``."""
    host, _, digits = text.rpartition(":")
    port = int(digits) if digits.isascii() and digits.isdigit() else 0
    if not 1 <= port <= 65535 or text.startswith(":"):
        raise argparse.ArgumentTypeError(
            f"Expected a port from 1 to 65535, or HOST:PORT. Received {text!r}."
        )
    return host.strip("[]") or "localhost", port
