"""The app as a process, attacked by clients of our own: each attack costs its own session alone."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import skimage.data
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from emorec.server import connections
from testkit.app import answers, running_app
from testkit.hostile import (
    HugePictures,
    ManyPictures,
    Rewritten,
    Stubborn,
    many_scans,
    vp8_frames,
)
from testkit.page import Page, PageError
from testkit.visitor import Visitor

MB = 2**20
WAIT_S = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, str]]:
    """Yield the app's process and its address; it has one place for live pictures."""
    log = tmp_path_factory.mktemp("server") / "app.log"
    with running_app(log, env={"EMOREC_MAX_LIVE": "1"}) as (process, url):
        yield psutil.Process(process.pid), url
        assert process.poll() is None
        assert "Traceback" not in log.read_text()


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what}: not within {WAIT_S} s") from None


def attacked(visitor: Visitor, attack: Callable[[], Awaitable[None]]) -> None:
    """Open the visitor's page, attack, and close both ends."""

    async def run() -> None:
        try:
            await visitor.open()
            await attack()
        finally:
            await visitor.close()

    asyncio.run(run())


def place_is_free(url: str, film: Path) -> None:
    """Check that an honest visitor gets the only place, and a picture."""
    honest = Visitor(url, film)

    async def start_and_stop() -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    await honest.start()
                    break
                except PageError as error:  # the place becomes free a moment after its session
                    if "room is full" not in str(error):
                        raise
                    await asyncio.sleep(1)
        assert (await honest.count(1))["playing"]
        await honest.stop()

    attacked(honest, start_and_stop)


@pytest.mark.long
def test_huge_pictures_end_their_session_undecoded(
    served: tuple[psutil.Process, str], film: Path
) -> None:
    process, url = served
    side = 4096
    visitor = HugePictures(url, film, 1, vp8_frames((side, side), 3))
    most = 0

    async def attack() -> None:
        nonlocal most
        await visitor.start()
        before = process.memory_info().rss

        def told() -> bool:
            nonlocal most
            most = max(most, process.memory_info().rss - before)
            return any(f"{side} × {side}" in line for line in visitor.said())

        await until(told, "a line that says why")

    attacked(visitor, attack)
    # Decoded, three of them take 75 MB, and what is made of each 200 MB.
    assert most < 150 * MB
    place_is_free(url, film)


@pytest.mark.long
def test_an_offer_of_many_pictures_is_refused(
    served: tuple[psutil.Process, str], film: Path
) -> None:
    process, url = served
    visitor = ManyPictures(url, film, 8)

    async def attack() -> None:
        threads = process.num_threads()
        with pytest.raises(PageError, match="something else than one picture"):
            await visitor.start()
        assert process.num_threads() < threads + 6  # each picture would have one that decodes it

    attacked(visitor, attack)
    place_is_free(url, film)


@pytest.mark.long
def test_a_browser_without_vp8_is_told(served: tuple[psutil.Process, str], film: Path) -> None:
    visitor = Rewritten(served[1], film, lambda sdp: sdp.replace("VP8/", "VP9/"))

    async def attack() -> None:
        with pytest.raises(PageError, match="no form of picture in common"):
            await visitor.start()

    attacked(visitor, attack)


@pytest.mark.long
@pytest.mark.parametrize("how", ["leave_tab", "send_nothing"])
def test_the_server_ends_the_connection_of_a_session_that_is_over(
    served: tuple[psutil.Process, str], film: Path, how: str
) -> None:
    visitor = Stubborn(served[1], film)

    async def attack() -> None:
        await visitor.start()
        assert visitor.connected
        await getattr(visitor, how)()
        await until(lambda: not visitor.connected, "an end of the connection")

    attacked(visitor, attack)
    place_is_free(served[1], film)


def test_few_of_the_addresses_in_an_offer_are_tried(
    served: tuple[psutil.Process, str], film: Path
) -> None:
    own = next(
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not address.address.startswith("127.")
    )
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(60)
        ]
        for bound in sockets:
            bound.bind((own, 0))
            bound.setblocking(False)

        def name_them(sdp: str) -> str:
            named = [
                f"a=candidate:{n} 1 udp 2130706431 {own} {bound.getsockname()[1]} typ host\r\n"
                for n, bound in enumerate(sockets)
            ]
            # No check succeeds, so that every address is tried.
            sdp = re.sub("a=ice-pwd:.*", f"a=ice-pwd:{'x' * 22}", sdp)
            sdp = re.sub("a=(candidate|end-of-candidates).*\r\n", "", sdp)
            return sdp.rstrip() + "\r\n" + "".join(named) + "a=end-of-candidates\r\n"

        visitor = Rewritten(served[1], film, name_them)

        async def attack() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(4):  # checks are 20 ms apart
                    await visitor.start()

        attacked(visitor, attack)

        def was_tried(bound: socket.socket) -> bool:
            with contextlib.suppress(BlockingIOError):
                return bool(bound.recv(2000))
            return False

        assert 0 < sum(map(was_tried, sockets)) <= 16


def peak_mb(process: psutil.Process) -> int:
    """Return the most memory that a process has ever had at once."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) // 1024  # type: ignore[index]


def faces_shown(page: Page) -> int | None:
    """Return how many faces the photo has that a page shows; None while it shows none."""
    for _, element in page._elements.values():
        if element.WhichOneof("type") == "bidi_component":
            told = json.loads(element.bidi_component.json)
            if "faces" in told:
                return len(told["faces"])
    return None


@pytest.mark.long
def test_a_picture_that_takes_minutes_to_decode_holds_nobody_up(
    served: tuple[psutil.Process, str],
) -> None:
    """A third of a megabyte that took libjpeg ten minutes held every visitor's photo up before."""
    portrait, large = io.BytesIO(), io.BytesIO()
    image = Image.fromarray(skimage.data.astronaut())
    image.save(portrait, "JPEG")
    image.resize((7000, 7000)).save(large, "JPEG")
    bomb = many_scans((3000, 3000), 20_000)
    process, url = served

    async def run() -> None:
        hostile, honest = await Page.open(url, "photo"), await Page.open(url, "photo")
        attack = asyncio.create_task(hostile.upload({"a.jpg": bomb}, WAIT_S))
        await honest.upload({"me.jpg": portrait.getvalue()}, WAIT_S)
        assert await honest.until(lambda: faces_shown(honest), WAIT_S, "a face") == 1
        await attack
        assert any("takes too long to decode" in line for line in hostile.alerts())
        before = peak_mb(process)
        await honest.upload({"large.jpg": large.getvalue()}, WAIT_S)
        assert await honest.until(lambda: faces_shown(honest), WAIT_S, "a face") == 1
        assert peak_mb(process) < before + 100  # the picture is decoded in a worker, reduced
        assert max(map(peak_mb, process.children(recursive=True))) < 400
        for page in (hostile, honest):
            await page.close()

    asyncio.run(run())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example"])
def test_a_name_that_was_rebound_to_this_machine_reaches_nothing(
    served: tuple[psutil.Process, str], host: str
) -> None:
    url = served[1]
    for path, status in (
        ("/", 421),
        ("/people", 421),
        ("/_stcore/host-config", 421),
        ("/_stcore/health", 200),
    ):
        connection = HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)
        connection.request("GET", path, headers={"Host": host})
        assert connection.getresponse().status == status, path
        connection.close()
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(
            f"ws://{host}/_stcore/stream",
            sock=socket.create_connection(("localhost", urlsplit(url).port or 0)),
            origin=f"http://{host}",
            subprotocols=["streamlit", "none"],
        ),
    ):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("size", [2_000_000, 5_000_000, 20_000_000])
def test_large_messages_are_not_kept(served: tuple[psutil.Process, str], size: int) -> None:
    process, url = served
    before = process.memory_info().rss
    with contextlib.ExitStack() as tabs:
        for number in range(8):
            tab = tabs.enter_context(
                connect(
                    url.replace("http", "ws", 1) + "/_stcore/stream",
                    origin=url,  # type: ignore[arg-type]
                    subprotocols=["streamlit", "none"],  # type: ignore[list-item]
                    max_size=None,
                    open_timeout=WAIT_S,
                )
            )
            message = BackMsg()
            widgets = message.rerun_script.widget_states.widgets
            widgets.add(id=f"$$ID-0-x{number}", string_value="x" * size)
            with contextlib.suppress(ConnectionClosed, TimeoutError):
                tab.send(message.SerializeToString())
                while True:
                    tab.recv(timeout=2)
        kept = process.memory_info().rss - before
    assert kept < 8 * size / 2 + 20 * MB


def test_an_address_that_holds_many_connections_shuts_no_other_out(
    served: tuple[psutil.Process, str],
) -> None:
    process, url = served
    port = urlsplit(url).port or 0
    with contextlib.ExitStack() as held:
        for _ in range(1100):  # as many as the soft limit of descriptors was, and more
            half = held.enter_context(socket.socket())
            half.bind(("127.0.0.2", 0))
            half.connect(("127.0.0.1", port))
            half.send(b"GET / HTTP/1.1\r\n")  # and nothing more
        assert answers(f"http://127.0.0.1:{port}")
        assert process.num_fds() < 900
    assert process.rlimit(psutil.RLIMIT_NOFILE)[0] > 1024


@pytest.mark.long
def test_a_request_that_never_ends_is_ended(served: tuple[psutil.Process, str]) -> None:
    address = urlsplit(served[1])
    with socket.create_connection((address.hostname, address.port)) as half:
        half.settimeout(3 * connections.HEAD_S)
        half.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert half.recv(100) == b""


@pytest.mark.long
def test_an_address_with_many_tabs_leaves_some_to_others(
    served: tuple[psutil.Process, str],
) -> None:
    url = served[1]
    port = urlsplit(url).port or 0

    def open_tab(source: str) -> ClientConnection:
        own = socket.socket()
        own.bind((source, 0))
        own.connect(("127.0.0.1", port))
        return connect(
            url.replace("http", "ws", 1) + "/_stcore/stream",
            sock=own,
            origin=url,  # type: ignore[arg-type]
            subprotocols=["streamlit", "none"],  # type: ignore[list-item]
            open_timeout=WAIT_S,
        )

    with contextlib.ExitStack() as tabs:
        opened = 0
        for _ in range(connections.MOST_TABS):
            with contextlib.suppress(InvalidStatus):
                tabs.enter_context(open_tab("127.0.0.2"))
                opened += 1
        assert opened == 96
        tabs.enter_context(open_tab("127.0.0.1"))
