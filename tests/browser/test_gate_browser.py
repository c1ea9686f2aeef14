"""A login at an OpenID provider, then consent, then the pages: in a real browser."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import cv2
import numpy as np
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from emorec.server.logs import without_addresses
from testkit import app
from testkit.app import webcam_frame
from testkit.rigged import Rig

GONE_S = 45  # the peer notices within 30 s that a browser is gone; the rest is for a busy machine
A_SESSIONS = {"emorec-read", "emorec-draw", "video-decoder", "ShutdownPolling"}
NAME, EMAIL = "Mary Smith", "mary.smith@doctor.example"


class Provider(BaseHTTPRequestHandler):
    """The least of an OpenID provider: whoever asks is Mary."""

    key = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
    nonces: dict[str, str] = {}  # noqa: RUF012 (a code's nonce; one server for all requests)

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.server.server_address[1]}"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        if asked.path == "/.well-known/openid-configuration":
            self.say(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )
        elif asked.path == "/keys":
            self.say({"keys": [self.key.as_dict(private=False)]})
        elif asked.path == "/authorize":
            code = hashlib.sha256(self.path.encode()).hexdigest()
            self.nonces[code] = query["nonce"]
            back = urlencode({"code": code, "state": query["state"]})
            self.send_response(302)
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        basic = base64.b64encode(b"emorec:of the client").decode()
        if self.headers["Authorization"] != f"Basic {basic}":
            self.send_error(401)
            return
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "emorec", "sub": "1", "iat": now, "exp": now + 600}
        claims |= {"nonce": self.nonces.pop(body["code"][0]), "name": NAME, "email": EMAIL}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)
        self.say({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def say(self, content: dict) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is its own."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with ThreadingHTTPServer(("localhost", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate") / "app.log"


@pytest.fixture(scope="module")
def rig(log: Path) -> Rig:
    return Rig(log.parent)


@pytest.fixture(scope="module")
def guarded_url(provider: str, log: Path, rig: Rig) -> Iterator[str]:
    secrets = f"""
        [auth]
        redirect_uri = "http://localhost:{{port}}/oauth2callback"
        cookie_secret = "{"of cookies, long enough to sign with" * 2}"
        client_id = "emorec"
        client_secret = "of the client"
        server_metadata_url = "{provider}/.well-known/openid-configuration"
    """
    env = {"EMOREC_REQUIRE_LOGIN": "1", "EMOREC_CONSENT": "required", "EMOREC_SECRETS": secrets}
    with app.running_app(log, env=env, program=rig.program) as (_, url):
        yield url


def agree(page: Any) -> None:
    page.get_by_role("heading", name="Before you start").wait_for()
    page.get_by_role("combobox", name="Purpose").click()
    page.get_by_role("option", name="Trying it out").click()
    for box in page.get_by_test_id("stCheckbox").all():
        box.locator("label").click(position={"x": 8, "y": 8})
    page.get_by_role("button", name="Continue").click()


def jpeg(image_bgr: np.ndarray) -> bytes:
    encoded, data = cv2.imencode(".jpg", image_bgr)
    assert encoded
    return data.tobytes()


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


@pytest.mark.long
def test_pages_are_shown_after_login_and_consent_alone(
    launch, guarded_url: str, rig: Rig, provider: str, log: Path
) -> None:
    context = launch().new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    frames: list[bytes] = []
    received = lambda data: frames.append(data) if isinstance(data, bytes) else None  # noqa: E731
    page.on("websocket", lambda socket: socket.on("framereceived", received))

    page.goto(f"{guarded_url}/photo")
    page.get_by_role("button", name="Log in").wait_for()
    for outside in ("Pictures of faces", "file_uploader", "webrtc", "Model", "prohibited"):
        assert not [frame for frame in frames if outside.encode() in frame], outside

    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Before you start").wait_for()
    assert any(url.startswith(f"{provider}/authorize") for url in asked)
    for outside in ("Pictures of faces", "webrtc"):
        assert not [frame for frame in frames if outside.encode() in frame], outside

    agree(page)
    page.get_by_role("heading", name="Live").wait_for()

    page.get_by_role("link", name="Photo").click()
    page.get_by_role("heading", name="Photo").wait_for()
    portrait = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg(webcam_frame(0))}
    page.locator('input[type="file"]').set_input_files(portrait)
    page.get_by_text("Face 1").first.wait_for()
    page.get_by_text("me.jpg").first.wait_for()
    wait_for(lambda: rig.uploaded_bytes() == len(portrait["buffer"]))
    page.get_by_role("button", name="Withdraw consent").click()
    page.get_by_role("heading", name="Before you start").wait_for()
    wait_for(lambda: rig.uploaded_bytes() == 0)
    agree(page)
    page.get_by_role("heading", name="Photo").wait_for()
    page.get_by_role("button", name="Withdraw consent").wait_for()  # the page is whole
    for left in ("Face 1", "me.jpg"):
        assert page.get_by_text(left).count() == 0

    page.get_by_role("link", name="Live").click()
    page.get_by_role("heading", name="Live").wait_for()

    app.live_frame(page).get_by_role("button", name="START").click()
    app.live_frame(page).get_by_role("button", name="STOP").wait_for()
    page.get_by_role("button", name="Withdraw consent").click()
    page.get_by_role("heading", name="Before you start").wait_for()
    page.locator("iframe").wait_for(state="detached")
    wait_for(lambda: not A_SESSIONS & rig.threads().keys())
    page.reload()  # the login is a cookie, the consent the session's
    page.get_by_role("heading", name="Before you start").wait_for()

    for url in asked:
        assert url.startswith((guarded_url, provider, "data:", "blob:")), url
    context.close()
    text = log.read_text()
    for telling in (NAME, EMAIL, "of cookies", "of the client", "candidate:", "a=fingerprint"):
        assert telling not in text
    events = "".join(json.loads(line)["event"] for line in text.splitlines())
    assert without_addresses(events) == events
