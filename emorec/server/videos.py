"""The uploads of videos: in pieces, to disk; and the downloads of what was read from them.

A place's token is in every address. Only the visitor's page knows it: the page makes the place, so
there is none before the consent, and none after its withdrawal.

==============================  ==================================================================
``POST   videos/TOKEN``         begins an upload or goes on with it: ``name``, ``size``, ``which``
``PUT    videos/TOKEN``         appends a piece that begins at ``offset``
``DELETE videos/TOKEN``         deletes the upload
``GET    videos/TOKEN/KIND``    a result, as ``csv``; ``zip`` holds all of them
==============================  ==================================================================

The answers are JSON: ``received``, the bytes that have arrived, or ``error``, a line for the
visitor. After a failure the page asks by POST how far it came, and goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile, ZipInfo

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit.runtime import Runtime
from streamlit.web.server.server_util import is_xsrf_enabled
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from emorec.jobs import results
from emorec.jobs.disk import Disk
from emorec.jobs.place import NoPlaceError, Place
from emorec.server.uploads import NO_ROOM, RefusedError, Timed
from emorec.videos.results import compression
from emorec.words import N_, _, best, speaking

log = logging.getLogger(__name__)

PIECE_BYTES = 8 * 2**20
"""The most that one request of an upload may carry."""

_BLOCK_BYTES = 2**20  # written at once; the most that an upload holds in memory
_SWEEP_S = 10.0
_LONGEST_URL = 2000
_GONE = N_("This file is gone.").encode()
_ZIP = "zip"
_TYPES = {
    "mp4": "video/mp4",
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}
_SHOWN = "mp4"  # shown by the page; all else is downloaded: a report has scripts of its own
# A browser keeps none of it on its disk, nor does a proxy.
_PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def routes(disk: Disk, base_url_path: str = "") -> list[Route]:
    """Return the routes of all that is described above.

    Args:
        disk: where the videos lie.
        base_url_path: where behind a proxy the app is.
    """
    address = "/".join(["", *filter(None, [base_url_path.strip("/")]), "videos", "{token}"])
    of = _Endpoints(disk)
    return [
        Route(address, _guarded(of.begin), methods=["POST"]),
        Route(address, _guarded(of.append), methods=["PUT"]),
        Route(address, _guarded(of.delete), methods=["DELETE"]),
        Route(f"{address}/{{kind}}", _guarded(of.result, changes=False), methods=["GET"]),
    ]


async def sweep(disk: Disk) -> None:
    """Delete what lies on the disk of visitors who have left; runs until it is cancelled."""
    while True:
        await asyncio.sleep(_SWEEP_S)
        if Runtime.exists():
            await to_thread.run_sync(disk.sweep, Runtime.instance().is_active_session)


class _Endpoints:
    """Answers the requests for what lies on a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._uploading: set[str] = set()

    async def begin(self, request: Request) -> Response:
        """Begin an upload, or tell how far it is."""
        place = self._place(request)
        query = request.query_params
        size = _number(query.get("size"))
        if size > self._disk.file_bytes:
            raise RefusedError(
                413, f"A video may have {self._disk.file_bytes // 2**20} MB.".encode()
            )
        if not size:
            raise RefusedError(400, N_("This file is empty.").encode())
        name, which = query.get("name", ""), query.get("which", "")
        if len(name) + len(which) > _LONGEST_URL or not place.begin(name, size, which):
            raise RefusedError(409, N_("This upload is over.").encode())
        return _received(place)

    async def append(self, request: Request) -> Response:
        """Take the next piece of an upload."""
        place = self._place(request)
        offset = _number(request.query_params.get("offset"))
        if place.token in self._uploading or offset != place.received or not place.size:
            return JSONResponse({"received": place.received}, 409)
        self._uploading.add(place.token)
        try:
            await _take_piece(self._disk, place, Timed(request.receive))
        finally:
            self._uploading.discard(place.token)
        return _received(place)

    async def delete(self, request: Request) -> Response:
        """Delete an upload that is not read yet."""
        place = self._place(request)
        await to_thread.run_sync(place.empty)
        return _received(place)

    async def result(self, request: Request) -> Response:
        """Send a result."""
        place = self._disk.find(request.path_params["token"])
        kind = request.path_params["kind"]
        if place is None or not results.by_kind(place.source):
            raise RefusedError(404, _GONE)
        place.touch()
        if kind == _ZIP:
            name = results.base(place.source).with_suffix(".zip").name
            files = await to_thread.run_sync(results.everything, place.source)
            headers = {
                **_PRIVATE,
                "Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}",
            }
            return StreamingResponse(_zipped(files), 200, headers, "application/zip")
        file = results.by_kind(place.source).get(kind)
        if file is None:
            raise RefusedError(404, _GONE)
        shown = kind == _SHOWN and "show" in request.query_params
        return FileResponse(
            file,
            headers=_PRIVATE,
            media_type=_TYPES[kind],
            filename=file.name,
            content_disposition_type="inline" if shown else "attachment",
        )

    def _place(self, request: Request) -> Place:
        place = self._disk.find(request.path_params["token"])
        if place is None:
            raise RefusedError(410, N_("This upload is gone.").encode())
        return place


def _guarded(
    answer: Callable[[Request], Awaitable[Response]], changes: bool = True
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that tells of errors in JSON.

    Args:
        answer: the endpoint.
        changes: whether it changes anything, so that Streamlit's XSRF token is asked for.
    """

    async def guarded(request: Request) -> Response:
        try:
            if changes:
                _check_xsrf(request)
            return await answer(request)
        except RefusedError as error:
            return _refused(request, error.body.decode(), error.status)
        except NoPlaceError as error:
            return _refused(request, str(error), 410)
        except ClientDisconnect:
            return Response(status_code=400)  # to none: the browser is gone
        except OSError as error:
            log.error("a video cannot be stored: %s", error.strerror)
            return _refused(request, NO_ROOM.decode(), 507)

    return guarded


def _refused(request: Request, says: str, status: int) -> Response:
    """Return the answer that says why, in the language of the page that asks."""
    with speaking(best(request.headers.get("accept-language"))):
        return JSONResponse({"error": _(says)}, status)


def _check_xsrf(request: Request) -> None:
    """Refuse what another site's page sends, as Streamlit does for its own uploads."""
    token, cookie = request.headers.get("X-Xsrftoken"), request.cookies.get(XSRF_COOKIE_NAME)
    if is_xsrf_enabled() and not validate_xsrf_token(token, cookie):
        raise RefusedError(403, b"XSRF token missing or invalid.")


def _received(place: Place) -> Response:
    return JSONResponse({"received": place.received}, headers=_PRIVATE)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else 0


async def _take_piece(disk: Disk, place: Place, body: Timed) -> None:
    """Write a piece to disk as it arrives; what was written stays if the rest does not come."""
    block = bytearray()
    arrived = 0
    while body.open:
        message = await body()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        block += message.get("body", b"")
        if len(block) >= _BLOCK_BYTES or not body.open:
            arrived += len(block)
            if arrived > PIECE_BYTES:
                raise RefusedError(413, b"A piece is too large.")
            await _write(disk, place, bytes(block))
            block.clear()


async def _write(disk: Disk, place: Place, block: bytes) -> None:
    """Write a block; it counts from before it is written, as others write at the same time."""
    quota = disk.quota
    if not disk.room_for(place, len(block)) or not quota.take(place.session, len(block)):
        raise RefusedError(507, NO_ROOM)
    try:
        await to_thread.run_sync(place.write, block)
    finally:
        quota.give_back(place.session, len(block))


class _Stream:
    """What `ZipFile` writes to: the bytes are taken out again and again."""

    def __init__(self) -> None:
        self.block = bytearray()

    def write(self, data: bytes) -> int:
        self.block += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: the block is in memory."""


def _zipped(files: Sequence[Path]) -> Iterator[bytes]:
    """Yield a ZIP file of the results, made while it is sent: it takes no room on the disk."""
    stream = _Stream()
    with ZipFile(stream, "w", allowZip64=True) as archive:  # type: ignore[call-overload]
        for file in files:
            about = ZipInfo.from_file(file, file.name)
            about.compress_type = compression(file)
            with file.open("rb") as source, archive.open(about, "w") as target:
                while block := source.read(_BLOCK_BYTES):
                    target.write(block)
                    yield bytes(stream.block)
                    stream.block.clear()
    yield bytes(stream.block)
