"""The live page behind a firewall that lets nothing through but a real TURN server."""

from __future__ import annotations

import re
import time

import pytest

from testkit import app

_REMEMBER_PEERS = """(() => {
  const Real = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); window.peers.push(this); }
  };
})()"""
_WAY = """async () => {
  const peer = window.peers.at(-1);
  if (!peer || peer.connectionState === "closed") return null;
  const stats = [...(await peer.getStats()).values()];
  const one = (id) => stats.find((stat) => stat.id === id);
  // The transport's own count, since what comes may take another pair than what goes.
  const transport = stats.find((stat) => stat.type === "transport");
  const way = one(transport?.selectedCandidatePairId);
  const video = stats.find((stat) => stat.type === "inbound-rtp" && stat.kind === "video");
  return way && video && {
    type: one(way.localCandidateId).candidateType,
    sent: transport.bytesSent,
    received: transport.bytesReceived,
    pictures: video.framesDecoded || 0,
  };
}"""
_ROW = re.compile(r"^([a-z_]+) ([A-Z][\w ]+): (.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def relay_app(turn_server, tmp_path_factory):
    """An app that lets browsers use the relay only: its address and its log."""
    log = tmp_path_factory.mktemp("relay") / "app.log"
    env = turn_server.env | {"EMOREC_ICE_POLICY": "relay"}
    with app.running_app(log, env=env) as (_, url):
        yield url, log


@pytest.fixture
def visit(launch):
    """Open an app's live page; gives the page and all that its WebSocket carried so far.

    The first message to the server that holds what ``losing`` does is lost; then the list is empty.
    """
    contexts = []

    def open_page(url: str, losing: list[bytes] | None = None):
        context = launch().new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        context.grant_permissions(["camera"], origin=url)
        context.add_init_script(_REMEMBER_PEERS)
        page, carried = context.new_page(), []

        def keep(data: bytes | str) -> None:
            carried.append(data if isinstance(data, bytes) else data.encode())

        def listen(socket) -> None:
            socket.on("framereceived", keep)
            socket.on("framesent", keep)

        def lose(socket) -> None:
            server = socket.connect_to_server()

            def pass_on(message: bytes) -> None:
                if losing and losing[0] in message:
                    losing.clear()
                else:
                    server.send(message)

            socket.on_message(pass_on)

        page.on("websocket", listen)
        if losing:
            page.route_web_socket("**/_stcore/stream", lose)
        page.set_default_timeout(120_000)
        page.goto(url)
        page.get_by_role("heading", name="Live").wait_for()
        return page, carried

    yield open_page
    for context in contexts:
        context.close()


def play(page) -> dict:
    """Press START until the camera's pictures, which dark ones are not, come back.

    A busy machine loses a connection now and then.
    """
    way, until = None, time.monotonic() + 150
    while time.monotonic() < until:
        frame = app.live_frame(page)
        start = frame.get_by_role("button", name="START")
        if start.is_visible():
            start.click()
        way = frame.evaluate(_WAY)
        enough = way and min(way["sent"], way["received"]) > 50_000
        if enough and way["pictures"] >= 20:
            return way
        page.wait_for_timeout(300)
    pytest.fail(f"no picture came back: {way}")


def check(page) -> dict[str, str]:
    """Press the connection check and return each row's text once none waits."""
    ask(page)
    return checked(page)


def ask(page) -> None:
    """Open the settings, where the connection check is, and press its button."""
    app.open_settings(page)
    page.get_by_role("button", name="Check the connection").click()


def checked(page) -> dict[str, str]:
    """Return each row's text once none waits."""
    box, until = page.get_by_test_id("stPopoverBody"), time.monotonic() + 90
    rows: list[tuple[str, str, str]] = []
    while time.monotonic() < until:
        says = "".join(box.all_inner_texts())
        rows = _ROW.findall(says)  # a row whose sign is still on its way is none yet
        if len(rows) == 6 and all(sign != "hourglass_top" for sign, _, _ in rows):
            return {title: says for _, title, says in rows}
        page.wait_for_timeout(300)
    pytest.fail(f"the check did not end: {rows}, on a page that says:\n{page.inner_text('body')}")


@pytest.mark.long
def test_the_live_page_plays_over_the_relay_and_the_secret_stays_on_the_server(
    relay_app, turn_server, visit
):
    url, log = relay_app
    page, carried = visit(url)
    way = play(page)
    assert way["type"] == "relay", way

    seen = b"".join(carried) + "".join(frame.content() for frame in page.frames).encode()
    assert b":emorec" in seen and turn_server.url.encode() in seen  # what the browser needs
    assert turn_server.secret.encode() not in seen
    logged = log.read_text()
    assert turn_server.secret not in logged and ":emorec" not in logged
    assert turn_server.url.split(":")[1] not in logged, "an address is in the log"


@pytest.mark.long
def test_the_check_finds_stun_and_turn_good(relay_app, visit):
    page, _ = visit(relay_app[0])
    rows = check(page)
    assert "may give this page the camera" in rows["Secure page"]
    assert "this page may use it" in rows["Camera"]
    assert "answered within" in rows["Signalling"]
    assert "seen from outside" in rows["STUN"]
    assert "a relay is ready" in rows["TURN"]
    assert "press START" in rows["Media"]


@pytest.mark.long
def test_the_check_goes_on_where_the_whole_page_is_drawn_with_its_answer(relay_app, visit):
    losing = [b'"answer"']
    page, _ = visit(relay_app[0], losing)
    ask(page)
    until = time.monotonic() + 120
    while losing:
        assert time.monotonic() < until, "the browser gave no answer"
        page.wait_for_timeout(100)
    page.get_by_text("Mirror", exact=True).click()  # what the page says next holds the answer too
    assert "answered within" in checked(page)["Signalling"]
    assert not page.get_by_test_id("stException").count()


@pytest.mark.long
def test_the_check_says_what_to_do_where_no_relay_answers(turn_server, visit, tmp_path):
    dead = f"turn:{turn_server.url.split(':')[1]}:{app.free_port()}"
    with app.running_app(tmp_path / "app.log", env=turn_server.env | {"TURN_URL": dead}) as (
        _,
        url,
    ):
        page, _ = visit(url)
        rows = check(page)
        assert "no relay answered" in rows["TURN"] and "emorec doctor" in rows["TURN"]
        page.get_by_text("Media:").scroll_into_view_if_needed()
