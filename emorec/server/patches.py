"""What is changed in the libraries that carry the live picture: applied by name, once a process.

Every function tells what it changes, why, and where it stands there. `CHECKED` are the versions
that this was held against; a test fails when others are pinned or installed: read the places again,
then change the version here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache, partialmethod
from threading import Lock
from time import monotonic
from typing import Any

import aioice.ice
import aiortc.codecs
from aiortc import clock, rtcrtpreceiver
from aiortc.contrib.media import MediaRelay, RelayStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from streamlit_webrtc import component

from emorec.live.arrival import Packet, stamped
from emorec.live.bandwidth import LineEstimator
from emorec.live.vp8 import Vp8Encoder
from emorec.pages.live import webrtc

CHECKED = {"aiortc": "1.16.0", "aioice": "0.13.0", "streamlit-webrtc": "0.79.0"}

_BEGAN = datetime.now(UTC) - timedelta(seconds=monotonic())
_START_KBIT_S = "2500"
_once = Lock()  # the first two visitors may come in the same moment
_FIRST_OF_RTP, _LAST_OF_RTP = 128, 191  # a packet's first byte (RFC 7983)


def apply() -> None:
    """Apply all of them; further calls do nothing."""
    with _once:
        _apply()


@cache
def _apply() -> None:
    notice_the_dead_sooner()
    take_the_newest_picture()
    tell_who_waits_for_a_stopped_track()
    count_by_a_clock_that_never_jumps()
    end_connections_of_other_pages_only()
    know_when_packets_arrived()
    judge_lines_by_their_queue()
    begin_at_full_size()
    send_sharp_pictures()


def notice_the_dead_sooner() -> None:
    """`aioice.ice.CONSENT_FAILURES`: 4 in place of 6.

    A browser that was killed says no farewell; the peer asks it every 4 to 6 s whether it is still
    there. After four times without an answer the peer is gone within 30 s.
    """
    aioice.ice.CONSENT_FAILURES = 4


def take_the_newest_picture() -> None:
    """`aiortc.contrib.media.MediaRelay.subscribe`: unbuffered by default.

    streamlit-webrtc connects each end by a relay that keeps every picture until it is taken
    (`webrtc._process_offer_coro`). On a busy machine, where the encoder takes fewer than there are,
    the queue grew without bound, and what a visitor saw fell behind by seconds.
    """
    MediaRelay.subscribe = partialmethod(  # type: ignore[assignment, method-assign]
        MediaRelay.subscribe, buffered=False
    )


def tell_who_waits_for_a_stopped_track() -> None:
    """`aiortc.contrib.media.RelayStreamTrack.stop`: wakes whoever waits for the next picture.

    aiortc lets it wait for ever, with the last picture and all that the session had.
    """
    stop = RelayStreamTrack.stop

    def stop_and_tell(track: RelayStreamTrack) -> None:
        stop(track)
        track._frame = None
        if track._new_frame_event is not None:
            track._new_frame_event.set()

    RelayStreamTrack.stop = stop_and_tell  # type: ignore[assignment, method-assign]


def count_by_a_clock_that_never_jumps() -> None:
    """`aiortc.clock.current_datetime`: the monotonic clock, from the wall clock at import.

    aiortc counts bits over the wall clock's milliseconds one by one (`rate.RateCounter`): where
    that jumped by a day, as after a machine has slept, everybody's picture stood still until it had
    caught up.
    """
    clock.current_datetime = lambda: _BEGAN + timedelta(seconds=monotonic())


def end_connections_of_other_pages_only() -> None:
    """`streamlit_webrtc.component.get_script_run_count`: how often another page was shown.

    streamlit-webrtc ends a connection whose component was left out of a run, as when another page
    is shown (`component._get_or_create_context`). It counts the runs that have ended, which it
    hears of too late on a busy machine: then one or two of a hundred visitors who pressed START
    lost the picture at once. What counts is `webrtc.leave`.
    """
    component.get_script_run_count = webrtc.times_left


def know_when_packets_arrived() -> None:
    """`aioice.ice` and `aiortc.rtcdtlstransport`: a packet's time is that of the kernel.

    aiortc stamps a packet when its turn comes (`RTCDtlsTransport._recv_next`): on a busy machine
    half a second after it arrived, which looks like a line that is full.
    """
    received, recv = aioice.ice.StunProtocol.datagram_received, aioice.ice.Connection.recv
    handle = RTCDtlsTransport._handle_rtp_data

    def datagram_received(protocol: aioice.ice.StunProtocol, data: bytes, addr: Any) -> None:
        if data and _FIRST_OF_RTP <= data[0] <= _LAST_OF_RTP:
            data = stamped(data, protocol.transport)
        received(protocol, data, addr)

    async def recv_and_note(connection: aioice.ice.Connection) -> bytes:
        data = await recv(connection)
        connection.newest_packet = data  # type: ignore[attr-defined]
        return data

    async def handle_rtp_data(
        transport: RTCDtlsTransport, data: bytes, arrival_time_ms: float
    ) -> None:
        # One packet after the other: the newest is the one that is handled.
        newest = getattr(transport.transport._connection, "newest_packet", None)
        if isinstance(newest, Packet):  # not over a relay of this side
            arrival_time_ms = newest.arrived_ms
        await handle(transport, data, arrival_time_ms)  # type: ignore[arg-type]

    aioice.ice.StunProtocol.datagram_received = datagram_received  # type: ignore[assignment, method-assign]
    aioice.ice.Connection.recv = recv_and_note  # type: ignore[assignment, method-assign]
    RTCDtlsTransport._handle_rtp_data = handle_rtp_data  # type: ignore[assignment, method-assign]


def judge_lines_by_their_queue() -> None:
    """`aiortc.rtcrtpreceiver.RemoteBitrateEstimator`: `emorec.live.bandwidth` tells why."""
    rtcrtpreceiver.RemoteBitrateEstimator = LineEstimator  # type: ignore[assignment, misc]


def begin_at_full_size() -> None:
    """`aiortc.codecs.CODECS`: the answer asks Chromium to begin with 2.5 Mbit/s.

    It begins with 300 kbit/s, for which it halves 1280×720, and needs 20 s for the way back. What
    the line carries is told from the first packet on, so it is lowered again where that is less.
    aiortc puts a codec's parameters into its answer (`rtcpeerconnection.find_common_codecs`), and
    WebRTC's code reads this one (`media/base/media_constants.cc`). Firefox does not.
    """
    for codec in aiortc.codecs.CODECS["video"]:
        if codec.name != "rtx":
            codec.parameters["x-google-start-bitrate"] = _START_KBIT_S


def send_sharp_pictures() -> None:
    """`aiortc.codecs.Vp8Encoder`: `emorec.live.vp8` tells why."""
    aiortc.codecs.Vp8Encoder = Vp8Encoder  # type: ignore[misc]
