"""Visitors in processes of their own, for benchmarks, which give them commands over a pipe."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from testkit.app import FPS
from testkit.page import PageError
from testkit.visitor import Visitor


class Client:
    """A visitor in a separate process, so that its cost is not counted as the server's."""

    def __init__(self, url: str, film: Path, fps: int = FPS) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, url, film, fps), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, name: str, *args: Any) -> Any:
        """Call a method of the visitor by name and return the method's result.

        Raises:
            PageError: the method raised it.
        """
        self.tell(name, *args)
        return self.hear()

    def tell(self, name: str, *args: Any) -> None:
        """Send a command like `ask`, but do not wait for the result; `hear` returns it."""
        self._ours.send((name, args))

    def hear(self, timeout_s: float = 300) -> Any:
        """Wait for the result of the last `tell` and return it."""
        try:
            if not self._ours.poll(timeout_s):
                raise PageError(f"the visitor has not answered within {timeout_s:.0f} s.")
            answer, error = self._ours.recv()
        except (EOFError, ConnectionError):
            raise PageError("the visitor's process has ended.") from None
        if error is not None:
            raise PageError(error)
        return answer

    def kill(self) -> None:
        """End it as a crash ends a browser: without a message to the server."""
        self.process.kill()
        self.process.join()
        self._ours.close()

    def leave(self) -> None:
        """Close the tab and end the process."""
        try:
            self.ask("close")
        except PageError as error:
            print(f"visitor: {error}", file=sys.stderr)
        self.kill()


@contextmanager
def visiting(url: str, film: Path, number: int = 1, fps: int = FPS) -> Iterator[list[Client]]:
    """Yield ``number`` visitors, each with the page open; they leave when the context ends."""
    clients = [Client(url, film, fps) for _ in range(number)]
    try:
        for client in clients:
            client.tell("open")
        for client in clients:
            client.hear()
        yield clients
    finally:
        for client in clients:
            client.kill()


def _serve(pipe: Connection, url: str, film: Path, fps: int) -> None:
    asyncio.run(_serve_async(pipe, Visitor(url, film, fps)))


async def _serve_async(pipe: Connection, visitor: Visitor) -> None:
    while True:
        try:
            name, args = await asyncio.to_thread(pipe.recv)
        except (EOFError, OSError):  # the process that asked has ended
            return
        try:
            done = getattr(visitor, name)(*args)
            pipe.send((await done if asyncio.iscoroutine(done) else done, None))
        except (PageError, OSError) as error:
            pipe.send((None, str(error)))
