"""Geometry of boxes: overlap, clipping, squares.

All boxes are half-open ``x1, y1, x2, y2`` in pixels, float64 arrays of shape (n, 4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]

_ROW = 0.75  # of a box's height: centres nearer than this stand in one row


def as_boxes(boxes: npt.ArrayLike) -> Boxes:
    """Return the boxes as float64 of shape (n, 4); (0, 4) if there are none."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)


def iou(a_xyxy: npt.ArrayLike, b_xyxy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the intersection over union of every box of ``a`` with every box of ``b``.

    Args:
        a_xyxy: boxes of shape (n, 4).
        b_xyxy: boxes of shape (m, 4).

    Returns:
        float64 of shape (n, m), in [0, 1]. An empty box overlaps nothing.
    """
    a, b = as_boxes(a_xyxy), as_boxes(b_xyxy)
    inter = _intersection(a, b)
    union = _area(a)[:, None] + _area(b)[None, :] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def share_inside(a_xyxy: npt.ArrayLike, b_xyxy: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share of each box of ``a`` that lies inside each box of ``b``.

    Args:
        a_xyxy: boxes of shape (n, 4).
        b_xyxy: boxes of shape (m, 4).

    Returns:
        float64 of shape (n, m), in [0, 1]; 0 for an empty box.
    """
    a, b = as_boxes(a_xyxy), as_boxes(b_xyxy)
    inter, area = _intersection(a, b), np.broadcast_to(_area(a)[:, None], (len(a), len(b)))
    return np.divide(inter, area, out=np.zeros_like(inter), where=area > 0)


# A live picture asks for these and for `clip` some forty times a reading, of one to three boxes:
# `np.clip` and `prod` took half of the time.
def _intersection(a: Boxes, b: Boxes) -> npt.NDArray[np.float64]:
    corner_1 = np.maximum(a[:, None, :2], b[None, :, :2])
    corner_2 = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(corner_2 - corner_1, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def _area(boxes: Boxes) -> npt.NDArray[np.float64]:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def clip(boxes_xyxy: npt.ArrayLike, size_wh: tuple[int, int]) -> Boxes:
    """Return the boxes clipped to a picture; a box outside it becomes empty."""
    width, height = size_wh
    return np.minimum(np.maximum(as_boxes(boxes_xyxy), 0), [width, height, width, height])


def square(boxes_xyxy: npt.ArrayLike, scale: float = 1.0) -> Boxes:
    """Return squares with the boxes' centres; their side is the box's longer side times ``scale``.

    They may reach over the border of the picture.
    """
    boxes = as_boxes(boxes_xyxy)
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) * scale / 2
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.hstack([center - half, center + half])


def distinct(boxes_xyxy: npt.ArrayLike, same_iou: float) -> list[int]:
    """Return the indices of the boxes that greedy non-maximum suppression leaves.

    Args:
        boxes_xyxy: of shape (n, 4), sorted by falling score.
        same_iou: in (0, 1]: two boxes that overlap at least this much count as the same.
    """
    boxes = as_boxes(boxes_xyxy)
    if len(boxes) < 2:  # the usual case of a live picture
        return list(range(len(boxes)))
    other = iou(boxes, boxes) < same_iou
    free = np.ones(len(boxes), dtype=bool)
    left: list[int] = []
    for number, apart in enumerate(other):
        if free[number]:
            left.append(number)
            free &= apart
    return left


def reading_order(boxes_xyxy: npt.ArrayLike) -> list[int]:
    """Return the indices of boxes in the order in which a page is read: row by row, from the left.

    The highest box that is left begins a row; a box belongs to it if their centres are less than
    three quarters of the row's mean height apart.

    Args:
        boxes_xyxy: of shape (n, 4).
    """
    boxes = as_boxes(boxes_xyxy)
    heights, middles = boxes[:, 3] - boxes[:, 1], (boxes[:, 1] + boxes[:, 3]) / 2
    order: list[int] = []
    row: list[int] = []
    for index in np.argsort(middles, kind="stable").tolist():
        if row and middles[index] - middles[row].mean() >= _ROW * heights[row].mean():
            order += sorted(row, key=lambda one: tuple(boxes[one]))
            row = []
        row.append(index)
    return order + sorted(row, key=lambda one: tuple(boxes[one]))
