"""The WebSocket: every client gets the messages, and one that does not read holds up nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import monotonic, sleep

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from emorec.errors import EmorecError
from emorec.streams import websocket
from emorec.streams.websocket import WebSocket

HEADER = {"emorec": "1"}


Connect = Callable[..., ClientConnection]


@pytest.fixture
def client() -> Iterator[Connect]:
    """Connects further clients, which are closed after the test."""
    with ExitStack() as opened:

        def connected(out: WebSocket, **more: object) -> ClientConnection:
            address = f"ws://localhost:{out.port}"
            made = connect(address, close_timeout=1, **more)  # type: ignore[arg-type]
            return opened.enter_context(made)

        yield connected


def received(from_: ClientConnection) -> list[dict[str, dict[str, object]]]:
    """Return all messages until the server ends the connection."""
    return [json.loads(text) for text in from_]


def test_a_client_gets_the_header_and_then_all_that_comes(client: Connect) -> None:
    with WebSocket(HEADER) as out:
        early = client(out)
        assert json.loads(early.recv()) == {"header": HEADER}
        out.send("picture", {"time_s": 0.5, "faces": []})
        assert json.loads(early.recv()) == {"picture": {"time_s": 0.5, "faces": []}}
        late = client(out)
        assert json.loads(late.recv()) == {"header": HEADER}
        out.send("marker", {"time_s": 0.7, "label": "é"})  # the last message before the end
    for each in (early, late):
        assert received(each) == [{"marker": {"time_s": 0.7, "label": "é"}}]
        with pytest.raises(ConnectionClosedOK):
            each.recv()


def test_it_ends_where_there_is_no_client(client: Connect) -> None:
    with WebSocket(HEADER) as out:
        out.send("marker", {"time_s": 0.7})
    with pytest.raises(ConnectionRefusedError):
        client(out)


def test_a_client_that_does_not_read_holds_up_nothing(client: Connect) -> None:
    picture = {"time_s": 0.0, "faces": ["x" * 100_000]}
    with WebSocket(HEADER) as out:
        stuck = client(out, max_queue=1)  # it stops reading the connection when one waits
        reads = client(out)
        reads.recv()
        for number in range(300):
            out.send("picture", picture | {"number": number})
            assert json.loads(reads.recv())["picture"]["number"] == number
        held = [len(each._pictures) for each in out._clients]
        assert sorted(held) == [0, websocket.MOST_PICTURES]
        out.send("second", {"time_s": 1.0})
        assert json.loads(reads.recv()) == {"second": {"time_s": 1.0}}
        began_s = monotonic()
    assert monotonic() - began_s < 10  # the end does not wait for the client that is stuck
    assert received(reads) == []
    with pytest.raises(ConnectionClosedError):
        list(stuck)


def test_a_client_that_is_late_gets_seconds_and_markers_and_the_newest_pictures(
    client: Connect,
) -> None:
    many = 400
    picture = {"faces": ["x" * 100_000]}
    with WebSocket(HEADER) as out:
        late = client(out, max_queue=1)
        for number in range(many):
            out.send("picture", picture | {"number": number})
            if number % 10 == 0:
                out.send("second", {"number": number})
        sleep(0.2)  # all of it has reached the queues
        got = []
        while not got or got[-1].get("picture", {}).get("number") != many - 1:
            got.append(json.loads(late.recv(timeout=10)))
        pictures = [each["picture"]["number"] for each in got if "picture" in each]
        seconds = [each["second"]["number"] for each in got if "second" in each]
        assert seconds == list(range(0, many, 10))
        assert pictures == sorted(pictures) and len(pictures) < many
        newest = range(many - websocket.MOST_PICTURES, many)
        assert pictures[-len(newest) :] == list(newest)


def test_web_pages_are_refused_unless_they_are_named(client: Connect) -> None:
    page = Origin("http://localhost:3000")
    with WebSocket(HEADER) as out, pytest.raises(InvalidStatus) as raised:
        client(out, origin=page)
    assert raised.value.response.status_code == 403
    with WebSocket(HEADER, origins=[page]) as out:
        assert json.loads(client(out, origin=page).recv()) == {"header": HEADER}


def test_there_is_a_limit_of_clients(client: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "MOST_CLIENTS", 1)
    with WebSocket(HEADER) as out:
        client(out).recv()
        with pytest.raises(InvalidStatus) as raised:
            client(out)
        assert raised.value.response.status_code == 503


def test_what_clients_say_is_ignored(client: Connect) -> None:
    with WebSocket(HEADER) as out:
        talks = client(out)
        talks.recv()
        for _ in range(100):
            talks.send("hello")
        out.send("second", {"time_s": 1.0})
        assert json.loads(talks.recv()) == {"second": {"time_s": 1.0}}


def test_it_listens_on_this_computer_only() -> None:
    with WebSocket(HEADER) as out:
        assert out._server is not None
        hosts = {each.getsockname()[0] for each in out._server.sockets}
        assert hosts <= {"127.0.0.1", "::1"}


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("localhost", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmorecError, match=f"^--websocket localhost:{port}: cannot be used "):
            WebSocket(HEADER, "localhost", port).__enter__()
    with pytest.raises(EmorecError, match=r"^--websocket no\.such\.host\.invalid:1: ca"):
        WebSocket(HEADER, "no.such.host.invalid", 1).__enter__()
