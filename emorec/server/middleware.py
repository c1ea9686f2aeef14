"""What the web server does before Streamlit sees a request: headers, hosts, origins, tabs."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from emorec.server.hosts import host_of, is_named

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


_HEALTH, _METRICS = "/_stcore/health", "/_stcore/metrics"
_A_YEAR_S = 31_536_000
_OTHERS_OFF = ("microphone", "geolocation", "display-capture", "usb", "serial", "payment", "midi")


def security_headers(page: str, frame_ancestors: str = "'self'") -> dict[str, str]:
    """Return the headers of every response.

    Args:
        page: the HTML that Streamlit serves; its inline scripts are allowed by their hashes.
        frame_ancestors: the sites that may show the app in a frame, as CSP writes them.

    Source: Content Security Policy Level 3 and Permissions Policy, both of the W3C.
    """
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    ]
    policy = {
        "default-src": "'self'",
        # Streamlit hands a component its script as a blob.
        "script-src": " ".join(["'self'", "blob:", *hashes]),
        "style-src": "'self' 'unsafe-inline'",  # it writes its styles while it runs
        "connect-src": "'self' data: blob:",  # a camera's shot is fetched as data
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": frame_ancestors,
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": ", ".join(
            ["camera=(self)", *(f"{feature}=()" for feature in _OTHERS_OFF)]
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


class SecurityHeaders:
    """Adds headers to every response that has none of their name, and closes Streamlit's metrics.

    Args:
        app: the application behind.
        headers: as of `security_headers`.
        https: whether visitors open the app by HTTPS alone: browsers are told so, for a year, and
            every cookie is for HTTPS alone. Without it, a cookie is so where its request came so.
    """

    def __init__(self, app: Application, headers: dict[str, str], https: bool = False) -> None:
        self.app = app
        self.https = https
        if https:
            headers = headers | {"Strict-Transport-Security": f"max-age={_A_YEAR_S}"}
        self.headers = [(k.lower().encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass everything through; ASGI 3."""

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                own = [header for header in self.headers if header[0] not in given]
                kept = message["headers"]
                if self.https or scope.get("scheme") == "https":
                    kept = [_secure(header) for header in kept]
                message = {**message, "headers": [*kept, *own]}
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].endswith(_METRICS):
            # How many visitors there are, and what they cost: `EMOREC_METRICS_PORT` is for that.
            await answer(receive, send_with, 404, b"Not found.")
        else:
            await self.app(scope, receive, send_with)


def _secure(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header; one that sets a cookie sets it for HTTPS alone."""
    name, value = header
    parts = [part.strip().lower() for part in value.split(b";")]
    if name.lower() != b"set-cookie" or b"secure" in parts:
        return header
    return name, value + b"; Secure"


class OwnHost:
    """Refuses requests for a host name that is none of the app's (DNS rebinding).

    Streamlit's `server.allowedHosts` does so for WebSockets alone; here it holds for every request,
    save for the health check, which a probe asks for by an address.

    Args:
        app: the application behind.
        names: as of `emorec.server.hosts.is_named`; None: any.
    """

    def __init__(self, app: Application, names: Collection[str] | None) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer 421 to such a request; pass everything else through."""
        if (
            self.names is None
            or scope["type"] not in ("http", "websocket")
            or (scope["type"] == "http" and scope["path"].endswith(_HEALTH))
            or is_named(host_of(header(scope, b"host")), self.names)
        ):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await close(receive, send)
        else:
            await answer(receive, send, 421, b"The app does not go by this host name.")


class OwnOrigin:
    """Keeps what a page of another site sends away from Streamlit.

    Streamlit refuses such a WebSocket itself, but asks a site outside for its own address first,
    and stands still meanwhile, for every visitor. It also takes every page of localhost for its
    own, which is another site where the app is served elsewhere.

    Args:
        app: the application behind.
        hosts: names of further sites that may connect, as of `emorec.server.hosts.is_named`;
            Streamlit has the last word on them.
    """

    def __init__(self, app: Application, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Close a WebSocket of another site, and hide from an HTTP request that it is of one."""
        headers = dict(scope.get("headers", ()))
        origin = headers.get(b"origin", b"").decode("latin-1")
        own = header(scope, b"host")
        if (
            b"origin" not in headers
            or origin.partition("//")[2] == own
            or is_named(host_of(origin), self.hosts)
        ):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await close(receive, send)
        else:
            kept = [header for header in scope["headers"] if header[0] != b"origin"]
            await self.app({**scope, "headers": kept}, receive, send)


async def answer(receive: Receive, send: Send, status: int, body: bytes) -> None:
    """Answer a request with one line, once all of it has come."""
    # A browser reads the answer only once it has sent all; nothing of it is kept.
    while (await receive()).get("more_body"):
        pass
    await respond(send, status, body)


async def respond(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer of plain text."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def close(receive: Receive, send: Send, code: int = 1008) -> None:
    """Refuse a WebSocket."""
    await receive()
    await send({"type": "websocket.close", "code": code})


def header(scope: Message, name: bytes) -> str:
    """Return a header that may be there once; empty where it is not, or more than once."""
    values = [value for key, value in scope.get("headers", ()) if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else ""
