"""Text on pictures: smooth at any size; drawn words are cached."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

LEAST_CAPITAL_PX = 7
"""Capital letters that are smaller than this cannot be read."""

_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_CAPITAL_PX = 21  # height of a capital at font scale 1
_DIAERESIS = "\N{COMBINING DIAERESIS}"
_OVERSAMPLING = 4  # drawn this much larger, then averaged: OpenCV's small letters have jagged edges

# Latin letters that Unicode's NFKD does not split into a basic letter and an accent.
_NO_ACCENTS = str.maketrans(
    {"Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "ı": "i", "ß": "ss"}
    | {"Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe", "Þ": "Th", "þ": "th", "’": "'", "–": "-"}
)


def sizes(capital_px: int) -> list[int]:
    """Return heights of capitals to try, from ``capital_px`` down to ``LEAST_CAPITAL_PX``."""
    largest = max(capital_px, LEAST_CAPITAL_PX)
    middle = (largest + LEAST_CAPITAL_PX) // 2
    return sorted({largest, middle, LEAST_CAPITAL_PX}, reverse=True)


def line_height(capital_px: int) -> int:
    """Return the height in pixels of a line whose capitals are ``capital_px`` high."""
    return round(capital_px * 1.9)


def ascii_only(text: str) -> str:
    """Return the text in ASCII, which the font has: accents removed, other characters as "?"."""
    parts = unicodedata.normalize("NFKD", text.translate(_NO_ACCENTS))
    letters = "".join(c for c in parts if not unicodedata.combining(c))
    return "".join(c if " " <= c <= "~" else "?" for c in letters)


def writable(text: str) -> bool:
    """Return whether the font has every letter of the text; accents do not count."""
    return ascii_only(text).count("?") == text.count("?")


def _dotted(text: str) -> list[int]:
    """Return which letters of `ascii_only` of the text had two dots above, as in German."""
    places, at = [], 0
    for char in text:
        if _DIAERESIS in unicodedata.normalize("NFD", char):
            places.append(at)
        at += len(ascii_only(char))
    return places


@lru_cache(maxsize=1024)
def coverage(text: str, capital_px: int) -> npt.NDArray[np.float32]:
    """Return how much of each pixel the text covers.

    Args:
        text: one line; letters that the font lacks are drawn as "?".
        capital_px: height of a capital letter in pixels.

    Returns:
        Float32 of shape (line_height(capital_px), width) in [0, 1], read-only; ``width`` is that of
        the text.
    """
    dotted = _dotted(text)
    text = ascii_only(text)
    scale = capital_px * _OVERSAMPLING / _FONT_CAPITAL_PX
    stroke = max(1, round(0.13 * capital_px * _OVERSAMPLING))
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, stroke)
    columns = -(-max(width, 1) // _OVERSAMPLING)
    rows = line_height(capital_px)
    fine = np.zeros((rows * _OVERSAMPLING, columns * _OVERSAMPLING), np.uint8)
    baseline = round((rows + 0.85 * capital_px) / 2 * _OVERSAMPLING)
    cv2.putText(fine, text, (0, baseline), _FONT, scale, 255, stroke, cv2.LINE_AA)
    for place in dotted:
        before, after = (
            cv2.getTextSize(text[:end], _FONT, scale, stroke)[0][0] for end in (place, place + 1)
        )
        middle, away = (before + after) // 2, round(0.2 * capital_px * _OVERSAMPLING)
        height = 1.3 if text[place].isupper() else 1.05  # in capitals, above the baseline
        row = baseline - round(height * capital_px * _OVERSAMPLING)
        for column in (middle - away, middle + away):
            cv2.circle(fine, (column, row), stroke, 255, cv2.FILLED, cv2.LINE_AA)
    mask = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA)
    result = np.asarray(mask / 255, dtype=np.float32)
    result.setflags(write=False)
    return result


def write(
    image_bgr: npt.NDArray[np.uint8],
    text: str,
    corner_xy: tuple[int, int],
    capital_px: int,
    color_bgr: tuple[int, int, int],
) -> None:
    """Write one line into the picture, with its upper left corner at ``corner_xy``.

    Parts outside the picture are cut off.

    Args:
        image_bgr: uint8 of shape (h, w, 3); changed in place.
        text: one line.
        corner_xy: pixels.
        capital_px: height of a capital letter in pixels.
        color_bgr: three values in 0..255.
    """
    alpha = coverage(text, capital_px)
    x, y = corner_xy
    left, top = max(0, -x), max(0, -y)
    part = image_bgr[y + top : max(0, y + alpha.shape[0]), x + left : max(0, x + alpha.shape[1])]
    if not part.size:
        return
    alpha = alpha[top : top + part.shape[0], left : left + part.shape[1], None]
    ink = np.array(color_bgr, np.float32)
    part[:] = np.rint(part + (ink - part) * alpha)
