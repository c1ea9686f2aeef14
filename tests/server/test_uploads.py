"""What visitors hold is counted as it arrives, whatever they announce; no body stops for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from emorec.jobs.disk import AWAY_S
from emorec.jobs.quota import Quota
from emorec.server.middleware import Message
from emorec.server.uploads import LateFiles, UploadRoom

MB = 2**20
FILE = "8c5b4c7e-32a1-4b86-9a1e-0d7a6d8f1b23"
UPLOAD = f"/_stcore/upload_file/one/{FILE}"


class Streamlit:
    """Takes a body whole, as Streamlit does, then answers."""

    def __init__(self) -> None:
        self.stored = 0

    async def __call__(self, scope: Message, receive, send) -> None:
        more = True
        while more:
            message = await receive()
            self.stored += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def room(of_session: int = 0, of_all: int = 0, total: int = 200 * MB, **times: float) -> UploadRoom:
    return UploadRoom(Streamlit(), Quota(total, lambda _session: (of_session, of_all)), **times)


def put(
    app: UploadRoom,
    parts: Sequence[bytes],
    path: str = UPLOAD,
    announced: int | None = None,
    ends: bool = True,
    method: str = "PUT",
) -> int:
    """Return the status of the answer to a body that comes in parts."""
    return asyncio.run(put_async(app, parts, path, announced, ends, method))


async def put_async(
    app: UploadRoom,
    parts: Sequence[bytes],
    path: str = UPLOAD,
    announced: int | None = None,
    ends: bool = True,
    method: str = "PUT",
) -> int:
    coming = list(parts)
    sent: list[Message] = []

    async def receive() -> Message:
        if not coming and not ends:
            await asyncio.sleep(60)
        part = coming.pop(0) if coming else b""
        return {"type": "http.request", "body": part, "more_body": bool(coming) or not ends}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    await app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("of_session", "of_all", "size", "status"),
    [
        (0, 0, 0, 204),
        (0, 0, 50 * MB, 204),
        (50 * MB, 50 * MB, 50 * MB, 204),
        (51 * MB, 51 * MB, 50 * MB, 413),  # half of all for one session
        (0, 190 * MB, 10 * MB, 204),
        (0, 190 * MB, 10 * MB + 1, 413),
    ],
)
@pytest.mark.parametrize("claim", ["right", "one byte", "nothing"])
def test_an_upload_is_let_in_where_there_is_room(
    of_session: int, of_all: int, size: int, status: int, claim: str
) -> None:
    announced = {"right": size, "one byte": 1, "nothing": None}[claim]
    parts = [bytes(min(MB, size - at)) for at in range(0, size, MB)]
    app = room(of_session, of_all)
    assert put(app, parts, announced=announced) == status
    assert app.quota.take("one", 100 * MB - of_session) == (of_all == of_session)  # all given back


def test_what_is_announced_takes_nothing_from_others_before_it_comes() -> None:
    app = room(total=100 * MB, idle_s=0.5)

    async def all_at_once() -> list[int]:
        path = UPLOAD.replace("one", "{}")
        announcing = [
            put_async(app, [b"x"], path.format(n), announced=50 * MB, ends=False) for n in range(9)
        ]
        tasks = [asyncio.create_task(each) for each in announcing]
        await asyncio.sleep(0)
        honest = await put_async(app, [bytes(MB)] * 40, path.format("honest"))
        return [honest, *await asyncio.gather(*tasks)]

    assert asyncio.run(all_at_once()) == [204, *[408] * 9]


def test_what_has_come_counts_for_others_until_it_is_stored() -> None:
    app = room(total=100 * MB, idle_s=0.2)

    async def all_at_once() -> list[int]:
        path = UPLOAD.replace("one", "{}")
        slow = [put_async(app, [bytes(45 * MB)], path.format(n), ends=False) for n in range(2)]
        tasks = [asyncio.create_task(each) for each in slow]
        await asyncio.sleep(0.05)
        refused = await put_async(app, [bytes(20 * MB)], path.format("other"))
        await asyncio.gather(*tasks)
        return [refused, await put_async(app, [bytes(20 * MB)], path.format("other"))]

    assert asyncio.run(all_at_once()) == [413, 204]


def test_a_body_that_drips_ends_too() -> None:
    async def drips() -> int:
        app = room(idle_s=0.1, longest_s=0.3)
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message: Message) -> None:
            sent.append(message)

        await app({"type": "http", "method": "PUT", "path": UPLOAD, "headers": []}, receive, send)
        return sent[0]["status"]

    assert asyncio.run(drips()) == 408


@pytest.mark.parametrize("file", ["x" * 30_000, "file", FILE.upper(), FILE + "0"])
def test_a_file_id_that_is_not_streamlits_is_refused(file: str) -> None:
    app = room()
    assert put(app, [b"x"], f"/_stcore/upload_file/one/{file}") == 400
    assert app.app.stored == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "method"), [("/", "GET"), (UPLOAD, "DELETE"), (UPLOAD, "OPTIONS"), ("/x", "PUT")]
)
def test_nothing_else_is_refused(path: str, method: str) -> None:
    assert put(room(MB, MB, total=0), [b""], path, method=method) == 204


def test_files_that_came_after_their_session_had_ended_are_dropped() -> None:
    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    for session in ("here", "gone"):
        manager.add_file(session, UploadedFileRec(FILE, "me.png", "image/png", b"x"))
    active = {"here"}
    late = LateFiles(manager, active.__contains__)
    late.sweep(0.0)
    late.sweep(AWAY_S)
    assert set(manager.file_storage) == {"here", "gone"}
    late.sweep(AWAY_S + 1)
    assert set(manager.file_storage) == {"here"}
