"""How the app is served: checked before it starts, and with what stands before Streamlit."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import sys
import tomllib
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.formparsers import MultiPartParser
from starlette.middleware import Middleware
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from emorec import monitoring
from emorec.environment import number
from emorec.errors import EmorecError
from emorec.pages import gate
from emorec.pages.parts import naming
from emorec.pages.parts.engine import room
from emorec.server import logs
from emorec.server.middleware import (
    FILE_BYTES,
    OwnOrigin,
    SecurityHeaders,
    UploadRoom,
    security_headers,
)

log = logging.getLogger(__name__)

_MB = 2**20
_UPLOADS_MB = 200
_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h


def prepare() -> list[Middleware]:
    """Check what the deployer chose, and return what stands before Streamlit; once a process.

    Where the choice is wrong, the process ends with one line and the exit code 2.
    """
    try:
        logs.set_up()
        _secrets_from_env()
        gate.rules()
        naming.allowed()
        monitoring.serve()
        room()
        total = (number("EMOREC_UPLOAD_MB", 100, 1_000_000) or _UPLOADS_MB) * _MB
        headers = security_headers(_streamlits_page(), _frame_ancestors())
    except EmorecError as error:
        sys.stderr.write(f"emorec: {error}\n")
        raise SystemExit(2) from None
    # Starlette would write what is over a megabyte to a temporary file: pictures stay in memory.
    MultiPartParser.spool_max_size = FILE_BYTES + _MB
    # The event loop wants Python's lock for every packet of every visitor. Where others compute, it
    # waits this long each time; by default ten times as long.
    sys.setswitchinterval(0.0005)
    _keep_pictures_apart()
    return [
        Middleware(SecurityHeaders, headers=headers),
        Middleware(OwnOrigin, hosts=_hosts()),
        Middleware(UploadRoom, kept=_kept, total=total),
    ]


def _keep_pictures_apart() -> None:
    """Have glibc ask the system for the memory of a picture, and give it back when it is freed.

    After the first large block was freed it would take the next ones from what it keeps for each
    thread, between small things that stay: a server with visitors grew by megabytes a minute.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Say where the app is, and show it to whoever started it at a desktop, as Streamlit does."""
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    url = f"{scheme}://localhost:{st.get_option('server.port')}"
    if path := str(st.get_option("server.baseUrlPath")).strip("/"):  # behind a proxy, say
        url = f"{url}/{path}"
    log.info("serving", extra={"url": url})
    if not st.get_option("server.headless"):
        webbrowser.open(url)
    yield


def _kept(session: str) -> tuple[int, int]:
    manager = Runtime.instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    sizes = {
        key: sum(len(file.data) for file in list(files.values()))
        for key, files in list(manager.file_storage.items())
    }
    return sizes.get(session, 0), sum(sizes.values())


def _secrets_from_env() -> None:
    """Take Streamlit's secrets from ``EMOREC_SECRETS`` too: a PaaS has variables, no files."""
    try:
        secrets = tomllib.loads(os.environ.get("EMOREC_SECRETS", ""))
    except tomllib.TOMLDecodeError:
        raise EmorecError("EMOREC_SECRETS: expected TOML, as secrets.toml holds it.") from None
    if secrets:
        st.secrets.merge_programmatic_secrets(secrets)


def _hosts() -> list[str]:
    origins = [st.get_option("browser.serverAddress"), *st.get_option("server.corsAllowedOrigins")]
    return [urlsplit(text if "//" in text else f"//{text}").hostname or "" for text in origins]


def _frame_ancestors() -> str:
    text = os.environ.get("EMOREC_FRAME_ANCESTORS", "").strip()
    if text and not re.fullmatch(r"(https?://[\w.*:-]+)( +https?://[\w.*:-]+)*", text):
        raise EmorecError(
            f"EMOREC_FRAME_ANCESTORS: expected sites like https://example.org. Received {text!r}."
        )
    return f"'self' {text}".strip()


def _streamlits_page() -> str:
    folder = Path(st.__file__).parent / "static"
    return (folder / "index.html").read_text(encoding="utf-8")
