from __future__ import annotations

import asyncio
import re

import pytest

from emorec.server.hosts import LOCAL
from emorec.server.middleware import (
    Message,
    OwnHost,
    OwnOrigin,
    SecurityHeaders,
    security_headers,
)


async def answers(scope: Message, receive: object, send) -> None:
    headers = [(b"x-frame", b"theirs")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"fine"})


def asked(app, path: str = "/", method: str = "GET", kind="http"):
    """Return the status and the headers of what the app answers."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    scope = {"type": kind, "method": method, "path": path, "headers": []}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"])


def test_every_response_gets_the_headers_it_lacks() -> None:
    app = SecurityHeaders(answers, {"X-Frame": "ours", "Referrer-Policy": "no-referrer"})
    assert asked(app)[1] == {b"x-frame": b"theirs", b"referrer-policy": b"no-referrer"}
    assert asked(app, kind="websocket")[1] == {b"x-frame": b"theirs"}


async def sets_cookies(scope: Message, receive: object, send) -> None:
    headers = [
        (b"set-cookie", b"_streamlit_xsrf=1; Path=/"),
        (b"set-cookie", b"other=2; Secure; Path=/"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


@pytest.mark.parametrize(
    ("https", "scheme", "secure"),
    [(False, "http", False), (False, "https", True), (True, "http", True)],
)
def test_cookies_are_for_https_alone_where_the_app_is(
    https: bool, scheme: str, secure: bool
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": []}
    asyncio.run(SecurityHeaders(sets_cookies, {}, https)(scope, send, send))
    cookies = [value.lower() for name, value in sent[0]["headers"] if name == b"set-cookie"]
    assert [b"secure" in cookie for cookie in cookies] == [secure, True]
    assert max(cookie.count(b"secure") for cookie in cookies) == 1
    names = [name for name, _ in sent[0]["headers"]]
    assert (b"strict-transport-security" in names) is https


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/faces/emorec/_stcore/metrics"])
def test_streamlits_metrics_are_closed(path: str) -> None:
    assert asked(SecurityHeaders(answers, {}), path)[0] == 404


def test_scripts_in_the_page_are_allowed_by_their_hashes_alone() -> None:
    page = "<script>a = 1</script><script src='b.js'></script>"
    policy = security_headers(page)["Content-Security-Policy"]
    assert len(re.findall(r"'sha256-[\w+/]{43}='", policy)) == 1
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in script
    assert "sha256" not in security_headers("")["Content-Security-Policy"]


def test_only_the_app_itself_uses_the_camera_and_frames_it() -> None:
    headers = security_headers("", "'self' https://example.org")
    assert headers["Permissions-Policy"].startswith("camera=(self), microphone=()")
    policy = headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://example.org")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("origin", "host", "through"),
    [
        (None, "app.example", True),
        ("https://app.example", "app.example", True),
        ("http://app.example:8501", "app.example:8501", True),
        ("http://localhost:3000", "app.example", False),
        ("http://app.example@evil.example", "app.example", False),
        ("https://other.example", "app.example", True),
        ("https://evil.example", "app.example", False),
        ("https://app.example.evil.example", "app.example", False),
        ("http://app.example:1", "app.example:8501", False),
        ("null", "app.example", False),
        ("", "app.example", False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_another_sites_page_does_not_reach_streamlit(
    origin: str | None, host: str, through: bool, kind: str
) -> None:
    seen, sent = [], []

    async def behind(scope: Message, receive: object, send: object) -> None:
        seen.append(dict(scope["headers"]))

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())]
    headers += [] if origin is None else [(b"origin", origin.encode())]
    app = OwnOrigin(behind, ["other.example"])
    asyncio.run(app({"type": kind, "headers": headers}, receive, send))
    if through:
        assert seen == [dict(headers)] and not sent
    elif kind == "http":
        assert seen == [{b"host": host.encode()}]
    else:
        assert not seen
        assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("host", "names", "through"),
    [
        (b"evil.example", None, True),
        (b"localhost:8501", LOCAL, True),
        (b"LocalHost", LOCAL, True),
        (b"127.0.0.1:8501", LOCAL, True),
        (b"[::1]:8501", LOCAL, True),
        (b"evil.example:8501", LOCAL, False),
        (b"localhost.evil.example", LOCAL, False),
        (b"evil.example@localhost", LOCAL, False),
        (b"localhost:evil", LOCAL, False),
        (b"", LOCAL, False),
        (b"app.example", ["app.example"], True),
        (b"app.example.:443", ["app.example"], True),
        (b"localhost", ["app.example"], False),
        (b"a.b.example", ["*.example"], True),
        (b"example", ["*.example"], False),
        (b"evilexample", ["*.example"], False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_only_the_apps_own_names_reach_it(host, names, through, kind) -> None:
    seen, sent = [], []

    async def behind(scope: Message, receive: object, send: object) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "http.request" if kind == "http" else "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    def ask(path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": kind, "path": path, "headers": headers}
        asyncio.run(OwnHost(behind, names)(scope, receive, send))

    ask("/", [(b"host", host)])
    assert bool(seen) is through
    if not through:
        assert sent[0] in (
            {"type": "websocket.close", "code": 1008},
            {**sent[0], "type": "http.response.start", "status": 421},
        )
    ask("/faces/_stcore/health", [(b"host", host)])
    assert len(seen) == through + (through or kind == "http")
    if names is not None:
        before = len(seen)
        ask("/", [])
        ask("/", [(b"host", b"localhost"), (b"host", b"app.example")])
        assert len(seen) == before
