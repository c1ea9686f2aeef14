"""Results drawn on the picture: boxes, labels, bars, or faces made unrecognisable."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal, get_args

import cv2
import numpy as np

from emorec.drawing.blur import Image, ahead, blur_all, blur_faces
from emorec.drawing.panel import draw_panels
from emorec.drawing.placement import best_place
from emorec.drawing.text import coverage, line_height, sizes, writable, write
from emorec.emotions import UNSURE, rgb
from emorec.errors import ImageError
from emorec.percent import percent
from emorec.records import Box, Face
from emorec.words import _

__all__ = ["CROWD", "Show", "blur_all", "blur_faces", "draw_faces", "draw_outlines", "moved"]

Show = Literal["label", "all", "blur"]
"""What is drawn of a face: its label; the label and all seven bars; the label on a hidden face."""

CROWD = 16
"""From so many faces on each has an outline and a small number only: words would cover faces."""

Color = tuple[int, int, int]

_DARK: Color = (16, 16, 16)
_LIGHT: Color = (255, 255, 255)
_GREY: Color = rgb(UNSURE)[::-1]
_CAPITALS = 38  # in the shorter side of a picture
_NAMED_WIDTH = 25  # in heights of a capital: a longer name goes over several lines
_DIMMED = 0.4  # of what is drawn is seen
_MOTION_S = 0.3  # a guess older than this is worth less than the place last seen


def draw_faces(
    image_bgr: Image,
    faces: Sequence[Face],
    show: Show = "label",
    dimmed: bool = False,
    group_only: bool = False,
    out: Image | None = None,
) -> Image:
    """Return the picture with every face's box, emotion and confidence drawn on it.

    Where there is more than one face, each has its number too; from ``CROWD`` faces on the number
    stands alone, on the emotion's colour.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        faces: boxes in pixels of this picture; one without area inside it is not drawn. A face
            that is not classified gets its box only; one that cannot be read a thin one, and why.
            A suspect (``track_id`` 0) is blurred as they are, and nothing else is drawn of it.
        show: ``"label"``, ``"all"`` (the seven bars too, where they cover no face) or ``"blur"``
            (faces unrecognisable).
        dimmed: whether what is drawn is half transparent, as it is too old to be relied on. Blur
            is not.
        group_only: whether all boxes are grey and alike, without label, number or bars, so that
            the picture says nothing of any single face.
        out: where it is drawn, of the same shape; may be the picture itself. None: a new array.

    Returns:
        ``out``; where blurred, a new array.

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
        result = blur_faces(image_bgr, [ahead(face) for face in faces])
    elif out is None:
        result = image_bgr.copy()
    else:
        result = out
        if out is not image_bgr:
            np.copyto(out, image_bgr)
    ground = result.copy() if dimmed else result
    size_wh = (image_bgr.shape[1], image_bgr.shape[0])
    seen = [
        (face, box)
        for face in faces
        if face.track_id and (box := _inside(face.box, size_wh)) is not None
    ]
    if group_only:
        for _, box in seen:
            _draw_box(result, box, _GREY, thin=False)
        seen = []
    for face, box in seen:
        _draw_box(result, box, _color(face), thin=face.unreadable is not None)
    # Those that say something about a person choose their places first.
    labelled = [(face, box) for face, box in seen if face.classified]
    labelled += [(face, box) for face, box in seen if face.unreadable is not None]
    boxes = [box for _, box in seen]
    plates, capital_px = _plates(labelled, boxes, size_wh)
    if show == "all" and len(seen) < CROWD:
        read = [(face, box, plate) for face, box, plate in plates if face.classified]
        draw_panels(result, read, [*boxes, *(plate for _, _, plate in plates)], capital_px)
    for face, _, plate in plates:
        _draw_plate(result, face, plate, capital_px, len(seen))
    if dimmed:
        cv2.addWeighted(result, _DIMMED, ground, 1 - _DIMMED, 0, dst=result)
    return result


def draw_outlines(image_bgr: Image, faces: Sequence[Face]) -> Image:
    """Return the picture with a box around every face in its emotion's colour, without words.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        faces: boxes in pixels of this picture.
    """
    result = image_bgr.copy()
    for face in faces:
        box = _inside(face.box, (image_bgr.shape[1], image_bgr.shape[0]))
        if box is not None:
            _draw_box(result, box, _color(face), thin=face.unreadable is not None)
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


def _draw_box(image_bgr: Image, box: Box, color: Color, thin: bool) -> None:
    height, width = image_bgr.shape[:2]
    line = max(2, round(min(height, width) / 200))
    if thin:
        line = max(1, line // 2)
    edge = line // 2 + 1  # keeps the whole stroke in the picture
    right, bottom = max(edge, width - 1 - edge), max(edge, height - 1 - edge)
    x1, x2 = (min(max(x, edge), right) for x in (box.x1, box.x2 - 1))
    y1, y2 = (min(max(y, edge), bottom) for y in (box.y1, box.y2 - 1))
    if not thin:
        cv2.rectangle(image_bgr, (x1, y1), (x2, y2), _DARK, line + 2, cv2.LINE_AA)
    cv2.rectangle(image_bgr, (x1, y1), (x2, y2), color, line, cv2.LINE_AA)


def _lines(face: Face, capital_px: int, width: int, faces: int) -> list[str]:
    """Return the label as lines that fit a picture of this width and so many faces."""
    number = str(face.track_id)
    if faces >= CROWD:
        return [number]
    if face.unreadable is not None:
        label = _(face.unreadable)
    elif face.emotion is None:
        label = _(UNSURE)
    else:
        label = f"{_(face.emotion)} {percent(face.confidence)}"
    known = face.name if face.name is not None and writable(face.name) else None
    if faces > 1:
        label = f"{number} {known} {label}" if known else f"{number} {label}"
    elif face.name is not None:
        # The card beside the picture can write any name, and says its face's number.
        label = f"{known or _('Face {number}').format(number=number)} {label}"
    if face.name is not None:
        width = min(width, _NAMED_WIDTH * capital_px)
    if coverage(label, capital_px).shape[1] + capital_px <= width:
        return [label]
    return textwrap.wrap(label, max(1, width // capital_px - 1))


def _plates(
    labelled: Sequence[tuple[Face, Box]], boxes: Sequence[Box], size_wh: tuple[int, int]
) -> tuple[list[tuple[Face, Box, Box]], int]:
    """Return each face with its box and its label's place, and the height of a capital letter.

    Where labels would cover each other, or a face, all are made smaller.
    """
    faces = len(boxes)
    for capital_px in sizes(round(min(size_wh) / _CAPITALS)):
        plates: list[tuple[Face, Box, Box]] = []
        covered = 0.0
        for face, box in labelled:
            lines = _lines(face, capital_px, size_wh[0], faces)
            w = max(coverage(line, capital_px).shape[1] for line in lines) + capital_px
            h = line_height(capital_px) * len(lines)
            rows = (box.y1 - h, box.y2, box.y1)
            lefts = (box.x1, box.x2 - w, (box.x1 + box.x2 - w) // 2)
            places = [(x, y) for y in rows for x in lefts]
            taken = [other for other in boxes if other != box] + [plate for _, _, plate in plates]
            plate, lost = best_place(places, (w, h), size_wh, box, taken)
            plates.append((face, box, plate))
            covered += lost
        if not covered:
            break
    return plates, capital_px


def _draw_plate(image_bgr: Image, face: Face, plate: Box, capital_px: int, faces: int) -> None:
    part = image_bgr[plate.y1 : plate.y2, plate.x1 : plate.x2]
    lines = tuple(_lines(face, capital_px, image_bgr.shape[1], faces))
    drawn = _plate_with(lines, (plate.width, plate.height), capital_px, _color(face))
    part[:] = drawn[: part.shape[0], : part.shape[1]]  # a label may be larger than the picture


@lru_cache(maxsize=256)
def _plate_with(
    lines: tuple[str, ...], size_wh: tuple[int, int], capital_px: int, color: Color
) -> Image:
    """Return a label, read-only: in a video it is the same in many frames."""
    plate = np.full((size_wh[1], size_wh[0], 3), color, np.uint8)
    for i, line in enumerate(lines):
        write(plate, line, (capital_px // 2, i * line_height(capital_px)), capital_px, _ink(color))
    plate.setflags(write=False)
    return plate
