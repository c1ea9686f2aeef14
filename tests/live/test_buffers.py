"""Memory is used again only when nothing else holds it."""

from __future__ import annotations

import av
import numpy as np

from emorec.live.buffers import Buffers
from emorec.live.frame import Frame, FrameMemory


def test_an_array_that_is_held_is_not_given_again() -> None:
    buffers = Buffers()
    held = [buffers.take((4, 4)) for _ in range(20)]
    assert len({id(array) for array in held}) == 20
    view = held[0][1:, ::-1]
    del held
    assert not any(np.shares_memory(view, buffers.take((4, 4))) for _ in range(20))


def test_an_array_that_nothing_holds_is_given_again_to_be_written_to() -> None:
    buffers = Buffers()
    first = buffers.take((4, 4))
    first.setflags(write=False)
    place = first.ctypes.data
    del first
    again = buffers.take((4, 4))
    assert again.ctypes.data == place and again.flags.writeable
    del again
    assert buffers.take((6, 4)).shape == (6, 4)


def test_a_converted_frame_keeps_its_pixels_while_others_are_converted() -> None:
    memory = FrameMemory()
    pictures = []
    for gray in range(20):
        image = np.full((48, 64, 3), 10 * gray, np.uint8)
        picture = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
        pictures.append(Frame(picture, 0.0, memory).image())
    means = [picture.mean() for picture in pictures]
    np.testing.assert_allclose(means, [10 * gray for gray in range(20)], atol=2)


def test_the_pixels_are_those_of_pyav() -> None:
    chance = np.random.default_rng(0)
    for width, height in ((64, 48), (62, 46), (35, 21), (480, 270)):
        coarse = chance.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        image = coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
        picture = picture.reformat(format="yuv420p")
        own = Frame(picture, 0.0).image().astype(int)
        difference = np.abs(own - picture.to_ndarray(format="bgr24"))
        assert own.shape == (height, width, 3) and difference.mean() < 4
