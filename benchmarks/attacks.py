"""What attacks on the app cost the server, and a visitor who is live meanwhile.

    python -m benchmarks.attacks [--only NAME...] [--seconds 8] [--fps 30] [--out FILE]
    python -m benchmarks.attacks --show FILE

For every attack the app is started again with one live visitor, whose pictures are counted before,
during and after it. The server's memory and open files (descriptors) are watched five times a
second; a newcomer opens the page in the middle of the attack. Attackers come from 127.0.0.2, which
is another address than the visitor's; everything stays on this machine. Needs Linux.

- **huge**: three VP8 frames of 8192×8192 in the middle of a live picture.
- **many**: one offer with 20 pictures.
- **messages**: 8 tabs, each with a widget state of 20 MB.
- **tabs**: 200 tabs that stay open.
- **connections**: 1,100 connections that begin a request and do not end it.
- **silent**: two clients that take a place, send no picture, and take the next one.
- **scans**: a JPEG of a third of a megabyte whose decoding takes minutes.
- **uploads**: 20 uploads of 50 MB that are announced and never sent.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from benchmarks.watch import Watch
from testkit.app import FPS, answers, running_app
from testkit.clients import visiting
from testkit.film import write_film
from testkit.hostile import (
    HalfUpload,
    HugePictures,
    ManyPictures,
    Silent,
    many_scans,
    vp8_frames,
)
from testkit.page import Page, PageError
from testkit.visitor import Visitor

LEAST_SHARE, MOST_MB, MOST_FILES = 0.7, 200.0, 4096
"""Of the pictures before that the visitor must get after an attack; what an attack may take. The
server accepts up to 2,048 connections at once before it counts any of them."""

_ATTACKER = "127.0.0.2"
_STRAIN_S = 6.0


def main() -> int:
    """Measure, print and, with ``--out``, keep; 1 where an attack does more than it may."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=ATTACKS, default=list(ATTACKS))
    parser.add_argument("--seconds", type=float, default=8, help="to count before, during, after")
    parser.add_argument(
        "--fps", type=int, default=FPS, help="of each camera; fewer where it is busy"
    )
    add_options(parser)
    args = parser.parse_args()
    report = deliver(args, lambda: measure(args.only, args.seconds, args.fps), tables)
    return 0 if all(done["holds"] for done in report["attacks"].values()) else 1


def measure(names: list[str], seconds: float, fps: int = FPS) -> dict[str, Any]:
    """Return the effects of every attack as a dictionary for JSON."""
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.ivf")
        attacks = {name: strain(name, seconds, film, fps) for name in names}
    return {
        "command": f"python -m benchmarks.attacks --seconds {seconds:g} --fps {fps}"
        + ("" if names == list(ATTACKS) else f" --only {' '.join(names)}"),
        **where,
        "attacks": attacks,
    }


def strain(name: str, seconds: float, film: Path, fps: int = FPS) -> dict[str, Any]:
    """Attack once while a visitor is live; return what it costs."""
    with ExitStack() as stack:
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "app.log"
        app, url = stack.enter_context(running_app(log, env={"EMOREC_MAX_LIVE": "4"}))
        (beside,) = stack.enter_context(visiting(url, film, 1, fps))
        beside.ask("start")
        time.sleep(seconds)
        rates = [beside.ask("count", seconds)["shown_per_s"]]
        with Watch(psutil.Process(app.pid)) as watch, ATTACKS[name](url, film):
            beside.tell("count", seconds)
            newcomer_s = asyncio.run(_come(url))
            during = beside.hear()
        rates += [during["shown_per_s"], beside.ask("count", seconds)["shown_per_s"]]
        up = answers(url) and app.poll() is None
        traces = log.read_text(errors="replace").count("Traceback")
    return {
        "up": up,
        "beside_shown_per_s": rates,
        "newcomer_s": newcomer_s,
        **watch.taken(),
        "tracebacks": traces,
        "holds": up
        and newcomer_s is not None
        and not traces
        and rates[2] >= LEAST_SHARE * rates[0]
        and watch.most_mb - watch.before_mb <= MOST_MB
        and watch.most_files <= MOST_FILES,
    }


async def _come(url: str) -> float | None:
    """Open the page as a new visitor; return the seconds that took, None: it was not to be had."""
    began = time.monotonic()
    try:
        page = await Page.open(url)
        await page.run_ended(timeout_s=60)
        await page.close()
    except (PageError, OSError, InvalidHandshake) as error:
        print(f"newcomer: {error}", file=sys.stderr)
        return None
    return round(time.monotonic() - began, 2)


@contextmanager
def _live(visitor: Visitor) -> Iterator[None]:
    async def attack() -> None:
        with contextlib.suppress(PageError, TimeoutError):
            await visitor.open()
            async with asyncio.timeout(_STRAIN_S):
                await visitor.start()
                await asyncio.sleep(_STRAIN_S)
        await visitor.close()

    thread = threading.Thread(target=lambda: asyncio.run(attack()))
    thread.start()
    yield
    thread.join()


def _tab(url: str) -> ClientConnection:
    own = socket.socket()
    own.bind((_ATTACKER, 0))
    own.connect(("127.0.0.1", urlsplit(url).port or 0))
    quiet = logging.getLogger("benchmarks.attacks")
    quiet.setLevel(logging.CRITICAL)  # the server ends these connections, which is the point
    return connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        sock=own,
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit"), Subprotocol("none")],
        max_size=None,
        open_timeout=60,
        logger=quiet,
    )


@contextmanager
def _messages(url: str, film: Path) -> Iterator[None]:
    with ExitStack() as tabs:
        for number in range(8):
            tab = tabs.enter_context(_tab(url))
            message = BackMsg()
            widgets = message.rerun_script.widget_states.widgets
            widgets.add(id=f"$$ID-0-x{number}", string_value="x" * 20_000_000)
            with contextlib.suppress(ConnectionClosed):
                tab.send(message.SerializeToString())
        yield


@contextmanager
def _tabs(url: str, film: Path) -> Iterator[None]:
    with ExitStack() as tabs:
        for _ in range(200):
            with contextlib.suppress(InvalidHandshake, OSError):
                tabs.enter_context(_tab(url))
        yield


@contextmanager
def _connections(url: str, film: Path) -> Iterator[None]:
    with ExitStack() as held:
        for _ in range(1100):
            half = held.enter_context(socket.socket())
            half.bind((_ATTACKER, 0))
            half.connect(("127.0.0.1", urlsplit(url).port or 0))
            with contextlib.suppress(OSError):
                half.send(b"GET / HTTP/1.1\r\n")
        yield


@contextmanager
def _silent(url: str, film: Path) -> Iterator[None]:
    over = threading.Event()

    async def attack() -> None:
        clients = [Silent(url, film, source=f"127.0.0.{n}") for n in (2, 3)]
        for client in clients:
            await client.open()
        tasks = [asyncio.create_task(client.take_places()) for client in clients]
        await asyncio.to_thread(over.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in clients:
            await client.close()

    thread = threading.Thread(target=lambda: asyncio.run(attack()))
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def _scans(url: str, film: Path) -> Iterator[None]:
    async def attack() -> None:
        page = await Page.open(url, "photo", source=_ATTACKER)
        await page.upload({"a.jpg": many_scans((3000, 3000), 20_000)})
        await page.close()

    thread = threading.Thread(target=lambda: asyncio.run(attack()))
    thread.start()
    yield
    thread.join()


@contextmanager
def _uploads(url: str, film: Path) -> Iterator[None]:
    async def own_headers() -> tuple[str, dict[str, str]]:
        page = await Page.open(url, "photo")
        await page.run_ended()
        headers, session = page.headers, page.session
        await page.close()
        return session, headers

    session, headers = asyncio.run(own_headers())
    headers |= {"Content-Type": "multipart/form-data; boundary=rim", "Content-Length": "50000000"}
    begun = [
        HalfUpload(url, f"/_stcore/upload_file/{session}/{number}", headers) for number in range(20)
    ]
    yield
    for upload in begun:
        upload.close()


ATTACKS: dict[str, Callable[[str, Path], Any]] = {
    "huge": lambda url, film: _live(HugePictures(url, film, 1, vp8_frames((8192, 8192), 3))),
    "many": lambda url, film: _live(ManyPictures(url, film, 20)),
    "messages": _messages,
    "tabs": _tabs,
    "connections": _connections,
    "silent": _silent,
    "scans": _scans,
    "uploads": _uploads,
}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    columns = (
        "attack",
        "MB more, at most",
        "open files, at most",
        "pictures a second beside it: before, during, after",
        "a newcomer has the page after, s",
    )
    lines = [f"| {' | '.join(columns)} |", "|---|--:|--:|--:|--:|"]
    for name, done in report["attacks"].items():
        cells = [
            name + ("" if done["holds"] else " (**does not hold**)"),
            done["more_mb"],
            done["files"],
            ", ".join(f"{rate:.1f}" for rate in done["beside_shown_per_s"]),
            "never" if done["newcomer_s"] is None else done["newcomer_s"],
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
