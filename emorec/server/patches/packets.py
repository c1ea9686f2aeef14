"""Changes of aiortc: packets, from the socket to a complete frame."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import aioice.ice
from aiortc import clock, rtcrtpreceiver
from aiortc.rtcdtlstransport import RTCDtlsTransport

from emorec.live.arrival import Packet, stamped
from emorec.live.assembly import FrameBuffer
from emorec.live.bandwidth import LineEstimator
from emorec.live.intake import MOST_STREAMS

_BEGAN = datetime.now(UTC) - timedelta(seconds=monotonic())
_FIRST_OF_RTP, _LAST_OF_RTP = 128, 191  # a packet's first byte (RFC 7983)
_MOST_AT_ONCE, _MOST_BYTES = 32, 65536  # packets read before others have their turn; of each


def count_by_a_clock_that_never_jumps() -> None:
    """`aiortc.clock.current_datetime`: the monotonic clock, from the wall clock at import.

    aiortc counts bits over the wall clock's milliseconds one by one (`rate.RateCounter`): where
    that jumped by a day, as after a machine has slept, every visitor's picture stood still until
    aiortc had counted through it. `aiortc.clock.current_ms`, which is asked for every packet, does
    so without a calendar.
    """
    began_ms = 1000 * (_BEGAN - clock.NTP_EPOCH).total_seconds()
    clock.current_datetime = lambda: _BEGAN + timedelta(seconds=monotonic())
    clock.current_ms = lambda: int(began_ms + 1000 * monotonic())


def know_when_packets_arrived() -> None:
    """`aioice.ice` and `aiortc.rtcdtlstransport`: a packet's time is that of the kernel.

    aiortc takes the time when it reads a packet (`RTCDtlsTransport._recv_next`): on a busy machine
    half a second after it arrived, which looks like a line that is full.

    The packets of one picture come at once, and asyncio reads one of them in each round of its
    loop: here all that have come are read in one. aioice would also try each as a STUN message
    first (`StunProtocol.datagram_received`), which a packet of RTP never is.
    """
    received, recv = aioice.ice.StunProtocol.datagram_received, aioice.ice.Connection.recv
    handle = RTCDtlsTransport._handle_rtp_data

    def datagram_received(protocol: aioice.ice.StunProtocol, data: bytes, addr: Any) -> None:
        take(protocol, data, addr)
        socket = getattr(protocol.transport, "_sock", None)
        if socket is None:  # over a relay of this side
            return
        for _ in range(_MOST_AT_ONCE):
            try:
                data, addr = socket.recvfrom(_MOST_BYTES)
            except OSError:  # no more has come; if the socket is broken, asyncio's next read tells
                return
            take(protocol, data, addr)

    def take(protocol: aioice.ice.StunProtocol, data: bytes, addr: Any) -> None:
        if data and _FIRST_OF_RTP <= data[0] <= _LAST_OF_RTP:
            packet = stamped(data, protocol.transport)
            protocol.receiver.data_received(packet, protocol.local_candidate.component)
        else:
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


def take_frames_when_they_are_complete() -> None:
    """`aiortc.rtcrtpreceiver.JitterBuffer`: `emorec.live.assembly` says why."""
    rtcrtpreceiver.JitterBuffer = FrameBuffer  # type: ignore[misc]


def judge_lines_by_their_queue() -> None:
    """`aiortc.rtcrtpreceiver.RemoteBitrateEstimator`: `emorec.live.bandwidth` says why."""
    rtcrtpreceiver.RemoteBitrateEstimator = LineEstimator  # type: ignore[assignment, misc]


def take_few_streams() -> None:
    """`aiortc.rtcdtlstransport.RTCDtlsTransport._handle_rtp_data`: ends a peer of many streams.

    aiortc keeps counts for every stream (SSRC) of which a packet comes, named in the offer or not
    (`rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet`), and libsrtp keeps keys for it: a camera
    that names another with each packet took more memory for as long as it sent.
    """
    handle = RTCDtlsTransport._handle_rtp_data

    async def handle_rtp_data(
        transport: RTCDtlsTransport, data: bytes, arrival_time_ms: float
    ) -> None:
        streams: set[bytes] = transport.__dict__.setdefault("streams_seen", set())
        streams.add(data[8:12])  # RFC 3550, section 5.1
        if len(streams) > MOST_STREAMS:
            raise ConnectionError  # as where the line is cut
        await handle(transport, data, arrival_time_ms)  # type: ignore[arg-type]

    RTCDtlsTransport._handle_rtp_data = handle_rtp_data  # type: ignore[assignment, method-assign]
