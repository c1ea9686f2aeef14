"""BlazeFace's network: its input cut from the picture, its run, and the faces among its anchors."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from emorec.model.runtime import quiet
from emorec.pipeline.tiles import Patch
from emorec.records import Detection

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

SAME = 0.3
"""IoU from which two detections are one face."""

_STRIDES = ((8, 2), (16, 6))  # input pixels from anchor to anchor, and anchors at each place

# From the network's box to FER2013's frame. Of 774 photographs, framed by 1.0 to 1.3 boxes and
# raised by 0.06 to 0.14, the expression was read best so; FER2013's own faces are 1.17 boxes wide.
SIDE = 1.1
"""Side of FER2013's frame over that of the network's box."""
_UP = 0.06


class Network:
    """The network with memory for one size of input, which divides by 16."""

    def __init__(self, content: bytes, size_wh: tuple[int, int]) -> None:
        from ai_edge_litert.interpreter import Interpreter

        width, height = size_wh
        with quiet():
            # A second thread saves hardly any time and doubles the load of the processor.
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            (self._input,) = (one["index"] for one in self._interpreter.get_input_details())
            self._interpreter.resize_tensor_input(self._input, [1, height, width, 3])
            self._interpreter.allocate_tensors()
        self._points, self._scores = (
            one["index"] for one in self._interpreter.get_output_details()
        )
        anchors = []
        for stride, count in _STRIDES:
            rows, columns = np.mgrid[0:height:stride, 0:width:stride]
            places = np.stack([columns, rows], axis=2).reshape(-1, 1, 2) + stride / 2
            anchors.append(np.repeat(places, count, axis=0))
        self._anchors = np.concatenate(anchors)

    def run(self, bgr: Image, threshold: float) -> tuple[Points, npt.NDArray[np.float64]]:
        """Return where faces may be in the input, and the score of each.

        Returns:
            Float64 of shape (n, 8, 2) in input pixels: middle, width and height, both eyes, nose,
            mouth and both ears; float64 of shape (n,) from ``threshold`` to 1.
        """
        pixels = self._interpreter.tensor(self._input)()[0]
        np.multiply(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.float32(2 / 255), out=pixels)
        np.subtract(pixels, 1, out=pixels)
        del pixels  # LiteRT does not run while someone holds its memory
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._scores)[0, :, 0]
        hits = np.flatnonzero(raw >= math.log(threshold / (1 - threshold)))
        points = self._interpreter.get_tensor(self._points)[0, hits].astype(np.float64)
        points = points.reshape(-1, 8, 2)
        points[:, [0, 2, 3, 4, 5, 6, 7]] += self._anchors[hits]
        return points, 1 / (1 + np.exp(-raw[hits].astype(np.float64)))


def cut(image_bgr: Image, patch: Patch) -> Image:
    """Return the patch in input pixels, uint8 (h, w, 3)."""
    columns, rows = patch.size_wh
    height, width = image_bgr.shape[:2]
    pixels = np.zeros((rows, columns, 3), dtype=np.uint8)
    x1, y1 = max(math.floor(patch.x), 0), max(math.floor(patch.y), 0)
    x2 = min(math.ceil(patch.x + columns / patch.scale), width)
    y2 = min(math.ceil(patch.y + rows / patch.scale), height)
    left, right = (min(max(round((x - patch.x) * patch.scale), 0), columns) for x in (x1, x2))
    top, bottom = (min(max(round((y - patch.y) * patch.scale), 0), rows) for y in (y1, y2))
    if right > left and bottom > top:
        part = image_bgr[y1:y2, x1:x2]
        size_wh = right - left, bottom - top
        # By a whole number first: OpenCV averages such blocks in a tenth of the time.
        block = int(min(part.shape[1] / size_wh[0], part.shape[0] / size_wh[1]))
        if block > 1:
            rows_, columns_ = (side // block * block for side in part.shape[:2])
            part = cv2.resize(
                part[:rows_, :columns_],
                (columns_ // block, rows_ // block),
                interpolation=cv2.INTER_AREA,
            )
        part = cv2.resize(part, size_wh, interpolation=cv2.INTER_LINEAR)
        if patch.cautious:
            around_it = (top, rows - bottom, left, columns - right)
            return np.asarray(cv2.copyMakeBorder(part, *around_it, cv2.BORDER_REFLECT), np.uint8)
        pixels[top:bottom, left:right] = part
    return pixels


def merged(points: Points, scores: npt.NDArray[np.float64]) -> list[Detection]:
    """Merge the anchors of one face, weighted by their scores; frame it as FER2013's are."""
    if not len(scores):
        return []
    order = np.argsort(-scores, kind="stable")
    points, scores = points[order], scores[order]
    sides = points[:, 1].max(axis=1)
    group = _grouped(points[:, 0], sides)
    weights = scores / np.bincount(group, scores)[group]
    columns = np.hstack([points[:, 0], sides[:, None], points[:, 3] - points[:, 2]])
    x, y, side, eyes_x, eyes_y = (np.bincount(group, weights * column) for column in columns.T)
    tilt = np.arctan2(eyes_y, eyes_x)  # from the left eye in the picture to the right one
    middle = np.stack([x + _UP * side * np.sin(tilt), y - _UP * side * np.cos(tilt)], axis=1)
    half = (side * SIDE / 2)[:, None]
    highest = scores[np.unique(group, return_index=True)[1]]
    return [
        Detection(box, score, tilt_deg)
        for box, score, tilt_deg in zip(
            np.hstack([middle - half, middle + half]),
            highest.tolist(),
            np.degrees(tilt).tolist(),
            strict=True,
        )
    ]


def _grouped(
    middles: npt.NDArray[np.float64], sides: npt.NDArray[np.float64]
) -> npt.NDArray[np.int_]:
    """Return for each square, the likeliest first, the number of the face that it belongs to."""
    (x, y), half, area = middles.T, sides / 2, sides**2
    x1, y1, x2, y2 = x - half, y - half, x + half, y + half
    group = np.empty(len(sides), dtype=int)
    left = np.arange(len(sides))
    count = 0
    while len(left):
        first = left[0]
        width = np.minimum(x2[left], x2[first]) - np.maximum(x1[left], x1[first])
        height = np.minimum(y2[left], y2[first]) - np.maximum(y1[left], y1[first])
        both = np.maximum(width, 0) * np.maximum(height, 0)
        same = both >= SAME * (area[left] + area[first] - both)
        same[0] = True  # also where it has no area
        group[left[same]] = count
        left = left[~same]
        count += 1
    return group
