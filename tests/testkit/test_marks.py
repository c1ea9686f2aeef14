from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from testkit import marks
from testkit.film import LOOP, NUMBER_BITS


def luma(image: np.ndarray) -> np.ndarray:
    return av.VideoFrame.from_ndarray(image, format="bgr24").to_ndarray(format="gray")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640), np.uint8),
        np.full((480, 640), 32, np.uint8),  # what is sent before the first picture
        np.full((480, 640), 255, np.uint8),
        np.zeros((16, 32), np.uint8),  # too narrow
    ],
)
def test_no_number(image: np.ndarray) -> None:
    assert marks.read(image, NUMBER_BITS) is None


@given(
    st.integers(1, 20).flatmap(lambda bits: st.tuples(st.just(bits), st.integers(0, 2**bits - 1)))
)
def test_a_number_comes_back(wanted: tuple[int, int]) -> None:
    bits, number = wanted
    image = np.full((48, 640, 3), 90, np.uint8)
    marks.write(image, number, bits)
    assert marks.read(luma(image), bits) == number
    assert marks.read(luma(image[:, ::-1])[:, ::-1], bits) == number
    assert (image[: -marks.SIDE] == 90).all()


def test_a_flipped_square_is_no_number() -> None:
    image = np.zeros((48, 640, 3), np.uint8)
    marks.write(image, 5, NUMBER_BITS)
    image[-marks.SIDE :, 3 * marks.SIDE : 4 * marks.SIDE] ^= 255
    assert marks.read(luma(image), NUMBER_BITS) is None


def test_every_frame_of_the_film_tells_its_number(film: Path) -> None:
    with av.open(str(film)) as played:
        numbers = [
            marks.read(frame.to_ndarray(format="gray"), NUMBER_BITS)
            for frame in played.decode(video=0)
        ]
    assert numbers == list(range(LOOP))
