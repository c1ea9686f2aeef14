"""Stage 3: the face as the network knows faces: upright, square, small."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import as_boxes, square
from emorec.model.network import FACE_SIDE

_SCALE = 1.0  # side of the crop over the detector's box; FER2013's faces are framed like Haar's
_WARPED_PX = 32767  # OpenCV refuses to warp a picture with as many pixels on a side
_LEAST_TILT_DEG = 12.0  # FER2013's faces lean as much: turned upright, fewer are read right
_FEATURES = np.array([[-0.19, -0.15], [0.19, -0.15], [0.0, 0.25]])
"""Both eyes and the mouth of an upright face, from the crop's middle, in its sides: medians of 546
photographs."""


def crop_faces(
    image_gray: npt.NDArray[np.uint8],
    boxes_xyxy: npt.ArrayLike,
    tilts_deg: npt.ArrayLike | None = None,
) -> npt.NDArray[np.uint8]:
    """Cut out the square around each box, turn it upright and bring it to FER2013's size.

    Args:
        image_gray: uint8 of shape (h, w).
        boxes_xyxy: of shape (n, 4), pixels; may reach over the border, which is then repeated.
        tilts_deg: of shape (n,), how far each head leans, as in `Detection`; NaN is upright. None:
            all are upright.

    Returns:
        uint8 of shape (n, 48, 48).
    """
    boxes = square(boxes_xyxy, _SCALE)
    tilts = np.zeros(len(boxes)) if tilts_deg is None else np.asarray(tilts_deg, dtype=np.float64)
    faces = np.empty((len(boxes), FACE_SIDE, FACE_SIDE), dtype=np.uint8)
    for face, box, tilt_deg in zip(faces, boxes, tilts, strict=True):
        if abs(tilt_deg) >= _LEAST_TILT_DEG:
            cut = _turned(image_gray, box, float(tilt_deg))
        else:
            cut = _upright(image_gray, *np.rint(box).astype(int).tolist())
        shrinks = cut.shape[0] > FACE_SIDE
        face[:] = cv2.resize(
            cut,
            (FACE_SIDE, FACE_SIDE),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
    return faces


def share_outside(boxes_xyxy: npt.ArrayLike, size_wh: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return how much of each square that `crop_faces` cuts lies outside the picture, in [0, 1]."""
    crops = square(boxes_xyxy, _SCALE)
    low, high = np.maximum(crops[:, :2], 0), np.minimum(crops[:, 2:], size_wh)
    inside = np.clip(high - low, 0, None).prod(axis=1)
    area = (crops[:, 2:] - crops[:, :2]).prod(axis=1)
    return 1 - np.divide(inside, area, out=np.zeros_like(area), where=area > 0)


def features_inside(
    boxes_xyxy: npt.ArrayLike, tilts_deg: npt.ArrayLike, size_wh: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return for each square that `crop_faces` cuts whether eyes and mouth lie in the picture.

    Args:
        boxes_xyxy: of shape (n, 4), pixels; may reach over the border.
        tilts_deg: of shape (n,), how far each head leans, as in `Detection`; NaN is upright.
        size_wh: of the picture.
    """
    crops = square(boxes_xyxy, _SCALE)
    tilt = np.radians(np.nan_to_num(np.asarray(tilts_deg, dtype=np.float64)))[:, None]
    x, y = _FEATURES.T
    turned = np.stack([x * np.cos(tilt) - y * np.sin(tilt), x * np.sin(tilt) + y * np.cos(tilt)], 2)
    middles, sides = (crops[:, :2] + crops[:, 2:]) / 2, crops[:, 2:] - crops[:, :2]
    points = middles[:, None] + turned * sides[:, None]
    return np.asarray(((points >= 0) & (points <= size_wh)).all(axis=(1, 2)))


def _upright(
    image_gray: npt.NDArray[np.uint8], x1: int, y1: int, x2: int, y2: int
) -> npt.NDArray[np.uint8]:
    """Return the pixels of the square, its border repeated; black where it is wholly outside."""
    height, width = image_gray.shape
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    inside = image_gray[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    if not inside.size:
        return np.zeros((1, 1), dtype=np.uint8)
    if inside.shape == (y2 - y1, x2 - x1):
        return inside
    return np.asarray(
        cv2.copyMakeBorder(
            inside,
            max(-y1, 0),
            max(y2 - height, 0),
            max(-x1, 0),
            max(x2 - width, 0),
            cv2.BORDER_REPLICATE,
        )
    )


def _turned(
    image_gray: npt.NDArray[np.uint8], box: npt.NDArray[np.float64], tilt_deg: float
) -> npt.NDArray[np.uint8]:
    """Return the square turned upright, at about the picture's own detail.

    Turned at a multiple of the network's size that skips no pixel of the picture, and averaged
    afterwards: turned at the network's size straight away, a large face would come out ragged.
    """
    source_side = max(box[2] - box[0], 1.0)
    side = FACE_SIDE * max(1, math.ceil(source_side / FACE_SIDE))
    tilt = math.radians(tilt_deg)
    step = source_side / side
    cos, sin = step * math.cos(tilt), step * math.sin(tilt)
    near, corner = image_gray, np.zeros(2, dtype=int)
    if max(image_gray.shape) >= _WARPED_PX:
        near, corner = around(image_gray, box)
    center = (box[:2] + box[2:]) / 2 - 0.5 - corner  # as OpenCV counts pixels: the first one's is 0
    middle = (side - 1) / 2
    back = np.array(
        [
            [cos, -sin, center[0] - (cos - sin) * middle],
            [sin, cos, center[1] - (sin + cos) * middle],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            near,
            back,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def around(
    image: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int_]]:
    """Return all pixels that the squares can reach when turned, and where they begin (x, y).

    Args:
        image: uint8 of shape (h, w) or (h, w, 3).
        boxes_xyxy: squares of shape (4,) or (n, 4), n at least 1.
    """
    boxes = as_boxes(boxes_xyxy)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    reach = math.sqrt(0.5) * (boxes[:, 2:3] - boxes[:, :1]) + 2
    last = np.array(image.shape[1::-1]) - 1
    x1, y1 = np.clip(np.floor((centers - reach).min(axis=0)), 0, last).astype(int)
    x2, y2 = np.clip(np.ceil((centers + reach).max(axis=0)), 0, last).astype(int) + 1
    return image[y1:y2, x1:x2], np.array([x1, y1])
