"""The seven probabilities of a face as a small panel of bars on the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emorec.drawing.placement import best_place
from emorec.drawing.text import coverage, line_height, sizes, write
from emorec.emotions import EMOTIONS, rgb
from emorec.records import Box, Face

_BAR_WIDTH = 6  # in heights of a capital
_MOST_OF_OWN = 0.3  # of the face's box that its panel may cover
_LEAST_BOX_PX = 40  # in a lower box the bars would hide the face
_INK = (255, 255, 255)
_TRACK = (100, 100, 100)


def draw_panels(
    image_bgr: npt.NDArray[np.uint8],
    labelled: Sequence[tuple[Face, Box, Box]],
    taken: Sequence[Box],
    capital_px: int,
) -> None:
    """Draw each face's panel beside it; where there is no room for all, bars alone in its box.

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
    for (face, box, _), panel in zip(labelled, panels, strict=True):
        if panel is not None:
            _draw_named(image_bgr, face, panel, size)
        elif box.height >= _LEAST_BOX_PX:
            _draw_small(image_bgr, face, box)


def _places(
    labelled: Sequence[tuple[Face, Box, Box]],
    taken: Sequence[Box],
    picture_wh: tuple[int, int],
    size: int,
) -> list[Box | None]:
    """Return each face's panel; None where it would cover another or much of its own face."""
    w = _names_width(size) + (_BAR_WIDTH + 2) * size
    h = len(EMOTIONS) * line_height(size) + size
    gap = max(2, size // 2)
    panels: list[Box | None] = []
    taken = list(taken)
    for _, box, plate in labelled:
        top, bottom = min(box.y1, plate.y1), max(box.y2, plate.y2)
        beside = (box.y1, box.y2 - h, (box.y1 + box.y2 - h) // 2)
        places = [(x, y) for x in (box.x2 + gap, box.x1 - w - gap) for y in beside]
        places += [(x, y) for y in (bottom + gap, top - h - gap) for x in (box.x1, box.x2 - w)]
        others = [other for other in taken if other != box]
        panel, covered = best_place(places, (w, h), picture_wh, box, others)
        own = max(0, min(panel.x2, box.x2) - max(panel.x1, box.x1)) * max(
            0, min(panel.y2, box.y2) - max(panel.y1, box.y1)
        )
        if covered or own > _MOST_OF_OWN * box.width * box.height:
            panels.append(None)
        else:
            panels.append(panel)
            taken.append(panel)
    return panels


def _names_width(size: int) -> int:
    return max(coverage(emotion, size).shape[1] for emotion in EMOTIONS)


def _draw_named(image_bgr: npt.NDArray[np.uint8], face: Face, panel: Box, size: int) -> None:
    _shade(image_bgr, panel)
    x = panel.x1 + size + _names_width(size)
    step = line_height(size)
    for i, emotion in enumerate(EMOTIONS):
        y = panel.y1 + size // 2 + i * step
        write(image_bgr, emotion, (panel.x1 + size // 2, y), size, _INK)
        margin = (step - size) // 2
        bar = Box(x, y + margin, x + _BAR_WIDTH * size, y + step - margin)
        _draw_bar(image_bgr, bar, emotion, float(face.probs[i]))


def _draw_small(image_bgr: npt.NDArray[np.uint8], face: Face, box: Box) -> None:
    """Draw the bars without names, colours telling them apart, along the bottom of the box."""
    step = max(3, box.height // 18)
    inset = max(2, box.width // 16)
    bottom = box.y2 - inset
    ground = Box(box.x1 + inset, bottom - len(EMOTIONS) * step, box.x2 - inset, bottom)
    _shade(image_bgr, ground)
    for i, emotion in enumerate(EMOTIONS):
        y = ground.y1 + i * step
        bar = Box(ground.x1, y, ground.x2, y + max(1, step - 1))
        _draw_bar(image_bgr, bar, emotion, float(face.probs[i]))


def _shade(image_bgr: npt.NDArray[np.uint8], area: Box) -> None:
    ground = image_bgr[max(0, area.y1) : max(0, area.y2), max(0, area.x1) : max(0, area.x2)]
    ground[:] = ground // 5 + 8


def _draw_bar(image_bgr: npt.NDArray[np.uint8], bar: Box, emotion: str, share: float) -> None:
    rows = image_bgr[max(0, bar.y1) : max(0, bar.y2)]
    full = bar.x1 + round(bar.width * share)
    rows[:, max(0, bar.x1) : max(0, bar.x2)] = _TRACK
    rows[:, max(0, bar.x1) : max(0, full)] = rgb(emotion)[::-1]
