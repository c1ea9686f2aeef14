"""The seven probabilities of a face as a small panel of bars on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emorec.drawing.placement import best_place
from emorec.drawing.text import coverage, line_height, sizes, write
from emorec.emotions import EMOTIONS, rgb
from emorec.records import Box, Face
from emorec.words import _

_BAR_WIDTH = 6  # in heights of a capital
_INK = (255, 255, 255)
_TRACK = (100, 100, 100)


def draw_panels(
    image_bgr: npt.NDArray[np.uint8],
    labelled: Sequence[tuple[Face, Box, Box]],
    taken: Sequence[Box],
    capital_px: int,
) -> None:
    """Draw each face's panel beside it; a face beside which there is no room gets none.

    A panel covers no face, no label and no other panel.

    Args:
        image_bgr: uint8 of shape (h, w, 3); changed in place.
        labelled: classified faces, each with its box and the plate of its label.
        taken: every box and plate in the picture.
        capital_px: height of a capital letter at most.
    """
    picture_wh = (image_bgr.shape[1], image_bgr.shape[0])
    for size in sizes(round(0.85 * capital_px)):
        panels = _places(labelled, taken, picture_wh, size)
        if None not in panels:
            break
    for (face, _box, _plate), panel in zip(labelled, panels, strict=True):
        if panel is not None:
            _draw_named(image_bgr, face, panel, size)


def _places(
    labelled: Sequence[tuple[Face, Box, Box]],
    taken: Sequence[Box],
    picture_wh: tuple[int, int],
    size: int,
) -> list[Box | None]:
    """Return each face's panel; None where it would cover something."""
    w = _names_width(size) + (_BAR_WIDTH + 2) * size
    h = len(EMOTIONS) * line_height(size) + size
    gap = max(2, size // 2)
    panels: list[Box | None] = []
    taken = list(taken)
    for _face, box, plate in labelled:
        top, bottom = min(box.y1, plate.y1), max(box.y2, plate.y2)
        beside = (box.y1, box.y2 - h, (box.y1 + box.y2 - h) // 2)
        places = [(x, y) for x in (box.x2 + gap, box.x1 - w - gap) for y in beside]
        places += [(x, y) for y in (bottom + gap, top - h - gap) for x in (box.x1, box.x2 - w)]
        panel, covered = best_place(places, (w, h), picture_wh, box, taken)
        if covered:
            panels.append(None)
        else:
            panels.append(panel)
            taken.append(panel)
    return panels


def _names_width(size: int) -> int:
    return max(coverage(_(emotion), size).shape[1] for emotion in EMOTIONS)


def _draw_named(image_bgr: npt.NDArray[np.uint8], face: Face, panel: Box, size: int) -> None:
    _shade(image_bgr, panel)
    x = panel.x1 + size + _names_width(size)
    step = line_height(size)
    for i, emotion in enumerate(EMOTIONS):
        y = panel.y1 + size // 2 + i * step
        write(image_bgr, _(emotion), (panel.x1 + size // 2, y), size, _INK)
        margin = (step - size) // 2
        bar = Box(x, y + margin, x + _BAR_WIDTH * size, y + step - margin)
        _draw_bar(image_bgr, bar, emotion, float(face.probs[i]))


def _shade(image_bgr: npt.NDArray[np.uint8], area: Box) -> None:
    ground = image_bgr[max(0, area.y1) : max(0, area.y2), max(0, area.x1) : max(0, area.x2)]
    ground[:] = ground // 5 + 8


def _draw_bar(image_bgr: npt.NDArray[np.uint8], bar: Box, emotion: str, share: float) -> None:
    rows = image_bgr[max(0, bar.y1) : max(0, bar.y2)]
    full = bar.x1 + round(bar.width * share)
    rows[:, max(0, bar.x1) : max(0, bar.x2)] = _TRACK
    rows[:, max(0, bar.x1) : max(0, full)] = rgb(emotion)[::-1]
