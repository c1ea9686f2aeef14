"""How many connections there may be, whose, and how long one may say nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from starlette.requests import ClientDisconnect, Request

from emorec.server import connections
from emorec.server.connections import Patience, Shares, TabRoom, end_if_idle
from emorec.server.middleware import Message


def test_a_source_alone_gets_three_quarters_and_leaves_room_for_the_next() -> None:
    shares = Shares(128)
    taken = [sum(shares.take(source) for _ in range(1000)) for source in ("a", "b", "c", "d")]
    assert taken == [96, 24, 6, 2]
    for _ in range(96):
        shares.give_back("a")
    assert sum(shares.take("e") for _ in range(1000)) == 72
    assert not Shares(0).take("a")


def test_tabs_are_counted_while_they_are_open() -> None:
    closed = []

    async def open_tabs() -> None:
        leave = asyncio.Event()

        async def behind(scope: Message, receive: object, send: object) -> None:
            await leave.wait()

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            closed.append(message)

        room = TabRoom(behind, most=2)
        tabs = [asyncio.create_task(room({"type": "websocket"}, receive, send)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [tab.done() for tab in tabs] == [False, False, True]
        assert closed == [{"type": "websocket.close", "code": 1013}]
        leave.set()
        await asyncio.gather(*tabs)
        await room({"type": "websocket"}, receive, send)

    asyncio.run(open_tabs())
    assert len(closed) == 1


def asked(app: object, *messages: Message, body_s: float = 0.2) -> list[Message]:
    """Send messages to an app behind `Patience`, then nothing more; return what it answers."""
    sent: list[Message] = []

    async def run() -> None:
        coming = asyncio.Queue()
        for message in messages:
            coming.put_nowait(message)

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "headers": [], "path": "/"}
        async with asyncio.timeout(10):
            await Patience(app, body_s)(scope, coming.get, send)

    asyncio.run(run())
    return sent


async def reads_all(scope: Message, receive: object, send: object) -> None:
    body = await Request(scope, receive).body()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def piece(data: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": data, "more_body": more}


def test_a_request_that_comes_passes() -> None:
    start, body = asked(reads_all, piece(b"a", True), piece(b"b", False))
    assert start["status"] == 200 and body["body"] == b"ab"


def test_a_body_that_stops_coming_ends_with_408() -> None:
    start, _ = asked(reads_all, piece(b"a", True))
    assert start["status"] == 408


def test_an_aborted_request_is_no_error_and_needs_no_answer() -> None:
    assert asked(reads_all, piece(b"a", True), {"type": "http.disconnect"}) == []


def test_an_app_that_waits_for_the_end_of_the_connection_may_wait() -> None:
    async def waits(scope: Message, receive: object, send: object) -> None:
        await receive()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    assert asked(waits, piece(b"", False))[0]["status"] == 200


def test_other_errors_stay_errors() -> None:
    async def fails(scope: Message, receive: object, send: object) -> None:
        await receive()
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        asked(fails, piece(b"", False))


class Connection:
    """As `end_if_idle` sees Uvicorn's: time passes when `later` is called."""

    def __init__(self) -> None:
        self.cycle: SimpleNamespace | None = None
        self.closed = False
        self.after: list[tuple] = []
        self.transport = SimpleNamespace(
            is_closing=lambda: self.closed, get_protocol=lambda: self, close=self.close
        )
        self.loop = SimpleNamespace(call_later=lambda s, call, *args: self.after.append(args))

    def close(self) -> None:
        self.closed = True

    def later(self) -> None:
        end_if_idle(*self.after.pop())


def test_a_connection_ends_that_waits_for_the_same_request_for_too_long() -> None:
    own = Connection()
    end_if_idle(own, None)
    assert own.closed
    own = Connection()
    own.cycle = SimpleNamespace(response_complete=False)
    end_if_idle(own, None)
    own.later()
    assert not own.closed  # a long answer
    own.cycle.response_complete = True
    own.later()
    assert not own.closed  # the next may be on its way
    own.later()
    assert own.closed


@pytest.mark.skipif("resource" not in vars(connections), reason="this system has no such limit")
def test_the_soft_limit_of_descriptors_is_raised() -> None:
    resource = connections.resource
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(256, before[1])
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
        connections.raise_descriptors()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert hard == before[1] and (soft == 65_536 or soft == hard)
        connections.raise_descriptors()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
