"""The start of the web app: every setting is checked, then Streamlit is set up to serve it."""

from __future__ import annotations

import asyncio
import logging
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route
from streamlit import config

from emorec import monitoring
from emorec.deployment import Deployment
from emorec.errors import EmorecError
from emorec.jobs.quota import Quota
from emorec.live import ice
from emorec.media.memory import keep_pictures_apart
from emorec.pages import gate
from emorec.pages.parts import keeping
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.disk import disk
from emorec.pages.parts.engine import pace, room
from emorec.server import expiry, hosts, logs, patches, uploads, videos
from emorec.server.connections import Patience, TabRoom, raise_descriptors
from emorec.server.middleware import (
    OwnHost,
    OwnOrigin,
    SecurityHeaders,
    security_headers,
)

log = logging.getLogger(__name__)

_MB = 2**20


def prepare() -> list[Middleware]:
    """Check what the deployer chose, and return the middleware before Streamlit; once a process.

    Where a variable is wrong, or does not fit the others, the process ends with one line and the
    exit code 2.
    """
    try:
        chosen = deployment()
        ice.check(chosen)
        logs.set_up(chosen.log)
        if chosen.secrets:
            st.secrets.merge_programmatic_secrets(chosen.secrets)
        gate.rules(chosen)
        _check_key(chosen)
    except EmorecError as error:
        sys.stderr.write(f"emorec: {error}\n")
        raise SystemExit(2) from None
    raise_descriptors()
    monitoring.serve(chosen.metrics_port)
    room()  # its metrics are there from the start
    patches.apply()
    # The event loop needs Python's lock for every packet of every visitor. Where another thread
    # computes, the loop waits this long for it each time; by default ten times as long.
    sys.setswitchinterval(0.0005)
    keep_pictures_apart()
    frame_ancestors = f"'self' {chosen.frame_ancestors or ''}".strip()
    names = hosts.named(chosen.hosts)
    if names is None:
        log.warning(
            "EMOREC_HOSTS is not set, so the app answers to any host name: set it to the name that "
            "visitors open the app by"
        )
    in_memory = Quota(chosen.upload_mb * _MB, uploads.kept_in_memory)
    return [
        Middleware(
            SecurityHeaders,
            headers=security_headers(_streamlits_page(), frame_ancestors),
            https=chosen.https,
        ),
        Middleware(Patience),
        Middleware(OwnHost, names=names),
        Middleware(OwnOrigin, hosts=[*_further_sites(), *(names or ())]),
        Middleware(TabRoom),
        Middleware(uploads.UploadRoom, quota=in_memory),
    ]


def _check_key(chosen: Deployment) -> None:
    if chosen.people and chosen.key is None and (chosen.database_url or "").startswith("postgres"):
        raise EmorecError(
            "EMOREC_KEY: not set. With EMOREC_PEOPLE=1, a store on PostgreSQL needs it: 32 random "
            "bytes in base64, as `openssl rand -base64 32` prints."
        )


def routes() -> list[Route]:
    """Return the routes of uploaded videos; none where there is no Video page."""
    where = disk()
    return [] if where is None else videos.routes(where, deployment().base_url_path or "")


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Log the app's address and open it in a desktop's browser, as Streamlit does.

    Uploaded videos are deleted when their visitors have left, and all of them at the end; kept
    sessions when their days are over.
    """
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    url = f"{scheme}://localhost:{st.get_option('server.port')}"
    if path := str(st.get_option("server.baseUrlPath")).strip("/"):  # behind a proxy, say
        url = f"{url}/{path}"
    log.info("serving", extra={"url": url})
    if not st.get_option("server.headless"):
        webbrowser.open(url)
    where = disk()
    always = (uploads.sweep(), pace().watch(), expiry.let_go_of_closed_tabs())
    tasks = [asyncio.create_task(work) for work in always]
    if where is not None:
        tasks.append(asyncio.create_task(videos.sweep(where)))
    if keeping.offered():
        tasks.append(asyncio.create_task(expiry.sweep(deployment())))
    yield
    for task in tasks:
        task.cancel()
    if where is not None:
        where.clear()


def _further_sites() -> list[str]:
    origins = list(st.get_option("server.corsAllowedOrigins"))
    if config.is_manually_set("browser.serverAddress"):  # by default it is localhost, wherever
        origins.append(st.get_option("browser.serverAddress"))
    return [host for text in origins if (host := hosts.host_of(text))]


def _streamlits_page() -> str:
    folder = Path(st.__file__).parent / "static"
    return (folder / "index.html").read_text(encoding="utf-8")
