"""What is decoded of a camera: limits on size, on pixels a second, and on frames that wait."""

from __future__ import annotations

import asyncio
import queue
import threading
from types import SimpleNamespace

import av
import pytest
from aiortc.codecs import CODECS
from aiortc.jitterbuffer import JitterFrame

from emorec.live.intake import (
    MOST_PIXELS_PER_S,
    Allowance,
    Handover,
    Intake,
    decode,
    excess_of,
    is_key_frame,
    key_frame_size,
)
from testkit.hostile import vp8_frames


def key_frame(width: int, height: int) -> bytes:
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"\x10\0\0\x9d\x01\x2a" + sides + bytes(90)


INTER_FRAME = b"\x11" + bytes(99)
FULL_HD = key_frame(1920, 1088)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def sent_until_excess(frames: list[bytes], per_s: float, seconds: float) -> str | None:
    """Send the frames round and round at a rate; return the first excess."""
    clock = Clock()
    allowance = Allowance(clock)
    for number in range(round(per_s * seconds)):
        clock.now_s = number / per_s
        if excess := allowance.excess(frames[number % len(frames)]):
            return excess
    return None


@pytest.mark.parametrize("size_wh", [(16, 16), (640, 480), (1280, 720), (1920, 1080), (270, 478)])
def test_the_size_is_read_from_what_an_encoder_writes(size_wh: tuple[int, int]) -> None:
    (frame,) = vp8_frames(size_wh)
    assert is_key_frame(frame) and key_frame_size(frame) == size_wh


def test_the_upper_two_bits_of_a_side_are_no_part_of_it() -> None:
    frame = bytearray(key_frame(640, 480))
    frame[7] |= 0xC0
    frame[9] |= 0x40
    assert key_frame_size(bytes(frame)) == (640, 480)


@pytest.mark.parametrize("data", [b"\x10", FULL_HD[:9], b"\x10" + bytes(99)])
def test_what_is_no_header_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        key_frame_size(data)
    with pytest.raises(ValueError, match="header"):
        Allowance().excess(data)


@pytest.mark.parametrize(
    ("size_wh", "taken"),
    [
        ((1920, 1088), True),
        ((1088, 1920), True),
        ((1920, 1440), True),
        ((1920, 1456), False),
        ((4096, 2160), False),
        ((16383, 16383), False),
    ],
)
def test_a_frame_is_taken_by_its_pixels(size_wh: tuple[int, int], taken: bool) -> None:
    excess = Allowance().excess(key_frame(*size_wh))
    assert (excess is None) is taken
    if excess:
        assert f"{size_wh[0]} × {size_wh[1]}" in excess and "\n" not in excess


@pytest.mark.parametrize(
    ("frames", "per_s", "taken"),
    [
        ([FULL_HD] + [INTER_FRAME] * 29, 30, True),
        ([FULL_HD] + [INTER_FRAME] * 29, 60, False),
        ([key_frame(1280, 720)] + [INTER_FRAME] * 29, 60, True),
        ([key_frame(640, 360)] + [INTER_FRAME] * 29, 60, True),
        ([key_frame(16, 16)] + [INTER_FRAME] * 29, 1000, False),
        ([INTER_FRAME], 1000, False),
    ],
)
def test_pixels_a_second_are_limited(frames: list[bytes], per_s: float, taken: bool) -> None:
    excess = sent_until_excess(frames, per_s, seconds=20)
    assert (excess is None) is taken


def test_what_a_line_held_back_may_arrive_at_once() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    assert not allowance.excess(FULL_HD)
    clock.now_s = 100.0
    assert not any(allowance.excess(INTER_FRAME) for _ in range(60))  # two seconds of a camera
    assert any(allowance.excess(INTER_FRAME) for _ in range(60))  # an idle time earns no more
    assert MOST_PIXELS_PER_S > 30 * 1920 * 1088


def intake(*frames: bytes) -> tuple[Intake, asyncio.Queue, threading.Event]:
    arrived: queue.Queue = queue.Queue()
    decoded: asyncio.Queue = asyncio.Queue()
    damaged = threading.Event()
    for frame in frames:
        arrived.put(("VP8", SimpleNamespace(data=frame)))
    arrived.put(None)
    # A clock that stands still would count a burst.
    ticks = iter(range(10_000))
    return (
        Intake(arrived, decoded, damaged, Allowance(lambda: float(next(ticks)))),
        decoded,
        damaged,
    )


def taken(of: Intake) -> list[bytes]:
    frames = []
    while (task := of.get()) is not None:
        frames.append(task[1].data)
    return frames


def test_frames_pass_in_order_until_the_end() -> None:
    frames = [FULL_HD, INTER_FRAME, INTER_FRAME]
    own, decoded, damaged = intake(*frames)
    assert taken(own) == frames
    assert excess_of(SimpleNamespace(_queue=decoded)) is None and not damaged.is_set()
    assert taken(intake()[0]) == []


def test_an_excess_ends_the_track_before_it_is_decoded_and_tells_why() -> None:
    own, decoded, _ = intake(FULL_HD, key_frame(8192, 8192), FULL_HD)
    assert taken(own) == [FULL_HD]
    assert "8192 × 8192" in (excess_of(SimpleNamespace(_queue=decoded)) or "")


def test_a_damaged_key_frame_is_skipped_and_another_asked_for() -> None:
    own, _, damaged = intake(FULL_HD, b"\x10" + bytes(99), INTER_FRAME)
    assert taken(own) == [FULL_HD, INTER_FRAME] and damaged.is_set()


def test_a_thread_that_falls_behind_skips_to_a_key_frame() -> None:
    late = [INTER_FRAME] * 200
    own, _, damaged = intake(FULL_HD, *late, key_frame(640, 480), INTER_FRAME)
    assert taken(own) == [key_frame(640, 480), INTER_FRAME] and damaged.is_set()


def test_pictures_are_handed_over_and_only_the_end_waits_for_the_loop() -> None:
    async def run() -> None:
        seen: list[av.VideoFrame] = []
        arrived: queue.Queue = queue.Queue()
        decoded = Handover(seen.append)
        damaged = threading.Event()
        for number, data in enumerate([*vp8_frames((64, 48), 2), b"", key_frame(64, 48)]):
            arrived.put((CODECS["video"][0], JitterFrame(data, number)))
        arrived.put(None)
        await asyncio.to_thread(decode, asyncio.get_running_loop(), arrived, decoded, damaged)
        assert [(picture.width, picture.height) for picture in seen][:2] == [(64, 48)] * 2
        assert damaged.is_set()  # the last frame has a header, and nothing after it
        assert await decoded.get() is None and decoded.empty()

    asyncio.run(run())
