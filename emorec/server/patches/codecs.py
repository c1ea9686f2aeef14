"""Changes of aiortc: what is negotiated, encoded and decoded."""

from __future__ import annotations

import aiortc.codecs
from aiortc import rtcrtpreceiver

from emorec.live.intake import decode
from emorec.live.vp8 import Vp8Encoder

_START_KBIT_S = "2500"


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
