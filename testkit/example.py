"""Makes the film behind "Try an example": `python -m testkit.example`; look at it afterwards.

It shows two people, whose portraits are in the public domain: Eileen Collins (NASA), from
scikit-image, and Grace Hopper (US Navy), from Matplotlib. This program alone moves their heads:
first two of them, then six, then eighteen, so that each of the Live page's three views is seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import av
import cv2
import numpy as np
import numpy.typing as npt

from emorec.pages.live.example import FILM
from testkit.portraits import collins, cut, hopper, resized

SIZE_WH = (960, 540)
FPS = 20
SCENES = ((2, 1, 190, 6.0), (3, 2, 120, 6.0), (6, 3, 74, 18.0))
"""Columns and rows of heads, the side of a face in pixels, and seconds: the last is long enough for
the room's mood line, which a face counts in after five seconds."""
MOST_BYTES = 1_500_000
_MARGINS = (0.45, 0.5, 0.45, 0.55)  # around a face, in its sides

Image = npt.NDArray[np.uint8]


def main() -> int:
    """Write the film and return the exit code."""
    with av.open(str(FILM), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height = SIZE_WH
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "27", "preset": "slow", "movflags": "faststart"}
        for image in frames():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    size = FILM.stat().st_size
    print(f"{FILM}: {size} bytes")
    return 0 if size <= MOST_BYTES else 1


def frames() -> Iterator[Image]:
    """Yield every frame, uint8 (h, w, 3), blue first."""
    for columns, rows, face_px, length_s in SCENES:
        heads = [_head(number, face_px) for number in range(columns * rows)]
        for step in range(round(length_s * FPS)):
            yield _frame(heads, columns, rows, face_px, step / FPS)


def _head(number: int, face_px: int) -> Image:
    """Return one of the two portraits, mirrored for every second pair."""
    person = (collins, hopper)[(number + number // 6) % 2]()
    image = resized(cut(person, *_MARGINS), face_px).image_bgr
    return np.ascontiguousarray(image[:, ::-1]) if number % 4 >= 2 else image


def _frame(heads: list[Image], columns: int, rows: int, face_px: int, time_s: float) -> Image:
    """Paint all heads on a plain room; each sways by a fifth of a face in its own rhythm."""
    width, height = SIZE_WH
    shade = np.linspace(120, 165, height)[:, None, None]
    image = np.broadcast_to(shade, (height, width, 3)).astype(np.uint8).copy()
    for number, head in enumerate(heads):
        phase = 2.4 * number
        sway = 0.2 * face_px * np.sin(2 * np.pi * 0.22 * time_s + phase)
        nod = 0.08 * face_px * np.sin(2 * np.pi * 0.31 * time_s + 2 * phase)
        x = (number % columns + 0.5) * width / columns - head.shape[1] / 2 + sway
        y = (number // columns + 0.5) * height / rows - head.shape[0] / 2 + nod
        move = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
        cv2.warpAffine(
            head,
            move,
            SIZE_WH,
            dst=image,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
    return image


if __name__ == "__main__":
    sys.exit(main())
