"""Frames are put together from packets, whole and as soon as they can be."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from aiortc.rtp import RtpPacket

from emorec.live.assembly import FrameBuffer


def packet(number: int, timestamp: int, data: bytes, last: bool = False) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65536, timestamp=timestamp, marker=int(last))
    made._data = data
    return made


def frames_of(packets: Iterable[RtpPacket]) -> list[bytes]:
    buffer = FrameBuffer(capacity=512, is_video=True)
    given = [buffer.add(one)[1] for one in packets]
    return [frame.data for frame in given if frame is not None]


A = [packet(65534, 10, b"a1"), packet(65535, 10, b"a2"), packet(0, 10, b"a3", last=True)]
B = [packet(1, 20, b"b1"), packet(2, 20, b"b2", last=True)]
C = [packet(3, 30, b"c", last=True)]


@pytest.mark.parametrize(
    ("packets", "frames"),
    [
        ([], []),
        (A[:2], []),
        (A, [b"a1a2a3"]),
        (A + B + C, [b"a1a2a3", b"b1b2", b"c"]),
        ([A[0], A[2], A[1], *B, *C], [b"a1a2a3", b"b1b2", b"c"]),
        ([*A, B[1]], [b"a1a2a3"]),
        ([*A, C[0], B[1], B[0]], [b"a1a2a3", b"b1b2"]),  # the third is given with the next packet
        ([*A, packet(1, 10, b""), packet(2, 20, b"b", last=True)], [b"a1a2a3", b"b"]),
        ([packet(5, 10, b"no mark"), packet(6, 20, b"b", last=True)], [b"no mark"]),
    ],
)
def test_frames_are_whole_in_order_and_there_with_their_last_packet(
    packets: list[RtpPacket], frames: list[bytes]
) -> None:
    assert frames_of(packets) == frames


def test_packets_that_come_in_disorder_lose_no_frame() -> None:
    chance = random.Random(1)
    packets = [packet(9, 0, b"first", last=True)]
    packets += [
        packet(10 + 3 * frame + part, frame + 1, bytes([frame % 256, part]), last=part == 2)
        for frame in range(300)
        for part in range(3)
    ]
    order = sorted(range(1, len(packets)), key=lambda place: place + 8 * chance.random())
    shuffled = [packets[0], *(packets[place] for place in order)]
    # A packet gives one frame at most: those that wait come with the packets after.
    shuffled += [packet(910 + n, 1000 + n, b"end", last=True) for n in range(20)]
    frames = [frame for frame in frames_of(shuffled) if frame not in (b"first", b"end")]
    whole = [bytes([n % 256, part]) for n in range(300) for part in range(3)]
    assert frames == [b"".join(whole[3 * n : 3 * n + 3]) for n in range(300)]
