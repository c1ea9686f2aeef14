"""Results drawn on the picture: boxes, labels, bars, or faces made unrecognisable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import cv2
import numpy as np

from emorec.drawing.blur import Image, blur_all, blur_faces
from emorec.drawing.placement import best_place
from emorec.drawing.text import coverage, line_height, write
from emorec.emotions import EMOTIONS, UNSURE, rgb
from emorec.errors import ImageError
from emorec.records import Box, Face

__all__ = ["Show", "blur_all", "blur_faces", "draw_faces", "moved"]

Show = Literal["label", "all", "blur"]
"""What is drawn of a face: its label; the label and all seven bars; the label on a hidden face."""

Color = tuple[int, int, int]

_DARK: Color = (16, 16, 16)
_LIGHT: Color = (255, 255, 255)
_LEAST_CAPITAL_PX = 7
_MOTION_S = 0.3  # a guess older than this is worth less than the place last seen


def draw_faces(image_bgr: Image, faces: Sequence[Face], show: Show = "label") -> Image:
    """Return the picture with every face's box, emotion and confidence drawn on it.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        faces: boxes in pixels of this picture; one without area inside it is not drawn. A face
            that is not classified gets its box only.
        show: ``"label"``, ``"all"`` (the seven bars too) or ``"blur"`` (faces unrecognisable).

    Returns:
        A new picture of the same shape.

    Raises:
        ImageError: the picture is not uint8 of shape (h, w, 3).
        ValueError: ``show`` is none of the three.
    """
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3:
        received = f"{image_bgr.dtype} of shape {image_bgr.shape}"
        raise ImageError(f"Expected a picture, uint8 of shape (h, w, 3). Received {received}.")
    if show not in get_args(Show):
        raise ValueError(f"Expected show to be one of {get_args(Show)}. Received {show!r}.")
    if show == "blur":
        result = blur_faces(image_bgr, [face.box for face in faces])
    else:
        result = image_bgr.copy()
    size_wh = (image_bgr.shape[1], image_bgr.shape[0])
    seen = [(face, box) for face in faces if (box := _inside(face.box, size_wh)) is not None]
    for face, box in seen:
        _draw_box(result, box, _color(face))
    labelled = [(face, box) for face, box in seen if face.classified]
    if not labelled:
        return result
    boxes = [box for _, box in seen]
    largest = max(_LEAST_CAPITAL_PX, round(min(size_wh) / 38))
    sizes = sorted({largest, (largest + _LEAST_CAPITAL_PX) // 2, _LEAST_CAPITAL_PX}, reverse=True)
    plates: list[tuple[Face, Box | None, Box]] = []
    for capital_px in sizes:  # where faces crowd, smaller letters make room
        plates, covered = _arrange(labelled, boxes, size_wh, capital_px, bars=show == "all")
        if not covered:
            break
    for face, panel, _ in plates:
        if panel is not None:
            _draw_bars(result, face, panel, capital_px)
    for face, _, plate in plates:
        _draw_plate(result, face, plate, capital_px)
    return result


def moved(faces: Sequence[Face], seconds: float, size_wh: tuple[int, int]) -> tuple[Face, ...]:
    """Return the faces where they are likely to be a moment later, so that boxes do not trail.

    Args:
        faces: as they were found.
        seconds: since then; no more than 0.3 s of motion, and no more than a box's width, is
            believed.
        size_wh: of the picture, in pixels; the boxes are clipped to it.
    """
    seconds = min(max(seconds, 0.0), _MOTION_S)
    width, height = size_wh
    result = []
    for face in faces:
        dx, dy = (seconds * v for v in face.velocity_xy)
        distance = math.hypot(dx, dy)
        if distance > face.box.width:
            dx, dy = dx * face.box.width / distance, dy * face.box.width / distance
        x1, y1, x2, y2 = face.box
        box = Box(
            min(max(round(x1 + dx), 0), width),
            min(max(round(y1 + dy), 0), height),
            min(max(round(x2 + dx), 0), width),
            min(max(round(y2 + dy), 0), height),
        )
        result.append(replace(face, box=box))
    return tuple(result)


def _inside(box: Box, size_wh: tuple[int, int]) -> Box | None:
    width, height = size_wh
    cut = Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, width), min(box.y2, height))
    return cut if cut.width > 0 and cut.height > 0 else None


def _color(face: Face) -> Color:
    red, green, blue = rgb(face.emotion if face.emotion and face.classified else UNSURE)
    return blue, green, red


def _ink(ground: Color) -> Color:
    """Return black or white, whichever contrasts more with the ground (WCAG 2 luminance)."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (channel / 255 for channel in ground)
    ]
    luminance = 0.0722 * linear[0] + 0.7152 * linear[1] + 0.2126 * linear[2]
    return (0, 0, 0) if luminance > 0.179 else _LIGHT


def _label(face: Face) -> str:
    what = UNSURE if face.emotion is None else f"{face.emotion} {round(face.confidence * 100)} %"
    return what if face.name is None else f"{face.name} {what}"


def _draw_box(image_bgr: Image, box: Box, color: Color) -> None:
    height, width = image_bgr.shape[:2]
    line = max(2, round(min(height, width) / 200))
    edge = line // 2 + 1  # keeps the whole stroke in the picture
    x1, x2 = np.clip((box.x1, box.x2 - 1), edge, max(edge, width - 1 - edge)).tolist()
    y1, y2 = np.clip((box.y1, box.y2 - 1), edge, max(edge, height - 1 - edge)).tolist()
    cv2.rectangle(image_bgr, (x1, y1), (x2, y2), _DARK, line + 2, cv2.LINE_AA)
    cv2.rectangle(image_bgr, (x1, y1), (x2, y2), color, line, cv2.LINE_AA)


def _plate_size(face: Face, capital_px: int) -> tuple[int, int]:
    return coverage(_label(face), capital_px).shape[1] + capital_px, line_height(capital_px)


def _panel_size(capital_px: int) -> tuple[int, int]:
    small = max(_LEAST_CAPITAL_PX, round(capital_px * 0.8))
    names = max(coverage(emotion, small).shape[1] for emotion in EMOTIONS)
    return names + 8 * small, len(EMOTIONS) * line_height(small) + small


def _arrange(
    labelled: Sequence[tuple[Face, Box]],
    boxes: Sequence[Box],
    size_wh: tuple[int, int],
    capital_px: int,
    bars: bool,
) -> tuple[list[tuple[Face, Box | None, Box]], float]:
    """Return each face with the places of its bars and of its plate, and the pixels covered."""
    taken = list(boxes)
    covered = 0.0
    plates = []
    for face, box in labelled:
        w, h = _plate_size(face, capital_px)
        lefts = (box.x1, box.x2 - w, (box.x1 + box.x2 - w) // 2)
        rows = (box.y1 - h, box.y2, box.y1 - 2 * h, box.y2 + h)
        plate, lost = best_place([(x, y) for y in rows for x in lefts], (w, h), size_wh, taken)
        taken.append(plate)
        covered += lost
        plates.append((face, plate, box))
    result = []
    for face, plate, box in plates:
        panel = None
        if bars:
            w, h = _panel_size(capital_px)
            gap = capital_px // 2
            places = [
                (x, y)
                for x in (box.x2 + gap, box.x1 - w - gap)
                for y in (box.y1, box.y2 - h, (box.y1 + box.y2 - h) // 2)
            ] + [(x, y) for y in (box.y2 + gap, box.y1 - h) for x in (box.x1, box.x2 - w)]
            panel, lost = best_place(places, (w, h), size_wh, taken)
            taken.append(panel)
            covered += lost
        result.append((face, panel, plate))
    return result, covered


def _draw_plate(image_bgr: Image, face: Face, plate: Box, capital_px: int) -> None:
    color = _color(face)
    image_bgr[plate.y1 : plate.y2, plate.x1 : plate.x2] = color
    write(image_bgr, _label(face), (plate.x1 + capital_px // 2, plate.y1), capital_px, _ink(color))


def _draw_bars(image_bgr: Image, face: Face, panel: Box, capital_px: int) -> None:
    small = max(_LEAST_CAPITAL_PX, round(capital_px * 0.8))
    ground = image_bgr[panel.y1 : panel.y2, panel.x1 : panel.x2]
    ground[:] = ground // 4 + 12
    names = max(coverage(emotion, small).shape[1] for emotion in EMOTIONS)
    x = panel.x1 + names + small
    room = 6.5 * small
    for i, emotion in enumerate(EMOTIONS):
        y = panel.y1 + small // 2 + i * line_height(small)
        write(image_bgr, emotion, (panel.x1 + small // 2, y), small, _LIGHT)
        red, green, blue = rgb(emotion)
        top, bottom = y + small // 2, y + line_height(small) - small // 2
        image_bgr[top:bottom, x : x + round(room)] = (70, 70, 70)
        image_bgr[top:bottom, x : x + round(room * float(face.probs[i]))] = (blue, green, red)
