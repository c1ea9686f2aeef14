"""The command line: one function for each command; each imports only what it needs.

Exit codes: 0 fine, 2 wrong usage or unreadable input (one line on stderr, no traceback).
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emorec.batch.commands import add_parser as add_batch
from emorec.deployment import Deployment
from emorec.errors import EmorecError
from emorec.options import add_detector
from emorec.paths import APP, NO_HOME, has_home
from emorec.people.commands import add_parser as add_people
from emorec.photos.commands import add_parser as add_photo
from emorec.server import logs
from emorec.sessions.commands import add_parser as add_sessions
from emorec.streams.commands import add_parser as add_watch
from emorec.terminal import OUTPUT_LOST, output_lost, print_error
from emorec.training.commands import add_parsers as add_training
from emorec.videos.commands import add_parser as add_video

if TYPE_CHECKING:
    from emorec.media.photo import ImageBGR


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; wrong usage raises ``SystemExit(2)``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # its encoding may lack a name's character
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    args = parser.parse_args(argv)
    if not hasattr(args, "command"):
        parser.error("name a command, as in `emorec photo me.jpg`; `emorec --help` lists them.")
    try:
        _set_up_log(args.command)
        code = int(args.command(args))
        if sys.stdout is not None:
            sys.stdout.flush()
    except EmorecError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return 130  # the shells' exit code for Ctrl+C
    except OSError as error:
        if error.filename is not None or error.errno not in OUTPUT_LOST:
            raise
        return output_lost(error)
    return code


def run(args: argparse.Namespace) -> int:
    """Start the web app and wait until it ends."""
    if not APP.is_file():
        raise EmorecError(f"{APP}: the web app is missing; install EmoRec again.")
    if not has_home():
        raise EmorecError(NO_HOME)
    port = args.port or Deployment.from_env(only=("port",)).port
    try:
        socket.create_server(("", port)).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise EmorecError(
            f"port {port} cannot be used ({why}): stop the program that uses it, or pass --port."
        ) from None
    # Reachable from this computer only: without HTTPS, browsers allow the camera for no other one.
    command = [sys.executable, "-m", "streamlit", "run", str(APP)]
    command += ["--server.address", "localhost", "--server.port", str(port)]
    os.environ["PORT"] = str(port)
    if args.detector:
        os.environ["EMOREC_DETECTOR"] = args.detector
    # Only the user of this computer can open the page: names and keeping sessions are offered.
    for name, offered in (("EMOREC_PEOPLE", "1"), ("EMOREC_SESSIONS", "ask")):
        os.environ[name] = os.environ.get(name, "").strip() or offered
    path = (Deployment.from_env(only=("base_url_path",)).base_url_path or "").strip("/")
    address = f"http://localhost:{port}{'/' if path else ''}{path}"
    print(f"EmoRec on {address} (Ctrl+C stops it)", flush=True)
    if os.name == "nt":  # on Windows, exec frees the terminal while the app still runs
        return subprocess.call(command)
    os.execv(sys.executable, command)


def doctor(args: argparse.Namespace) -> int:
    """Print one line for each check; a line that begins with FAIL gives exit code 2."""
    from emorec.doctor.findings import findings

    code = 0
    for finding in findings():
        print(f"{finding.kind:<6}{finding.text}", flush=True)
        code = 2 if finding.kind == "FAIL" else code
    return code


def bench(args: argparse.Namespace) -> int:
    """Time the stages on one picture."""
    from emorec.bench import measure
    from emorec.media.photo import one_picture, read_photo

    with one_picture(str(args.image or "portrait")):
        timings = measure(read_photo(args.image) if args.image else _portrait())
    if args.json:
        print(json.dumps(timings, allow_nan=False))
        return 0
    size = "x".join(map(str, timings["size"]))
    print(f"{size}, faces: {timings['faces']}, medians of {timings['runs']} runs")
    for stage, ms in [*timings["stage_ms"].items(), ("total", timings["total_ms"])]:
        print(f"{stage:<10}{ms:8.2f} ms")
    print(f"{timings['analyses_per_s']} analyses a second")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emorec", description="Reads the apparent emotion of every face in a picture."
    )
    commands = parser.add_subparsers(metavar="COMMAND")

    add = commands.add_parser("run", help="start the web app")
    add.add_argument(
        "--port",
        type=_port,
        help="default: the environment's PORT, else 8501",
    )
    add_detector(add)
    add.set_defaults(command=run)

    add_photo(commands)
    add_video(commands)
    add_batch(commands)
    add_watch(commands)
    add_training(commands)
    add_people(commands)
    add_sessions(commands)

    add = commands.add_parser("doctor", help="check the installation, models, settings and network")
    add.set_defaults(command=doctor)

    add = commands.add_parser("bench", help="time the stages on a portrait at 640x480")
    add.add_argument("--image", type=Path, metavar="FILE", help="default: scikit-image's portrait")
    add.add_argument("--json", action="store_true", help="one JSON object")
    add.set_defaults(command=bench)
    return parser


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"Expected a port from 1 to 65535. Received {text!r}.")
    return port


def _set_up_log(command: Callable[[argparse.Namespace], int]) -> None:
    """Set up logging if ``EMOREC_LOG`` is set; else off: the commands print their own messages."""
    try:
        form = Deployment.from_env(only=("log",)).log
    except EmorecError:
        if command is not doctor:  # doctor itself lists every wrong variable
            raise
        form = None
    if form:
        logs.set_up(form)
    elif not (log := logging.getLogger("emorec")).handlers:
        log.addHandler(logging.NullHandler())


def _portrait() -> ImageBGR:
    try:
        from skimage.data import astronaut
    except ImportError:
        raise EmorecError(
            "no picture to measure: pass --image FILE, a picture with a face."
        ) from None
    return astronaut()[..., ::-1]
