"""Who lends servers, against a local server that answers as each provider does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from emorec.deployment import Deployment, IceServer
from emorec.errors import EmorecError
from emorec.live.ice_providers import LIFETIME_S, cloudflare, hugging_face, own, twilio

LENT = {"urls": ["stun:a:3478", "turn:a:3478"], "username": "u", "credential": "c"}
SERVER = IceServer(("stun:a:3478", "turn:a:3478"), "u", "c")
CHOSEN = Deployment(
    twilio_account_sid="AC1",
    twilio_auth_token="hush",
    cloudflare_turn_key_id="key",
    cloudflare_turn_api_token="hush",
    hf_token="hush",
)
BASIC = base64.b64encode(b"AC1:hush").decode()
ASKED = {
    twilio: ("POST", "/2010-04-01/Accounts/AC1/Tokens.json", f"Basic {BASIC}", "Ttl=21600"),
    cloudflare: (
        "POST",
        "/v1/turn/keys/key/credentials/generate-ice-servers",
        "Bearer hush",
        '{"ttl": 21600}',
    ),
    hugging_face: ("GET", "/credentials?ttl=21600", "Bearer hush", ""),
}
# Twilio says "url" beside "urls", and how long; Cloudflare answers 201.
ANSWERS = {
    twilio: (201, {"ice_servers": [{"url": "stun:a", **LENT}], "ttl": "21600", "password": "c"}),
    cloudflare: (201, {"iceServers": [LENT]}),
    hugging_face: (200, {"iceServers": LENT}),
}


@pytest.fixture
def provider():
    """A provider's host: what it was asked, and what it is to answer."""

    class Host(ThreadingHTTPServer):
        asked: list[tuple[str, str, str, str]]
        status, body, headers = 200, b"{}", {}

        @property
        def url(self) -> str:
            return f"http://127.0.0.1:{self.server_port}"

    class Handler(BaseHTTPRequestHandler):
        server: Host

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            login = self.headers.get("Authorization", "")
            self.server.asked.append((self.command, self.path, login, body))
            self.send_response(self.server.status)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(self.server.body)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_args: object) -> None:
            pass

    with Host(("127.0.0.1", 0), Handler) as host:
        host.asked = []
        thread = Thread(target=host.serve_forever, args=(0.05,))
        thread.start()
        yield host
        host.shutdown()
        thread.join()


@pytest.mark.parametrize("ask", ASKED)
def test_a_provider_is_asked_as_it_wants_to_be(ask, provider):
    provider.status, answer = ANSWERS[ask]
    provider.body = json.dumps(answer).encode()
    assert ask(CHOSEN, provider.url) == ((SERVER,), LIFETIME_S)
    assert provider.asked == [ASKED[ask]]


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, b"{}", "refuses the key (HTTP 401)"),
        (429, b"{}", "gives no TURN server (HTTP 429)"),
        (200, b"<html>", "not readable"),
        (200, b"{}", "expected a list"),
        (200, b"[]", "expected a list"),
        (200, b'{"iceServers": [{"urls": "turn:a"}], "ice_servers": [{"urls": "turn:a"}]}', "user"),
        (200, b'{"iceServers": [{"urls": "http:"}], "ice_servers": [{"urls": 3}]}', "addresses"),
    ],
)
def test_what_a_provider_answers_wrongly_is_one_line_without_secret(
    ask, status, body, why, provider
):
    provider.status, provider.body = status, body
    with pytest.raises(EmorecError) as caught:
        ask(CHOSEN, provider.url)
    line = str(caught.value)
    assert why in line and "\n" not in line and "hush" not in line


def test_a_key_is_not_carried_to_another_host(provider):
    provider.status, provider.headers = 302, {"Location": "/elsewhere"}
    with pytest.raises(EmorecError, match="HTTP 302"):
        hugging_face(CHOSEN, provider.url)
    assert len(provider.asked) == 1


def test_nobody_there_and_a_key_that_no_header_carries_are_one_line(provider):
    with pytest.raises(EmorecError, match="did not answer"):
        twilio(CHOSEN, "http://127.0.0.1:9")
    with pytest.raises(EmorecError, match="not readable") as caught:
        hugging_face(Deployment(hf_token="hush\nhush"), provider.url)
    assert "hush" not in str(caught.value)


def test_a_secret_gives_a_name_that_expires_and_its_signature():
    env = {"TURN_URL": "turn:a:1, turns:a:2,turn:a:3?transport=tcp", "TURN_SECRET": "s"}
    stun, turn = own(Deployment.from_env(env)).servers
    assert stun == IceServer(("stun:a:1",))
    assert turn.urls == ("turn:a:1", "turns:a:2", "turn:a:3?transport=tcp")
    expiry, name = turn.username.split(":")
    assert name == "emorec" and 0 <= time.time() + LIFETIME_S - int(expiry) < 60
    signature = hmac.new(b"s", turn.username.encode(), hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(signature).decode()
