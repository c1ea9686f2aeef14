"""Uploads to a real server by clients of our own: pictures into memory, videos onto the disk."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import pytest

from emorec.media.video import Video
from emorec.media.video_writer import VideoWriter
from testkit import portraits
from testkit.app import running_app
from testkit.hostile import HalfUpload
from testkit.page import Page

MB = 2**20


class Served(NamedTuple):
    process: psutil.Process
    url: str
    folder: Path

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Yield the app; it holds 100 MB of pictures, and takes videos of 2 MB."""
    folder = tmp_path_factory.mktemp("videos")
    log = tmp_path_factory.mktemp("server") / "app.log"
    env = {"EMOREC_UPLOAD_MB": "100", "EMOREC_VIDEO_MB": "2", "EMOREC_VIDEO_DISK_MB": "100"}
    with running_app(log, env=env | {"TMPDIR": str(folder)}) as (process, url):
        yield Served(psutil.Process(process.pid), url, folder)
        assert process.poll() is None
    assert "Traceback" not in log.read_text()
    assert not list(folder.glob("emorec-videos-*/*/"))  # an end leaves nothing


def visit(url: str, act: Callable[..., Awaitable[None]], *paths: str) -> None:
    """Open a tab for each path, act with them, and close them."""

    async def run() -> None:
        tabs = [await Page.open(url, path) for path in paths]
        try:
            for tab in tabs:
                await tab.run_ended()
            await act(*tabs)
        finally:
            for tab in tabs:
                await tab.close()

    asyncio.run(run())


def picture_path(tab: Page, file: str = "") -> str:
    return f"/_stcore/upload_file/{tab.session}/{file or uuid4()}"


FORM = {"Content-Type": 'multipart/form-data; boundary="rim"'}
HEAD = b'--rim\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'


def test_pictures_that_are_announced_and_not_sent_take_no_room(served: Served) -> None:
    async def act(one: Page, two: Page, honest: Page) -> None:
        with contextlib.ExitStack() as stack:
            for tab in (one, two):
                for _ in range(4):
                    headers = tab.headers | FORM | {"Content-Length": str(50 * MB)}
                    upload = HalfUpload(served.url, picture_path(tab), headers)
                    stack.callback(upload.close)
                    assert upload.send(HEAD)
            assert await honest.upload({"wall.png": b"no picture " * 100_000}) == 1

    visit(served.url, act, "photo", "photo", "photo")


@pytest.mark.parametrize("claim", [{}, {"Content-Length": "1"}], ids=["none", "one byte"])
def test_pictures_that_are_longer_than_announced_are_counted(
    served: Served, claim: dict[str, str]
) -> None:
    before = served.process.memory_info().rss

    async def act(tab: Page) -> None:
        headers = tab.headers | FORM | {"Transfer-Encoding": "chunked"} | claim
        with contextlib.ExitStack() as stack:
            uploads = [HalfUpload(served.url, picture_path(tab), headers) for _ in range(5)]
            for upload in uploads:
                stack.callback(upload.close)
                upload.send(HEAD, chunked=True)
                for _ in range(40):
                    if not await asyncio.to_thread(upload.send, bytes(MB), True):
                        break
            await asyncio.sleep(1)
            # One visitor holds 50 MB at most; 200 were sent.
            assert served.process.memory_info().rss - before < 110 * MB

    visit(served.url, act, "photo")


def test_a_file_id_that_nobody_gave_out_is_refused(served: Served) -> None:
    async def act(tab: Page) -> None:
        body = HEAD + b"x\r\n--rim--\r\n"
        headers = tab.headers | FORM | {"Content-Length": str(len(body))}
        upload = HalfUpload(served.url, picture_path(tab, "x" * 30_000), headers)
        assert upload.send(body)
        assert await asyncio.to_thread(upload.status) == 400
        upload.close()

    visit(served.url, act, "photo")


def ask(
    served: Served, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> tuple[int, Any, dict[str, str]]:
    """Return the status of an answer, its JSON or its bytes, and its headers."""
    connection = HTTPConnection(urlsplit(served.url).netloc, timeout=60)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        named = {name.lower(): value for name, value in answer.getheaders()}
        told = json.loads(content) if named.get("content-type") == "application/json" else content
        return answer.status, told, named
    finally:
        connection.close()


def test_a_video_comes_in_pieces_and_goes_on_after_a_break(served: Served) -> None:
    async def act(tab: Page) -> None:
        data = tab.data("emorec_upload")
        assert data is not None and data["most"] == 2 * MB
        path, own = data["url"], tab.headers

        def told(method: str, query: str, body: bytes = b"") -> tuple[int, Any]:
            return ask(served, method, f"{path}?{query}", own, body)[:2]

        assert told("PUT", "offset=0", b"x")[0] == 409  # nothing was begun
        assert told("POST", f"name=me.mp4&size={2 * MB + 1}")[0] == 413
        assert told("POST", "name=me.mp4&size=0")[0] == told("POST", "size=-1")[0] == 400
        begin = f"name=me.mp4&size={2 * MB}&which=1"
        assert told("POST", begin) == (200, {"received": 0})
        assert told("PUT", "offset=0", b"a" * MB) == (200, {"received": MB})
        assert told("PUT", "offset=0", b"b" * MB) == (409, {"received": MB})
        broken = HalfUpload(served.url, f"{path}?offset={MB}", own | {"Content-Length": str(MB)})
        broken.send(b"c" * 1000)
        second = told("PUT", f"offset={MB}", b"d")
        assert second == (409, {"received": MB})  # one piece after the other
        broken.close()
        await asyncio.sleep(0.5)
        assert told("POST", begin)[0] == 200
        received = told("POST", begin)[1]["received"]
        rest = b"e" * (2 * MB - received)
        assert told("PUT", f"offset={received}", rest + b"too much")[0] in (410, 413)
        received = told("POST", begin)[1]["received"]
        (file,) = served.files()
        assert file.read_bytes()[:MB] == b"a" * MB and file.stat().st_size <= 2 * MB
        assert file.stat().st_mode & 0o077 == 0
        assert told("DELETE", "") == (200, {"received": 0})
        assert served.files() == []

    visit(served.url, act, "video")


def test_a_video_goes_only_where_its_visitor_sends_it(served: Served) -> None:
    async def act(tab: Page) -> None:
        data = tab.data("emorec_upload")
        assert data is not None
        path, own = data["url"], tab.headers
        begin = "?name=me.mp4&size=4"
        foreign = {"Cookie": own["Cookie"], "Origin": "http://evil.example"}
        assert ask(served, "POST", path + begin, {})[0] == 403
        assert ask(served, "POST", path + begin, foreign)[0] == 403
        gone = "POST", f"/videos/{'x' * 32}{begin}"
        assert ask(served, *gone, own)[:2] == (410, {"error": "This upload is gone."})
        german = own | {"Accept-Language": "de"}
        says = "Dieses Hochladen gibt es nicht mehr."
        assert ask(served, *gone, german)[:2] == (410, {"error": says})
        assert ask(served, "POST", path + begin, own)[0] == 200
        assert ask(served, "PUT", f"{path}?offset=0", own, b"film")[0] == 200
        for file in ("me.mp4", "../me.mp4", "..%2fme.mp4", "%2e%2e/lock", ".", "mp4", "zip"):
            assert ask(served, "GET", f"{path}/{file}", own)[0] in (400, 404), file

    visit(served.url, act, "video")


def test_a_tabs_new_place_takes_the_one_of_before(served: Served) -> None:
    async def act(tab: Page) -> None:
        data = tab.data("emorec_upload")
        await tab.rerun()
        assert data is not None and tab.data("emorec_upload") == data

    visit(served.url, act, "video")


@pytest.mark.long
def test_a_video_is_read_and_its_results_can_be_fetched(served: Served, tmp_path: Path) -> None:
    film = tmp_path / "two.mp4"
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    with VideoWriter(film) as writer:
        for number in range(30):
            writer.write(image, number / 10)
    content = film.read_bytes()

    async def act(tab: Page) -> None:
        data = tab.data("emorec_upload")
        assert data is not None
        path, own = data["url"], tab.headers
        assert ask(served, "POST", f"{path}?name=two.mp4&size={len(content)}", own)[0] == 200
        for at in range(0, len(content), 100_000):
            piece = content[at : at + 100_000]
            assert ask(served, "PUT", f"{path}?offset={at}", own, piece)[0] == 200
        await tab.rerun()
        await tab.until(lambda: any("/zip" in t for t in tab.texts()) or None, 120, "results")
        assert "two.mp4" not in {file.name for file in served.files()}
        # Once it is read, nothing can be added to it.
        assert ask(served, "POST", f"{path}?name=x&size=9", own)[0] == 409

        status, part, headers = ask(
            served, "GET", f"{path}/mp4?show=1", own | {"Range": "bytes=0-99"}
        )
        assert (status, len(part), headers["cache-control"]) == (206, 100, "no-store")
        assert headers["content-disposition"].startswith("inline")
        # The report has scripts: a browser must not run them under this address.
        status, _, headers = ask(served, "GET", f"{path}/html?show=1", own)
        assert status == 200 and headers["content-disposition"].startswith("attachment")
        status, whole, headers = ask(served, "GET", f"{path}/zip", own)
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            assert archive.testzip() is None
            names = {"two_emorec.mp4", "two_emorec.csv", "two_emorec.json", "two_emorec.parquet"}
            assert names < set(archive.namelist())
            archive.extract("two_emorec.mp4", tmp_path)
        with Video(tmp_path / "two_emorec.mp4") as video:
            assert len(list(video.frames())) == 30

    visit(served.url, act, "video")
