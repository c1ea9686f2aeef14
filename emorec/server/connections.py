"""Limits on connections: how many there are, whose they are, and how long one may say nothing."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

from starlette.requests import ClientDisconnect

from emorec.live.room import source_of
from emorec.server.middleware import Application, Message, Receive, Send, answer, close

if sys.platform != "win32":
    import resource

MOST_CONNECTIONS = 1024
"""HTTP connections open at once; a browser has up to six for the files of a page."""

HEAD_S = 20.0
"""In so long a request has to be there, up to the end of its headers."""

BODY_S = 30.0
"""In so long another piece of a request's body has to come."""

MOST_TABS = 128
"""Tabs open at once: Streamlit keeps about a megabyte of each, and up to another that a stranger
chose (`server.maxWidgetStateSize`); at 158 a process with 1,024 descriptors had none left."""

_DESCRIPTORS = 65_536
_SHARE = 3


def raise_descriptors() -> None:
    """Let this process open as many files and connections as the system allows, up to 65,536.

    The soft limit is 1,024 on most systems, for programs that use `select`. Tabs and live pictures
    took all of it: newcomers got no answer.
    """
    if sys.platform == "win32":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Shares:
    """Counts what is open, in all and of each source; no source can take all there is.

    A source gets at most three times what is left free. So one alone gets three quarters, another
    beside it three quarters of the rest, and some is always left for the next (dynamic thresholds:
    A. Choudhury and E. Hahne, IEEE/ACM Transactions on Networking 6, 1998).

    Args:
        most: open at once.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: Counter[str] = Counter()
        self._all = 0

    def take(self, source: str) -> bool:
        """Count one more of this source; return whether there is room for it."""
        if self._open[source] >= _SHARE * (self.most - self._all):
            return False
        self._open[source] += 1
        self._all += 1
        return True

    def give_back(self, source: str) -> None:
        """Count one less of this source."""
        self._all -= 1
        self._open[source] -= 1
        if not self._open[source]:
            del self._open[source]


class TabRoom:
    """Refuses WebSockets beyond a number: each is a tab, which takes memory and a descriptor.

    Args:
        app: the application behind.
        most: tabs that may be open at once; of one visitor's address, as of `Shares`.
    """

    def __init__(self, app: Application, most: int = MOST_TABS) -> None:
        self.app = app
        self._shares = Shares(most)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Close a WebSocket there is no room for; pass everything else through."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        source = source_of((scope.get("client") or [None])[0])
        if not self._shares.take(source):
            await close(receive, send, 1013)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            self._shares.give_back(source)


class Patience:
    """Ends a request whose body does not come, and keeps the log free of those that were aborted.

    Args:
        app: the application behind.
        body_s: the time in which another piece of the body has to come.
    """

    def __init__(self, app: Application, body_s: float = BODY_S) -> None:
        self.app = app
        self.body_s = body_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer 408 to a request that is too slow; pass everything else through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        whole = slow = gone = answered = False

        async def receive_in_time() -> Message:
            nonlocal whole, slow, gone
            if whole:  # what comes now is the end of the connection
                return await receive()
            try:
                async with asyncio.timeout(self.body_s):
                    message = await receive()
            except TimeoutError:
                slow = True
                return {"type": "http.disconnect"}
            gone = message["type"] == "http.disconnect"
            whole = not message.get("more_body")
            return message

        async def send_unless_slow(message: Message) -> None:
            nonlocal answered
            if not slow or answered:
                answered = True
                await send(message)

        try:
            await self.app(scope, receive_in_time, send_unless_slow)
        except ClientDisconnect:
            if not (gone or slow):
                raise
        if slow and not answered:
            await answer(_nothing, send, 408, b"The rest of the request did not come in time.")


async def _nothing() -> Message:
    return {}


def is_idle(protocol: Any) -> bool:
    """Return whether an HTTP connection of Uvicorn waits for a request."""
    return protocol.cycle is None or protocol.cycle.response_complete


def end_if_idle(protocol: Any, former: object) -> None:
    """End an HTTP connection that has waited for the same request since the last look.

    Args:
        protocol: Uvicorn's, of one connection.
        former: its request at the last look, if it was idle.
    """
    transport = protocol.transport
    if transport.is_closing() or transport.get_protocol() is not protocol:  # it became a WebSocket
        return
    if is_idle(protocol) and protocol.cycle is former:
        transport.close()
        return
    now = protocol.cycle if is_idle(protocol) else object()
    protocol.loop.call_later(HEAD_S, end_if_idle, protocol, now)


def count(protocol: Any, most: int = MOST_CONNECTIONS) -> None:
    """Have Uvicorn's class for an HTTP connection count its connections, and end those that idle.

    Args:
        protocol: the class; it is changed.
        most: connections open at once; of one address, as of `Shares`.
    """
    made, lost, upgrade = (
        protocol.connection_made,
        protocol.connection_lost,
        protocol.handle_websocket_upgrade,
    )
    shares = Shares(most)

    def connection_made(own: Any, transport: Any) -> None:
        made(own, transport)
        source = source_of(own.client[0] if own.client else None)
        if not shares.take(source):
            transport.abort()
            return
        own.source_counted = source
        own.loop.call_later(HEAD_S, end_if_idle, own, None)

    def give_back(own: Any) -> None:
        source = own.__dict__.pop("source_counted", None)
        if source is not None:
            shares.give_back(source)

    def connection_lost(own: Any, exc: Exception | None) -> None:
        give_back(own)
        lost(own, exc)

    def handle_websocket_upgrade(own: Any, event: Any) -> None:
        give_back(own)  # it is a tab now, which `TabRoom` counts
        upgrade(own, event)

    protocol.connection_made = connection_made
    protocol.connection_lost = connection_lost
    protocol.handle_websocket_upgrade = handle_websocket_upgrade
