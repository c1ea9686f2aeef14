"""Uploads: what Streamlit keeps in memory is counted as it arrives, and no body may stop for long.

`Timed` and `RefusedError` serve `emorec.server.videos` too, whose uploads go to disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from time import monotonic

from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from emorec.jobs.disk import AWAY_S
from emorec.jobs.quota import Quota
from emorec.server.middleware import Application, Message, Receive, Send, header, respond
from emorec.words import N_

FILE_BYTES = 50 * 2**20
"""The most that one upload may hold: `server.maxUploadSize` in .streamlit/config.toml."""

IDLE_S = 30.0
"""Seconds without a byte after which an upload is given up."""

LONGEST_S = 900.0
"""Seconds that one request of an upload may take: 50 MB at half a megabit a second."""

NO_ROOM = N_("No room for this file now: remove others, or try again later.").encode()

_SESSION = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/(?P<file>[^/]+)$")
_FILE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As Streamlit makes them; it would keep any other text too, of any length."""

_DIGITS = 19
_SWEEP_S = 10.0
_RECORD_BYTES = 1024  # of a file that is kept, beside its content


class UploadRoom:
    """Refuses uploads that would make the app hold more of them in memory than it may.

    Streamlit keeps a session's files until they are removed or the session ends, and knows no
    bound on their number. What is on its way counts from when it has arrived. So a body that was
    announced and is not sent takes no room from others; nor does one that is longer than announced
    get more.

    Args:
        app: the application behind.
        quota: counts what sessions hold in memory.
        idle_s: seconds without a byte after which an upload is given up.
        longest_s: seconds after which it is given up in any case.
    """

    def __init__(
        self, app: Application, quota: Quota, idle_s: float = IDLE_S, longest_s: float = LONGEST_S
    ) -> None:
        self.app = app
        self.quota = quota
        self.idle_s = idle_s
        self.longest_s = longest_s

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer 413 to an upload there is no room for, 408 to one that stops half-way.

        Everything else passes through.
        """
        upload = scope["type"] == "http" and scope["method"] == "PUT"
        found = _SESSION.search(scope["path"]) if upload else None
        if not found:
            await self.app(scope, receive, send)
            return
        session = found["session"]
        timed = Timed(receive, self.idle_s, self.longest_s)
        arrived = 0
        refused: RefusedError | None = None
        began = False

        async def counted() -> Message:
            nonlocal arrived
            message = await timed()
            size = len(message.get("body", b""))
            if not self.quota.take(session, size):
                raise RefusedError(413, NO_ROOM)
            arrived += size
            return message

        async def send_on(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            if not _FILE_ID.fullmatch(found["file"]):
                raise RefusedError(400, b"No such file is expected.")
            if not self.quota.fits(session, _length(scope)):
                raise RefusedError(413, NO_ROOM)
            await self.app(scope, counted, send_on)
        except RefusedError as error:
            refused = error
        finally:
            self.quota.give_back(session, arrived)
        if refused is not None and not began:
            await answer_refused(refused, timed, send)


class RefusedError(Exception):
    """An upload that is not taken.

    Args:
        status: of the answer, of HTTP.
        body: of the answer.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body.decode())
        self.status = status
        self.body = body


class Timed:
    """Receives the body of an upload, which must not stop for long, nor take too long in all.

    Args:
        receive: of ASGI.
        idle_s: seconds to wait for the next part.
        longest_s: seconds for the whole body.
    """

    def __init__(
        self, receive: Receive, idle_s: float = IDLE_S, longest_s: float = LONGEST_S
    ) -> None:
        self._receive = receive
        self._idle_s = idle_s
        self._ends_s = monotonic() + longest_s
        self.open = True

    async def __call__(self) -> Message:
        """Return the next message.

        Raises:
            RefusedError: none came in time.
        """
        try:
            async with asyncio.timeout(min(self._idle_s, max(0.0, self._ends_s - monotonic()))):
                message = await self._receive()
        except TimeoutError:
            self.open = False
            raise RefusedError(408, N_("The upload took too long.").encode()) from None
        self.open = bool(message.get("more_body"))
        return message


async def answer_refused(refused: RefusedError, timed: Timed, send: Send) -> None:
    """Answer a refused upload once the rest of it has come: a browser reads no answer before.

    The rest is dropped. If it does not come in time, the answer ends the connection.
    """
    with contextlib.suppress(RefusedError):
        while timed.open:
            await timed()
    await respond(send, refused.status, refused.body)


def _length(scope: Message) -> int:
    """Return the bytes that a request says it has; 0 where it says none."""
    said = header(scope, b"content-length")
    return int(said) if said.isascii() and said.isdigit() and len(said) < _DIGITS else 0


class LateFiles:
    """Drops files that arrived after their visitor's session had ended: Streamlit never would.

    Args:
        manager: holds the files.
        active: returns whether a session has an open connection.
    """

    def __init__(self, manager: MemoryUploadedFileManager, active: Callable[[str], bool]) -> None:
        self._manager = manager
        self._active = active
        self._away_since_s: dict[str, float] = {}

    def sweep(self, now_s: float) -> None:
        """Drop the files of sessions that have been away for too long to come back."""
        sessions = set(self._manager.file_storage)
        away = {session for session in sessions if not self._active(session)}
        self._away_since_s = {session: self._away_since_s.get(session, now_s) for session in away}
        for session, since_s in self._away_since_s.items():
            if now_s - since_s > AWAY_S:
                self._manager.remove_session_files(session)


async def sweep() -> None:
    """Drop late files again and again; runs until it is cancelled."""
    while not Runtime.exists():
        await asyncio.sleep(_SWEEP_S)
    runtime = Runtime.instance()
    manager = runtime.uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    late = LateFiles(manager, runtime.is_active_session)
    while True:
        await asyncio.sleep(_SWEEP_S)
        late.sweep(monotonic())


def kept_in_memory(session: str) -> tuple[int, int]:
    """Return the bytes of the files that Streamlit keeps of a session, and of all sessions."""
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    sizes = {
        key: sum(
            len(file.data) + len(file.name) + len(file.type) + _RECORD_BYTES
            for file in list(files.values())
        )
        for key, files in list(manager.file_storage.items())
    }
    return sizes.get(session, 0), sum(sizes.values())
