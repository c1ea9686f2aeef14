"""The pictures that go back: sharp where the line carries it, and less where it does not."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from aiortc.codecs import vpx
from aiortc.jitterbuffer import JitterFrame

from emorec.live.vp8 import Vp8Encoder, sharp_bps
from testkit.app import webcam_frame

FPS = 30


@pytest.fixture(scope="module")
def film():
    """A second and a half of a detailed picture that moves; I420."""
    skimage_data = pytest.importorskip("skimage.data")
    picture = cv2.resize(skimage_data.astronaut()[:, :, ::-1], (1400, 1400))
    noise = np.random.default_rng(0).normal(0, 3, (720, 1280, 3))
    frames = []
    for number in range(45):
        x, y = 3 * number % 64, number % 64
        frame = picture[y : y + 720, x : x + 1280] + np.roll(noise, 37 * number, axis=1)
        frames.append(cv2.cvtColor(frame.clip(0, 255).astype(np.uint8), cv2.COLOR_BGR2YUV_I420))
    return frames


def encode(encoder, planes, number, force_keyframe=False) -> bytes:
    frame = av.VideoFrame.from_numpy_buffer(planes, format="yuv420p")
    frame.pts, frame.time_base = number * 90_000 // FPS, Fraction(1, 90_000)
    payloads, timestamp = encoder.encode(frame, force_keyframe)
    assert abs(timestamp - 3000 * number) <= 1 and max(map(len, payloads)) <= vpx.PACKET_MAX
    return b"".join(map(vpx.vp8_depayload, payloads))


def bits_per_s(pictures: list[bytes]) -> float:
    return 8 * FPS * sum(map(len, pictures)) / len(pictures)


def is_key(picture: bytes) -> bool:
    return not picture[0] & 1  # RFC 6386, section 9.1


def test_larger_pictures_get_more_bits():
    assert sharp_bps(640, 480) == 1_500_000
    assert 2_500_000 < sharp_bps(1280, 720) < 2_700_000
    assert 3_800_000 < sharp_bps(1920, 1080) < 4_000_000


def error_of(encoder, film, height=720) -> tuple[float, list[bytes]]:
    """Return the mean squared error of the last picture's brightness, and all pictures."""
    pictures = [encode(encoder, planes, number) for number, planes in enumerate(film)]
    decoder = vpx.Vp8Decoder()
    shown = [
        frame.to_ndarray(format="yuv420p")[:height]
        for number, picture in enumerate(pictures)
        for frame in decoder.decode(JitterFrame(picture, number * 3000))
    ]
    assert len(shown) == len(film)
    return float(np.mean((shown[-1].astype(float) - film[-1][:height]) ** 2)), pictures


def test_a_large_picture_is_sent_sharper_than_by_aiortc(film):
    theirs, ours = vpx.Vp8Encoder(), Vp8Encoder()
    theirs.target_bitrate = ours.target_bitrate = 30_000_000
    their_error, _ = error_of(theirs, film)
    error, pictures = error_of(ours, film)
    assert error < 0.9 * their_error
    assert bits_per_s(pictures[15:]) > 1.2 * vpx.MAX_BITRATE
    assert [is_key(picture) for picture in pictures] == [True] + [False] * 44


def test_a_calm_picture_takes_fewer_bits_than_it_may_and_stays_sharp():
    noise = np.random.default_rng(0).normal(0, 2, (480, 640, 3))
    calm = [
        cv2.cvtColor(
            (webcam_frame(number) + np.roll(noise, 37 * number, axis=1))
            .clip(0, 255)
            .astype(np.uint8),
            cv2.COLOR_BGR2YUV_I420,
        )
        for number in range(45)
    ]
    error, pictures = error_of(Vp8Encoder(), calm, 480)
    assert bits_per_s(pictures[15:]) < 0.8 * sharp_bps(640, 480)
    assert 10 * np.log10(255**2 / error) > 40


def test_before_the_browser_tells_of_the_line_no_more_than_aiortcs_limit_is_sent(film):
    _, pictures = error_of(Vp8Encoder(), film)
    assert bits_per_s(pictures[15:]) < 1.2 * vpx.MAX_BITRATE


def test_the_browser_may_ask_for_less_and_for_a_whole_picture(film):
    encoder = Vp8Encoder()
    encoder.target_bitrate = 600_000
    pictures = [encode(encoder, planes, number) for number, planes in enumerate(film)]
    assert bits_per_s(pictures[15:]) < 900_000
    encoder.target_bitrate = 620_000  # not worth a whole picture
    assert not is_key(encode(encoder, film[0], 45))
    assert is_key(encode(encoder, film[1], 46, force_keyframe=True))
    assert not is_key(encode(encoder, film[2], 47))
    encoder.target_bitrate = 30_000_000  # no more than it is worth
    assert is_key(encode(encoder, film[3], 48))
    assert encoder.codec.bit_rate == sharp_bps(1280, 720)


def test_a_picture_of_another_size_follows(film):
    encoder = Vp8Encoder()
    encode(encoder, film[0], 0)
    small = np.full((540, 640), 128, np.uint8)
    assert is_key(encode(encoder, small, 1))
    assert encoder.codec.bit_rate == sharp_bps(640, 360)
