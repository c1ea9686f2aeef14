"""What EmoRec changes in other libraries, one function a change.

`emorec.server.start.prepare` applies them, once a process; only those of streamlit-webrtc are
applied by app.py. Every docstring begins with what the function replaces, then says why, and where
the library does what does not suit EmoRec. `CHECKED` holds the versions whose source was read for
that. A test fails when other versions are pinned or installed: read those places again, then change
the version here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import PurePosixPath
from time import monotonic
from typing import Any

import aioice.ice
import aiortc.codecs
from aiortc import clock, rtcrtpreceiver
from aiortc.contrib.media import MediaRelay
from aiortc.rtcdtlstransport import RTCDtlsTransport
from starlette.formparsers import MultiPartParser
from streamlit.runtime.media_file_manager import MediaFileManager
from uvicorn.protocols.http import h11_impl

from emorec.live.arrival import Packet, stamped
from emorec.live.assembly import FrameBuffer
from emorec.live.bandwidth import LineEstimator
from emorec.live.intake import MOST_STREAMS, decode
from emorec.live.offer import Candidates
from emorec.live.vp8 import Vp8Encoder
from emorec.server.connections import count
from emorec.server.hosts import served_locally
from emorec.server.uploads import FILE_BYTES

CHECKED = {
    "aioice": "0.13.0",
    "aiortc": "1.16.0",
    "starlette": "1.10.0",
    "streamlit": "1.67.0",
    "streamlit-webrtc": "0.79.0",
    "uvicorn": "0.54.0",
}

_BEGAN = datetime.now(UTC) - timedelta(seconds=monotonic())
_START_KBIT_S = "2500"
_MB = 2**20
_FIRST_OF_RTP, _LAST_OF_RTP = 128, 191  # a packet's first byte (RFC 7983)
_MOST_AT_ONCE, _MOST_BYTES = 32, 65536  # packets read before others have their turn; of each


@cache
def apply() -> None:
    """Apply all but those of streamlit-webrtc; further calls do nothing."""
    limit_connections()
    keep_uploads_in_memory()
    keep_downloads_until_the_next_run()
    notice_the_dead_sooner()
    join_the_ends_directly()
    count_by_a_clock_that_never_jumps()
    know_when_packets_arrived()
    take_frames_when_they_are_complete()
    judge_lines_by_their_queue()
    begin_at_full_size()
    send_sharp_pictures()
    take_vp8_alone()
    decode_within_limits()
    take_few_streams()
    try_few_addresses()


def limit_connections() -> None:
    """`uvicorn.protocols.http.h11_impl.H11Protocol`: a cap, a share for each address, a time-out.

    Uvicorn takes any number of connections, and waits for ever for the rest of a request's headers
    (`H11Protocol.data_received` stops its only timer). A WebSocket is no more counted here:
    `emorec.server.connections.TabRoom` counts it. Streamlit passes no such setting on to Uvicorn
    (`streamlit.web.server.starlette.starlette_server._get_uvicorn_config_kwargs`).
    """
    count(h11_impl.H11Protocol)


def keep_uploads_in_memory() -> None:
    """`starlette.formparsers.MultiPartParser.spool_max_size`: more than an upload may have.

    Starlette would write an upload of more than a megabyte to a temporary file
    (`MultiPartParser.on_headers_finished`); EmoRec writes no picture to a disk. To be an argument:
    https://github.com/Kludex/starlette/pull/3190.
    """
    MultiPartParser.spool_max_size = FILE_BYTES + _MB


def keep_downloads_until_the_next_run() -> None:
    """`streamlit.runtime.media_file_manager.MediaFileManager.execute_deferred`: keeps what it made.

    Streamlit makes a download when its button is pressed, and deletes it when two more runs of any
    visitor's page have ended (`remove_orphaned_files`). A live picture's page runs twice a second,
    so a browser that asks half a second later got an error page in place of its file.
    """
    make = MediaFileManager.execute_deferred

    def make_and_keep(manager: MediaFileManager, file_id: str) -> str:
        url = make(manager, file_id)
        with manager._lock:
            if entry := manager._deferred_callables.get(file_id):
                files = manager._files_by_session_and_coord[entry["session_id"]]
                # Until the visitor's next run of the whole page, or the end of the visit.
                files[f"made {file_id}"] = PurePosixPath(url).stem
        return url

    MediaFileManager.execute_deferred = make_and_keep  # type: ignore[assignment, method-assign]


def notice_the_dead_sooner() -> None:
    """`aioice.ice.CONSENT_FAILURES`: 4 in place of 6.

    A browser that was killed sends no goodbye, so aioice asks it every 4 to 6 s whether it is still
    there (`aioice.ice.Connection.query_consent`). After four questions without an answer the
    connection ends, so within 30 s.
    """
    aioice.ice.CONSENT_FAILURES = 4


def join_the_ends_directly() -> None:
    """`aiortc.contrib.media.MediaRelay.subscribe`: returns the track itself.

    streamlit-webrtc puts a relay between every two ends (`webrtc._process_offer_coro`), two of them
    before the picture that is sent, so that several consumers could share a track. There is one.
    The relays took a twelfth of the lock that a session takes, kept a picture more on its way, and
    a relay's task waited for ever where the track before it was stopped.
    """
    MediaRelay.subscribe = lambda relay, track, buffered=True: track  # type: ignore[assignment, method-assign]


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


def end_connections_of_other_pages_only() -> None:
    """`streamlit_webrtc.component.get_script_run_count`: how often another page was shown.

    streamlit-webrtc ends a connection whose component was left out of a run, as when another page
    is shown (`component._get_or_create_context`). It counts the runs that have ended, which it
    hears of too late on a busy machine: then one or two of a hundred visitors who pressed START
    lost the picture at once. `emorec.pages.live.webrtc.leave` counts instead.

    app.py applies it in a visitor's run: Streamlit serves the files of a component only if a run
    imported it first (`streamlit.components.v1.component_registry.declare_component`).
    """
    from streamlit_webrtc import component

    from emorec.pages.live import webrtc

    component.get_script_run_count = webrtc.times_left


def answer_offers_that_were_checked() -> None:
    """`streamlit_webrtc.webrtc._process_offer_coro`: checks an offer before it sets anything up.

    streamlit-webrtc sets up as many pictures, sounds and data channels as an offer names, and
    leaves it to the browser to end them. `emorec.pages.live.webrtc.CameraTrack.admit` says what is
    taken, and closes the connection when its stream is over. app.py applies it, for the same reason
    as the patch above.
    """
    from streamlit_webrtc import webrtc as library

    from emorec.pages.live import webrtc

    library._process_offer_coro = webrtc.process_offer  # type: ignore[assignment]


def skip_the_end_of_candidates() -> None:
    """`streamlit_webrtc.webrtc.WebRtcWorker.set_ice_candidates_from_offerer`: skips empty ones.

    Firefox ends its candidates with an empty one (RFC 8838, section 13). streamlit-webrtc cannot
    read it, and logs that as an ERROR in every run of the page. app.py applies it, for the same
    reason as the patch above.
    """
    from streamlit_webrtc.webrtc import WebRtcWorker

    take = WebRtcWorker.set_ice_candidates_from_offerer
    if getattr(take, "skips_empty", False):  # app.py applies it in every run
        return

    def take_those_with_text(worker: Any, candidates: dict[str, dict[str, Any]]) -> None:
        take(worker, {key: one for key, one in candidates.items() if one.get("candidate")})

    take_those_with_text.skips_empty = True  # type: ignore[attr-defined]
    WebRtcWorker.set_ice_candidates_from_offerer = take_those_with_text  # type: ignore[assignment, method-assign]


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
    """`aiortc.codecs.Vp8Encoder`: `emorec.live.vp8` says why."""
    aiortc.codecs.Vp8Encoder = Vp8Encoder  # type: ignore[misc]


def take_vp8_alone() -> None:
    """`aiortc.codecs.CODECS`: no H.264, so that one frame header says how large a picture is.

    aiortc negotiates either (`codecs.init_codecs`). Every browser has VP8 (RFC 7742, section 5),
    and aiortc's H.264 costs the encoder seven times as much (`emorec.live.vp8`).
    """
    video = aiortc.codecs.CODECS["video"]
    vp8 = {codec.payloadType for codec in video if codec.name == "VP8"}
    video[:] = [
        codec for codec in video if codec.payloadType in vp8 or codec.parameters.get("apt") in vp8
    ]


def decode_within_limits() -> None:
    """`aiortc.rtcrtpreceiver.decoder_worker`: is `emorec.live.intake.decode`.

    aiortc decodes frames of any size and number, and queues without bound those that it has not yet
    decoded (`rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet`).
    """
    rtcrtpreceiver.decoder_worker = decode  # type: ignore[assignment]


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


def try_few_addresses() -> None:
    """`aioice.ice.Connection.add_remote_candidate`: 16, and none that cannot be a visitor's.

    aioice sends a check, which carries text of the visitor's, up to seven times to every address
    that the visitor names: 300 addresses of others in one offer gave 2,100 packets.
    `aioice.ice.Connection._add_remote_candidate` gets the address, which may come from mDNS.
    """
    add, add_at = (
        aioice.ice.Connection.add_remote_candidate,
        aioice.ice.Connection._add_remote_candidate,
    )

    def own(connection: aioice.ice.Connection) -> Candidates:
        found: Candidates = connection.__dict__.setdefault(
            "candidates_named", Candidates(loopback=served_locally())
        )
        return found

    async def add_few(
        connection: aioice.ice.Connection, candidate: aioice.Candidate | None
    ) -> None:
        if candidate is None or own(connection).take(candidate):
            await add(connection, candidate)

    def add_at_address(
        connection: aioice.ice.Connection, candidate: aioice.Candidate, host: str
    ) -> None:
        if own(connection).takes_address(host):
            add_at(connection, candidate, host)

    aioice.ice.Connection.add_remote_candidate = add_few  # type: ignore[assignment, method-assign]
    aioice.ice.Connection._add_remote_candidate = add_at_address  # type: ignore[assignment, method-assign]
