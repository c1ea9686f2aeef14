"""Numbers written into a picture as squares that stay readable after video coding.

A picture that passes a browser, a network and a server keeps no metadata. The squares identify the
camera frame that a received picture was made of, and with it the time of that frame.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

SIDE = 16
"""Pixels: a macroblock of VP8, so that neighbours do not blur into each other."""
_DARK, _LIGHT = 16, 235


def write(image: Image, number: int, bits: int) -> None:
    """Write a number into the lowest squares of a picture, from its left border.

    The first two squares are light and dark, the last one is the parity, so that other content is
    not read as a number.

    Args:
        image: uint8 (h, w, 3), written to; at least ``(bits + 3) * SIDE`` wide.
        number: at least 0 and below ``2**bits``.
        bits: how many squares the number takes.
    """
    digits = [number >> place & 1 for place in range(bits)]
    for column, digit in enumerate([1, 0, *digits, sum(digits) % 2]):
        image[-SIDE:, column * SIDE : (column + 1) * SIDE] = _LIGHT if digit else _DARK


def read(luma: Image, bits: int) -> int | None:
    """Return the number in a picture's lowest squares; None if there is none.

    Args:
        luma: uint8 (h, w). Of a mirrored picture, pass ``luma[:, ::-1]``.
        bits: how many squares the number takes.
    """
    squares = luma[-SIDE // 2, SIDE // 2 : (bits + 3) * SIDE : SIDE]
    if len(squares) < bits + 3:
        return None
    first, second, *digits, parity = [int(square > 127) for square in squares]
    if (first, second) != (1, 0) or sum(digits) % 2 != parity:
        return None
    return sum(digit << place for place, digit in enumerate(digits))
