"""The app as a process, asked by strangers: over HTTP, over its WebSocket, with a full disk."""

from __future__ import annotations

import ctypes
import io
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import skimage.data
import streamlit as st
from PIL import Image
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from emorec.deployment import VARIABLES
from emorec.pages.parts.deployment import deployment
from emorec.server.hosts import LOCAL
from emorec.server.logs import without_addresses
from emorec.server.middleware import OwnHost, OwnOrigin
from emorec.server.start import prepare
from testkit import app
from testkit.variables import WRONG

MB = 2**20
WAIT_S = 120
TELLING = "mary-smith-at-the-doctor.jpg"
FULL_BYTES = 256 * 1024
# No file of the process, its log and temporary ones, may grow beyond that: a disk that is full.
FULL_DISK = (
    "import resource, runpy; "
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_BYTES}, {FULL_BYTES})); "
    "runpy.run_module('streamlit', run_name='__main__')"
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server") / "app.log"


@pytest.fixture(scope="module")
def url(log: Path) -> Iterator[str]:
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    with app.running_app(log, program=("-c", FULL_DISK)) as (process, url):
        yield url
        assert process.poll() is None


def visitor(url: str, origin: str | None = None, token: str = "") -> ClientConnection:
    """Open the WebSocket as Streamlit's page does, or as another site's page would."""
    return connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        origin=origin or url,
        subprotocols=["streamlit", token or "none"],
        open_timeout=WAIT_S,
        max_size=None,
    )


def run_page(
    socket: ClientConnection, page: str, message: BackMsg | None = None
) -> tuple[str, list[Element]]:
    """Run a page to its end; return the id of the session, and what the page shows."""
    message = message or BackMsg()
    message.rerun_script.page_name = page
    socket.send(message.SerializeToString())
    session, shown = "", []
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(socket.recv(timeout=WAIT_S))
        kind = answer.WhichOneof("type")
        if kind == "new_session":
            session = answer.new_session.initialize.session_id
        elif kind == "delta":
            shown.append(answer.delta.new_element)
        elif kind == "script_finished":
            return session, shown


def ask(url: str, method: str = "GET", data: bytes | None = None, **headers: str):
    """Return the status and the headers of an answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=WAIT_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        # A server that refuses an upload need not wait for its end.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, parts.path or "/", data, named)
        answer = connection.getresponse()
        return answer.status, answer.headers
    finally:
        connection.close()


def token_of(url: str) -> str:
    cookies = ask(f"{url}/_stcore/health")[1]["Set-Cookie"]
    found = re.search(r"_streamlit_xsrf=([^;]+)", cookies)
    assert found
    return found[1]


def put(url: str, session: str, data: bytes, name: str = TELLING, **headers: str):
    """Upload a file as the page does; return its id and the answer's status."""
    file = str(uuid.uuid4())
    disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
    body = f"--edge\r\n{disposition}\r\nContent-Type: image/png\r\n\r\n".encode()
    status, _ = ask(
        f"{url}/_stcore/upload_file/{session}/{file}",
        "PUT",
        body + data + b"\r\n--edge--\r\n",
        Content_Type="multipart/form-data; boundary=edge",
        **headers,
    )
    return file, status


def allowed(url: str) -> dict[str, str]:
    token = token_of(url)
    return {"Cookie": f"_streamlit_xsrf={token}", "X_Xsrftoken": token, "Origin": url}


def test_every_answer_has_the_security_headers(url: str) -> None:
    for path in ("/", "/photo", "/_stcore/health", "/_stcore/host-config", "/nowhere/at/all"):
        _, headers = ask(url + path)
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"], path
        assert headers["Permissions-Policy"].startswith("camera=(self)"), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path


def test_another_site_can_neither_upload_nor_listen(url: str) -> None:
    with visitor(url) as socket:
        session, _ = run_page(socket, "photo")
        theirs = {"Origin": "https://evil.example"}
        assert put(url, session, b"x", **theirs)[1] == 403
        cookie = {"Cookie": f"_streamlit_xsrf={token_of(url)}"}
        assert put(url, session, b"x", **theirs, **cookie)[1] == 403  # which a browser would send
        assert put(url, session, b"x", **allowed(url))[1] == 204
    _, headers = ask(f"{url}/_stcore/upload_file/a/b", "OPTIONS", Origin="https://evil.example")
    assert headers["Access-Control-Allow-Origin"] not in ("*", "https://evil.example")
    with pytest.raises(InvalidStatus) as refused, visitor(url, "https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_uploads_are_bounded_before_they_are_kept(url: str) -> None:
    with visitor(url) as socket:
        session, _ = run_page(socket, "photo")
        tokens = allowed(url)
        assert put(url, session, bytes(51 * MB), **tokens)[1] == 413
        statuses = [put(url, session, bytes(30 * MB), **tokens)[1] for _ in range(4)]
        assert statuses == [204, 204, 204, 413]  # half of 200 MB for one session
        with visitor(url) as other:
            assert put(url, run_page(other, "photo")[0], bytes(MB), **tokens)[1] == 204


def test_with_a_full_disk_a_picture_is_read_all_the_same(url: str) -> None:
    portrait = Image.fromarray(skimage.data.astronaut()).resize((1024, 1024))
    stream = io.BytesIO()
    portrait.save(stream, "PNG")
    assert len(stream.getvalue()) > MB  # over what the web server would keep in memory by itself
    with visitor(url) as socket:
        session, shown = run_page(socket, "photo")
        (widget,) = [e.file_uploader.id for e in shown if e.WhichOneof("type") == "file_uploader"]
        file, status = put(url, session, stream.getvalue(), **allowed(url))
        assert status == 204
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add(id=widget)
        message.rerun_script.page_script_hash = ""
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=file, name=TELLING, size=len(stream.getvalue())
        )
        _, shown = run_page(socket, "photo", message)
        told = [e.bidi_component.json for e in shown if e.WhichOneof("type") == "bidi_component"]
        (faces,) = [data["faces"] for data in map(json.loads, told) if "faces" in data]
        assert len(faces) == 1


def garbage(random: Random) -> bytes:
    """Return what a stranger may send: any bytes, or a message with any content."""
    if random.random() < 0.3:
        return random.randbytes(random.randint(0, 200))
    message = BackMsg()
    text = random.choice(["", "\0", "../../etc/passwd", "é" * 50, "x" * 5000])
    match random.randrange(5):
        case 0:
            message.rerun_script.page_script_hash = text
        case 1:
            message.rerun_script.query_string = text
            message.rerun_script.widget_states.widgets.add(id=text, string_value=text)
        case 2:
            message.file_urls_request.file_names.append(text)
            message.file_urls_request.session_id = text
        case 3:
            message.rerun_script.widget_states.widgets.add(id="$$ID-0-x", int_value=-(2**60))
        case 4:
            message.stop_script = True
    return message.SerializeToString()


def test_garbage_on_the_websocket_ends_its_own_session_alone(url: str, log: Path) -> None:
    random = Random(1)
    with visitor(url) as bystander:
        session, _ = run_page(bystander, "about")
        for _ in range(12):
            with visitor(url) as stranger:
                try:
                    for _ in range(5):
                        stranger.send(garbage(random))
                except ConnectionClosed:
                    continue
        with visitor(url) as stranger:
            stranger.send("text, which is no message")
            with pytest.raises(ConnectionClosed):
                run_page(stranger, "about")
        again, shown = run_page(bystander, "about")
        assert again == session
        assert any("prohibited" in e.markdown.body for e in shown)
    assert log.stat().st_size < FULL_BYTES / 2


def test_a_log_line_is_an_object_and_names_nobody(url: str, log: Path) -> None:
    with visitor(url) as socket:
        session, _ = run_page(socket, "photo")
        put(url, session, b"no picture", **allowed(url))
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["event"] == "serving"
    for line in lines:
        assert {"time", "level", "logger", "event"} <= line.keys()
    assert not [line for line in lines if line["logger"] == "streamlit.net_util"]  # asks outside
    assert TELLING not in text
    assert without_addresses(text.replace('"time"', "")) == text.replace('"time"', "")


@pytest.mark.long
def test_the_address_that_is_logged_has_the_path_of_a_proxy(tmp_path: Path) -> None:
    # And what stands before Streamlit works under it too.
    log = tmp_path / "app.log"
    env = {"STREAMLIT_SERVER_BASE_URL_PATH": "/faces/emorec/", "EMOREC_LOG": "json"}
    with app.running_app(log, env=env, path="/faces/emorec") as (_, url):
        serving = next(line for line in map(json.loads, log.read_text().splitlines()))
        assert serving["event"] == "serving" and serving["url"] == url
        assert url.endswith("/faces/emorec")
        _, headers = ask(f"{url}/")
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        with pytest.raises(HTTPError, match="404"):  # Streamlit would answer with its page
            urlopen(f"{url}/videos/none/zip", timeout=60)
        with visitor(url) as socket:
            session, _ = run_page(socket, "photo")
            tokens = allowed(url)
            statuses = [put(url, session, bytes(30 * MB), **tokens)[1] for _ in range(4)]
        assert statuses == [204, 204, 204, 413]


def test_a_wrong_choice_ends_the_process_with_one_line() -> None:
    code = "from emorec.server.start import prepare; prepare()"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=app.ROOT,
        env={**os.environ, "EMOREC_SECRETS": "[auth]\nclient_secret='hidden'"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    said = [words for words in run.stderr.splitlines() if words.startswith("emorec: ")]
    assert len(said) == 1 and said[0].startswith("emorec: secrets.toml: [auth] lacks")
    assert "Traceback" not in run.stderr
    assert "hidden" not in run.stderr


@pytest.mark.parametrize(
    "env",
    [
        *({name: text} for name, text in WRONG),
        {"EMOREC_REQUIRE_LOGIN": "1"},
        {"EMOREC_ICE_POLICY": "relay"},
        {"EMOREC_ICE_POLICY": "relay", "EMOREC_ICE_SERVERS": "[]"},
        {"TURN_URL": "turn:a"},
        {"CLOUDFLARE_TURN_API_TOKEN": "hidden"},
        {"EMOREC_KEY": " ", "EMOREC_PEOPLE": "1", "DATABASE_URL": "postgresql://a:hidden@b/c"},
    ],
    ids=lambda env: "+".join(env),
)
def test_every_wrong_variable_ends_the_start_with_one_line(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable.name, raising=False)
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    deployment.cache_clear()
    with pytest.raises(SystemExit) as ended:
        prepare()
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert line.startswith("emorec: ") and next(iter(env)) in line and "hidden" not in line


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="another C library than glibc",
)
def test_a_pictures_memory_goes_back_to_the_system() -> None:
    code = """
import ctypes, numpy as np
from emorec.server import start
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def of_the_system():  # bytes in blocks that malloc has of the system, each for itself
    return libc.mallinfo2().e
start.prepare()
before = of_the_system()
big = np.zeros((4, 1080, 1920, 3), np.uint8)
del big  # now glibc would keep what is smaller
picture = np.zeros((720, 640), np.uint8)
assert of_the_system() - before >= picture.nbytes
del picture
assert of_the_system() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=app.ROOT)


@pytest.mark.parametrize(
    ("address", "hosts", "names"),
    [
        ("localhost", "", LOCAL),
        ("127.0.0.1", "", LOCAL),
        ("::1", "", LOCAL),
        ("0.0.0.0", "", None),
        (None, "", None),
        ("0.0.0.0", "app.example", ("app.example",)),
        ("localhost", "app.example", ("app.example",)),
    ],
)
def test_a_deployment_without_names_goes_on_with_one_warning(
    address: str | None,
    hosts: str,
    names: tuple[str, ...] | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    option = config.get_option
    monkeypatch.setattr(
        st, "get_option", lambda key: address if key == "server.address" else option(key)
    )
    monkeypatch.setenv("EMOREC_HOSTS", hosts)
    monkeypatch.setattr("emorec.server.logs.set_up", lambda form: None)  # it would detach caplog
    deployment.cache_clear()
    with caplog.at_level("WARNING", "emorec"):
        own = {each.cls: each.kwargs for each in prepare()}
    deployment.cache_clear()
    assert own[OwnHost] == {"names": names}
    # A page of localhost is another site where the app is served elsewhere.
    assert ("localhost" in own[OwnOrigin]["hosts"]) is (names == LOCAL)
    warned = [record.message for record in caplog.records if "EMOREC_HOSTS" in record.message]
    assert len(warned) == (names is None)
