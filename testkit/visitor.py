"""A visitor of the live page without a browser: aiortc sends the film and receives the picture.

    python -m testkit.visitor URL [--seconds 10]

Opens the page, presses START, sends a moving face at 640×480 and 30 frames a second, and counts the
pictures that come back. The camera frames are encoded once and then only sent, so that a visitor
costs little compared with the server. Each carries its number, which gives the time of a picture
that comes back. The visitor sends the page what a browser sends: the component's first value, the
offer, and the runs of the fragment beside the picture.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from testkit import marks
from testkit.app import FPS
from testkit.film import AGE_BITS, NUMBER_BITS, Camera, write_film
from testkit.page import Page, PageError

_START_S = 90.0
_COMPONENT = "webrtc_streamer"
_DISCARD = "Discard this session"  # the session before, whose report stands in place of START


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture that came back."""

    at_s: float
    taken_s: float | None
    """When the camera took it; None where it carries no number, as before the first."""
    label_s: float | None
    """How much older the analysis drawn on it is; None unless a rigged app says so."""


class Visitor:
    """One visitor with one tab, from `open` to `close`; `start` and `stop` press the button.

    Args:
        url: of the app.
        film: what `write_film` wrote.
        fps: frames a second that the camera sends; fewer show the same film more slowly.
        source: the address that the page is opened from, as 127.0.0.2; None: the system's choice.
    """

    def __init__(self, url: str, film: Path, fps: int = FPS, source: str | None = None) -> None:
        with av.open(str(film)) as packets:
            self._film = [bytes(packet) for packet in packets.demux() if packet.size]
        self._url = url
        self._fps = fps
        self._source = source
        self._page: Page | None = None
        self._peer: RTCPeerConnection | None = None
        self._camera: Camera | None = None
        self._shown: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: list[_Seen] = []

    async def open(self) -> float:
        """Open the page; returns the seconds until it was shown whole.

        Raises:
            PageError: it was not, or shows no START.
        """
        began = time.monotonic()
        self._page = await Page.open(self._url, source=self._source)
        await self._page.run_ended(timeout_s=_START_S)
        return time.monotonic() - began

    async def start(self, relay: bool = False) -> float:
        """Press START and wait for the first picture; returns the seconds that took.

        Args:
            relay: connect over the page's TURN server only, as from behind a firewall.

        Raises:
            PageError: there is no START, no answer or no picture; says what the page shows.
        """
        began = time.monotonic()
        page, peer = await self.connect(relay)
        try:
            async with asyncio.timeout(_START_S):
                while not any(seen.taken_s is not None for seen in self._seen):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise PageError(
                f"no picture within {_START_S:.0f} s of START ({peer.connectionState}). "
                f"{page.said()}"
            ) from None
        self._begin(self._obey(page, peer))
        return time.monotonic() - began

    async def connect(self, relay: bool = False) -> tuple[Page, RTCPeerConnection]:
        """Press START and wait until the server has connected; returns the page and the peer.

        Raises:
            PageError: there is no START, no answer or no connection; says what the page shows.
        """
        page = self._open_page()
        await page.until(
            lambda: self._ready() or page.shows_button(_DISCARD) or None, _START_S, "a START button"
        )
        await page.press(_DISCARD)
        widget_id, args = await page.until(self._ready, _START_S, "a START button")
        if widget_id not in self._shown:  # a browser sends this value first
            self._shown.add(widget_id)
            await self._set(playing=False)
        peer = self._peer = RTCPeerConnection(_configuration(args["rtc_configuration"], relay))
        camera = self._camera = Camera(self._film, self._fps)
        self._add_tracks(peer, camera)
        connected = asyncio.Event()

        @peer.on("track")
        def on_track(track: MediaStreamTrack) -> None:
            self._begin(self._watch(track, camera))

        @peer.on("connectionstatechange")
        async def on_change() -> None:
            if peer.connectionState == "connected":
                connected.set()
            elif peer.connectionState == "failed" and self._peer is peer:
                await self.stop()  # so does the page in a browser

        self._seen.clear()
        await peer.setLocalDescription(await peer.createOffer())
        offer = peer.localDescription
        await self._set(playing=False, offer={"type": offer.type, "sdp": self._offered(offer.sdp)})
        answer = await page.until(lambda: self._answer(widget_id), _START_S, "an answer to START")
        # aiortc asks a full ICE agent to use every pair that works, and the server takes the last,
        # which may lead over the relay. Of a lite one it asks, as browsers do, for one alone: the
        # first to work, which is the most direct.
        sdp = answer["sdp"].replace("\nm=", "\na=ice-lite\r\nm=", 1)
        await peer.setRemoteDescription(RTCSessionDescription(sdp, answer["type"]))
        try:
            async with asyncio.timeout(_START_S):
                await connected.wait()
                await self._set(playing=True)
        except TimeoutError:
            raise PageError(
                f"no connection within {_START_S:.0f} s of START ({peer.connectionState}). "
                f"{page.said()}"
            ) from None
        return page, peer

    async def count(self, seconds: float) -> dict[str, Any]:
        """Receive pictures for some seconds and return the measurements.

        Returns:
            ``received_per_s`` pictures of any kind; ``shown_per_s`` pictures of another camera
            frame than the one before; ``longest_gap_s`` in which no such picture came;
            ``delays_ms`` from the camera to the screen, and ``ages_ms`` of the analysis drawn on a
            picture when it is shown (empty unless the app is rigged), one a picture;
            ``readings_per_s`` that the page shows (None if it shows none); ``playing``.
        """
        began = time.monotonic()
        self._seen.clear()
        readings = []
        while (left := began + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(0.5, left))
            if (value := self._open_page().metric("Readings/s")) is not None:
                readings.append(float(value))
        seen = [one for one in self._seen if one.at_s >= began]
        new = [
            one
            for before, one in zip([None, *seen], seen, strict=False)
            if one.taken_s is not None and (before is None or one.taken_s != before.taken_s)
        ]
        moments = [began, *(one.at_s for one in new), time.monotonic()]
        return {
            "received_per_s": round(len(seen) / seconds, 1),
            "shown_per_s": round(len(new) / seconds, 1),
            "longest_gap_s": round(float(np.diff(moments).max()), 2),
            "delays_ms": [round(1000 * (one.at_s - (one.taken_s or 0))) for one in new],
            "ages_ms": [
                round(1000 * (one.at_s - (one.taken_s or 0) + one.label_s))
                for one in new
                if one.label_s is not None
            ],
            "readings_per_s": round(float(np.mean(readings)), 1) if readings else None,
            "playing": self.connected,
        }

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the server."""
        return self._peer is not None and self._peer.connectionState == "connected"

    def said(self) -> list[str]:
        """Return the page's warnings, errors and notes."""
        return self._open_page().alerts()

    async def send(self, message: bytes | str) -> None:
        """Send any bytes or text over the page's WebSocket."""
        await self._open_page().send(message)

    async def stop(self) -> None:
        """Press STOP."""
        peer, self._peer = self._peer, None
        if peer is not None:
            await self._set(playing=False)
            await peer.close()

    async def close(self) -> None:
        """Close the tab, as it is."""
        if self._page is not None:
            await self._page.close()
        if self._peer is not None:
            await self._peer.close()

    def _add_tracks(self, peer: RTCPeerConnection, camera: MediaStreamTrack) -> None:
        peer.addTrack(camera)

    def _offered(self, sdp: str) -> str:
        return sdp

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)  # else it may be collected while it runs
        task.add_done_callback(self._tasks.discard)

    def _open_page(self) -> Page:
        if self._page is None:
            raise PageError("the page is not open.")
        return self._page

    def _ready(self) -> tuple[str, dict[str, Any]] | None:
        component = self._open_page().component(_COMPONENT)
        # The answer of the START before is taken back in a run of its own.
        return component if component and not component[1]["sdp_answer_json"] else None

    def _answer(self, widget_id: str) -> dict[str, str] | None:
        if self._open_page().changing:
            return None
        component = self._open_page().component(_COMPONENT)
        if component is None or component[0] != widget_id:  # the frame with START is gone
            raise PageError(f"START was turned away. {self._open_page().said()}")
        answer = component[1]["sdp_answer_json"]
        return json.loads(answer) if answer else None

    def _told_to_stop(self) -> bool | None:
        if self._open_page().changing:
            return None
        component = self._open_page().component(_COMPONENT)
        return (component is None or component[1]["desired_playing_state"] is False) or None

    async def _obey(self, page: Page, peer: RTCPeerConnection) -> None:
        """Stop when the page says so, or shows the frame with the picture no longer."""
        with contextlib.suppress(PageError):  # the page is closed
            await page.until(self._told_to_stop, None, "a word to stop")
            if self._peer is peer:
                await self.stop()

    async def _set(self, playing: bool, offer: dict[str, str] | str = "") -> None:
        page = self._open_page()
        component = page.component(_COMPONENT)
        if component is not None:
            value = {"playing": playing, "sdpOffer": offer, "iceCandidates": {}}
            await page.change(component[0], value)

    async def _watch(self, track: MediaStreamTrack, camera: Camera) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now = time.monotonic()
            assert isinstance(frame, av.VideoFrame)
            luma = frame.to_ndarray(format="gray")
            number = marks.read(luma[:, ::-1], NUMBER_BITS)
            age = marks.read(luma, AGE_BITS)
            taken = next((at for n, at in reversed(camera.taken) if n == number), None)
            self._seen.append(_Seen(now, taken, None if age is None else age / 1000))


def _configuration(wanted: dict[str, Any], relay: bool) -> RTCConfiguration:
    servers = [
        RTCIceServer(server["urls"], server.get("username"), server.get("credential"))
        for server in wanted.get("iceServers", [])
    ]
    policy = "relay" if relay else wanted.get("iceTransportPolicy", "all")
    return RTCConfiguration(servers, RTCIceTransportPolicy(policy))


async def _visit(url: str, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        visitor = Visitor(url, write_film(Path(folder) / "film.ivf"))
    opened_s = await visitor.open()
    started_s = await visitor.start()
    seen = await visitor.count(seconds)
    said = visitor.said()
    await visitor.stop()
    await visitor.close()
    delays = seen.pop("delays_ms")
    seen.pop("ages_ms")
    return {
        "opened_s": round(opened_s, 2),
        "started_s": round(started_s, 2),
        **seen,
        "delay_ms": round(float(np.median(delays))) if delays else None,
        "said": said,
    }


def main() -> int:
    """Visit the page, print the measurements and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="of the app, such as http://localhost:8501")
    parser.add_argument("--seconds", type=float, default=10, help="to count for")
    args = parser.parse_args()
    try:
        print(json.dumps(asyncio.run(_visit(args.url, args.seconds)), indent=1))
    except (PageError, OSError) as error:
        print(f"visitor: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
