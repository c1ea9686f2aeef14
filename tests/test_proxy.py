"""Two app processes behind a real proxy: visitors stay, and a lost process is its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from testkit.app import answers, free_port, running_app
from testkit.film import write_film
from testkit.page import Page, PageError
from testkit.visitor import Visitor

ROOT = Path(__file__).resolve().parents[1]
COOKIE = "emorec-process"
WAIT_S = 60

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not shutil.which("caddy"), reason="needs Caddy (apt install caddy)"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.ivf")


@contextlib.contextmanager
def behind_caddy(folder: Path, *upstreams: str) -> Iterator[str]:
    """Run Caddy with the project's file before these addresses; yield its own."""
    site = f"http://localhost:{free_port()}"
    env = os.environ | {
        "EMOREC_SITE": site,
        "EMOREC_UPSTREAMS": " ".join(upstreams),
        "EMOREC_SECRET": "only-for-this-test",
        "HOME": str(folder),
    }
    command = ["caddy", "run", "--config", str(ROOT / "deploy" / "Caddyfile"), "--adapter"]
    with (folder / "caddy.log").open("w") as log:
        caddy = subprocess.Popen([*command, "caddyfile"], env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + WAIT_S
        while not answers(site):
            assert caddy.poll() is None and time.monotonic() < deadline, (
                folder / "caddy.log"
            ).read_text()
            time.sleep(0.2)
        yield site
    finally:
        caddy.terminate()
        caddy.wait(20)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the proxy's address, and the two processes by their own addresses."""
    with contextlib.ExitStack() as stack:
        processes = {}
        for name in ("one", "two"):
            app, url = stack.enter_context(
                running_app(tmp_path / f"{name}.log", env={"EMOREC_MAX_LIVE": "4"})
            )
            processes[url.removeprefix("http://")] = app
        yield stack.enter_context(behind_caddy(tmp_path, *processes)), processes


def tabs_of(process: Any) -> int:
    """Return how many connections the proxy holds to a process."""
    own = psutil.Process(process.pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED for one in own)


async def until(holds: Any, what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {WAIT_S} s: {what}"
        await asyncio.sleep(0.2)


def test_visitors_stick_and_a_process_that_dies_takes_its_own_alone(
    house: tuple[str, dict[str, Any]], film: Path
) -> None:
    site, processes = house

    async def run() -> None:
        visitors: dict[str, Visitor] = {}
        async with asyncio.timeout(400):
            while len(visitors) < 2:  # the proxy chooses by chance
                visitor = Visitor(site, film, fps=10)  # they share the cores with both apps
                await visitor.open()
                cookie = visitor._open_page().cookies[COOKIE]
                if cookie in visitors:
                    await visitor.close()
                else:
                    visitors[cookie] = visitor
            for visitor in visitors.values():
                await visitor.start()  # page, files and offer all reach the same process
            seen = [await visitor.count(3) for visitor in visitors.values()]
            assert all(one["shown_per_s"] > 1 for one in seen), seen

            live = {url: psutil.Process(app.pid).num_threads() for url, app in processes.items()}
            assert all(threads > 5 for threads in live.values()), live
            first = next(iter(processes.values()))
            first.kill()
            first.wait()
            await asyncio.sleep(8)  # what had been sent before is shown
            after = [await visitor.count(4) for visitor in visitors.values()]
            alive = [one["shown_per_s"] > 1 for one in after]
            assert sorted(alive) == [False, True], after
            # Who comes now, with whatever cookie, gets the one that is left.
            for _ in range(4):
                page = await Page.open(site)
                await page.run_ended()
                await page.close()
            for visitor in visitors.values():
                with contextlib.suppress(PageError, OSError):
                    await visitor.close()

    asyncio.run(run())


def test_a_rolling_restart_leaves_the_page_open_to_all(
    house: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    site, processes = house
    failed, stop = [], asyncio.Event()

    async def come() -> int:
        """Open the page again and again, as new visitors do."""
        came = 0
        while not stop.is_set():
            try:
                page = await Page.open(site)
                await page.run_ended(timeout_s=WAIT_S)
                await page.close()
                came += 1
            except (PageError, OSError) as error:
                failed.append(str(error))
            await asyncio.sleep(0.2)
        return came

    async def run() -> None:
        coming = asyncio.create_task(come())
        for url, app in list(processes.items()):
            app.terminate()
            await asyncio.to_thread(app.wait, 30)
            port = url.rpartition(":")[2]
            with (tmp_path / f"{port}.log").open("w") as log:
                command = [*app.args[:-1], f"--server.port={port}"]
                again = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=os.environ | {"EMOREC_ICE_SERVERS": "[]"},
                    stdout=log,
                    stderr=log,
                )
            processes[url] = again
            await until(lambda url=url: answers(f"http://{url}"), "the process is back")
            await asyncio.sleep(5)  # so that the proxy sees it too
        stop.set()
        assert await coming > 3
        # A page whose process ended while it was being opened has to be opened again.
        assert len(failed) <= 2, failed

    try:
        asyncio.run(run())
    finally:
        for app in processes.values():
            app.kill()
            app.wait()
