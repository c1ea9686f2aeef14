"""Messages as texts of a WebSocket, for programs on this computer unless told otherwise.

One event loop on its own thread serves all clients. Each client has its own bounded queues, so one
that does not read delays neither the reading nor the other clients.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from threading import Thread
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Origin

from emorec.errors import EmorecError
from emorec.rows import Row
from emorec.streams.feed import Kind
from emorec.streams.json_lines import message

MOST_CLIENTS = 32

MOST_PICTURES = 30
"""Pictures that wait for a client, a second of them: of more, the oldest are dropped."""

MOST_OTHERS = 1000
"""Seconds and markers that wait for a client: 16 minutes of seconds."""

_BUFFER_BYTES = 65536  # that wait in the connection itself, where nothing can be dropped
_CLOSE_S = 1.0  # a client that does not answer the end is cut off after so long

log = logging.getLogger(__name__)


class _Client:
    """What waits for one client. Used on the event loop only."""

    def __init__(self, header: str) -> None:
        self._others: deque[str] = deque([header], maxlen=MOST_OTHERS)
        self._pictures: deque[str] = deque(maxlen=MOST_PICTURES)
        self._changed = asyncio.Event()
        self._changed.set()
        self._ended = False

    def put(self, kind: Kind, text: str) -> None:
        (self._pictures if kind == "picture" else self._others).append(text)
        self._changed.set()

    def end(self) -> None:
        """Let `send_all` return once nothing waits."""
        self._ended = True
        self._changed.set()

    async def send_all(self, socket: ServerConnection) -> None:
        """Send what comes; seconds and markers, which are never many, before pictures."""
        while not self._ended:
            await self._changed.wait()
            self._changed.clear()
            while waiting := self._others or self._pictures:
                await socket.send(waiting.popleft())


class WebSocket:
    """An outlet that sends every client the header, then each message as one text.

    Web pages are refused (by the header ``Origin``, which every browser sends): any page that the
    user opens could otherwise read the stream.

    Args:
        header: what the stream was made with.
        host: on which it can be reached.
        port: of the server; 0: any that is free.
        origins: addresses of web pages that are not refused, as ``http://localhost:3000``.

    Attributes:
        port: on which it listens, from entering the context on.

    Raises:
        EmorecError: on entering the context: the port cannot be used.
    """

    def __init__(
        self, header: Row, host: str = "localhost", port: int = 0, origins: Sequence[str] = ()
    ) -> None:
        self.port = port
        self._host = host
        self._header = message("header", header)
        self._origins = [None, *map(Origin, origins)]
        self._clients: dict[_Client, tuple[ServerConnection, asyncio.Task[None]]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="websocket", daemon=True)
        self._server: Server | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        except OSError as error:
            self._end_loop()
            raise EmorecError(
                f"--websocket {self._host}:{self.port}: cannot be used ({error.strerror or error})."
            ) from None
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    def __exit__(self, *why: object) -> None:
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._close(self._server), self._loop).result()
        self._end_loop()

    def send(self, kind: Kind, row: Row) -> None:
        """Leave a message for every client; never waits for one."""
        self._loop.call_soon_threadsafe(self._put, kind, message(kind, row))

    def _put(self, kind: Kind, text: str) -> None:
        for client in self._clients:
            client.put(kind, text)

    async def _serve(self) -> Server:
        return await serve(
            self._handle,
            self._host,
            self.port,
            origins=self._origins,
            process_request=self._refused,
            compression=None,  # the way is short
            close_timeout=_CLOSE_S,
            max_size=1024,  # clients have nothing to say
            write_limit=_BUFFER_BYTES,
            logger=log,
        )

    def _refused(self, socket: ServerConnection, request: Request) -> Response | None:
        if len(self._clients) < MOST_CLIENTS:
            return None
        return socket.respond(
            HTTPStatus.SERVICE_UNAVAILABLE, f"There are {MOST_CLIENTS} clients already.\n"
        )

    async def _handle(self, socket: ServerConnection) -> None:
        client = _Client(self._header)
        sending = asyncio.create_task(client.send_all(socket))
        self._clients[client] = socket, sending
        try:
            async for _ in socket:  # what a client sends is not used; this sees it leave
                pass
        finally:
            del self._clients[client]
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await sending

    async def _close(self, server: Server) -> None:
        """End all connections, after what waits for them has been sent."""
        sent = {}
        for client, (socket, sending) in self._clients.items():
            client.end()
            sent[sending] = socket
        if sent:
            _, late = await asyncio.wait(sent, timeout=_CLOSE_S)
            for sending in late:  # a client that does not read
                sent[sending].transport.abort()
        server.close()
        await server.wait_closed()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
