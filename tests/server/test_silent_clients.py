"""Two clients that take both places and send no picture keep nobody out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from testkit.app import running_app
from testkit.hostile import Silent
from testkit.page import PageError
from testkit.visitor import Visitor

HONEST = 3
WAIT_S = 240  # a place is free after 20 s at the latest; the rest is for a slow machine


@pytest.mark.long
def test_silent_clients_that_offer_again_and_again_keep_nobody_out(
    film: Path, tmp_path: Path
) -> None:
    async def run(url: str) -> None:
        silent = [Silent(url, film, source=f"127.0.0.{n}") for n in (2, 3)]
        for one in silent:
            await one.open()
        holding = [asyncio.create_task(one.take_places()) for one in silent]
        for _ in range(HONEST):
            visitor = Visitor(url, film, fps=5)
            await visitor.open()
            async with asyncio.timeout(WAIT_S):
                # The places are taken when it comes.
                while not all(one.connected for one in silent):
                    await asyncio.sleep(0.1)
                while True:
                    try:
                        await visitor.start()
                        break
                    except PageError:
                        continue  # it waits in the line, and presses START when it is let in
            assert (await visitor.count(3))["shown_per_s"] > 0
            await visitor.stop()
            await visitor.close()
        for task in holding:
            task.cancel()
        await asyncio.gather(*holding, return_exceptions=True)
        for one in silent:
            await one.close()

    env = {"EMOREC_MAX_LIVE": "2"}
    with running_app(tmp_path / "app.log", env=env) as (_, url):
        asyncio.run(run(url))
