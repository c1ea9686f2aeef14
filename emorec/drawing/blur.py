"""Makes faces unrecognisable: coarse blocks over each face, or over the whole picture."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from emorec.records import Box, Face

Image = npt.NDArray[np.uint8]

_BLOCKS = 6  # across a face: too few to show an eye or a mouth, or for a detector to find the face
_MARGIN_SIDE, _MARGIN_TOP, _MARGIN_BOTTOM = 0.25, 0.45, 0.3  # ears, hair, chin; in longer sides
_AHEAD_S = 0.1  # how far a box grows in the direction in which its face moves …
_MOST_AHEAD = 0.5  # … and how far at most, in longer sides


def blur_faces(image_bgr: Image, boxes: Iterable[Box]) -> Image:
    """Return the picture with every box, and a margin for hair and chin, in coarse blocks.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        boxes: pixels; may reach over the border. An empty box is skipped. A box that was cut by
            the border has the margins of its longer side.

    Returns:
        A new picture of the same shape.
    """
    result = image_bgr.copy()
    height, width = image_bgr.shape[:2]
    for box in boxes:
        if box.width <= 0 or box.height <= 0:
            continue
        side = max(box.width, box.height)
        x1, x2 = (
            np.clip((box.x1 - _MARGIN_SIDE * side, box.x2 + _MARGIN_SIDE * side), 0, width)
            .round()
            .astype(int)
        )
        y1, y2 = (
            np.clip((box.y1 - _MARGIN_TOP * side, box.y2 + _MARGIN_BOTTOM * side), 0, height)
            .round()
            .astype(int)
        )
        part = result[y1:y2, x1:x2]
        if part.size:
            small = cv2.resize(part, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return result


def ahead(face: Face) -> Box:
    """Return the face's box, grown in the direction in which the face moves."""
    if face.box.width <= 0 or face.box.height <= 0:
        return face.box
    most = _MOST_AHEAD * max(face.box.width, face.box.height)
    dx, dy = (min(max(v * _AHEAD_S, -most), most) for v in face.velocity_xy)
    x1, y1, x2, y2 = face.box
    return Box(
        round(x1 + min(dx, 0)),
        round(y1 + min(dy, 0)),
        round(x2 + max(dx, 0)),
        round(y2 + max(dy, 0)),
    )


def blur_all(image_bgr: Image) -> Image:
    """Return the whole picture blurred, for a picture whose faces are not known yet.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.

    Returns:
        A new picture of the same shape. Of a face that fills it, only 6 × 6 patches are left.
    """
    height, width = image_bgr.shape[:2]
    if not image_bgr.size:
        return image_bgr.copy()
    small = cv2.resize(image_bgr, (_BLOCKS, _BLOCKS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
