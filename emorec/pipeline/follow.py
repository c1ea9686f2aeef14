"""Between two detections: where has each known face moved since the frame before?"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from emorec.geometry import Boxes, as_boxes, clip, square
from emorec.pipeline.cut import Detail, correlation, detail, found_again

_LONGER = 1280  # larger pictures are halved: the pyramid is most of the cost there
_GRID = 4  # points along a side of a face
_INNER = 0.7  # share of a face's side that they cover: its border is background
_WINDOW = (15, 15)
_LEVELS = 3
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.03)
_AGREE = 0.06  # of a face's side: how far a point may lie from where the others say it is
_LEAST_AGREE = 0.6  # share of a face's points that must agree, or it was lost
_GROWTH = 0.1  # most growth of a face from frame to frame
_THUMBNAIL = 12  # side in pixels
_AROUND = 1.1  # side of a face with what is around it, in faces: no more, or a tile ends before it
_WHOLE = 48, 3, 4  # side in pixels of that, blocks along it, and how far they may have moved
_REPLACED = 0.4
"""Share of its blocks found again below which all of it is something else: of 300 pairs of
different people in the same frame 99 % have a third or less, of faces half of which a board has
hidden since the frame before half of them have a half or more."""
_FACE = 32, 3  # side in pixels of a face that is compared, and how far it may have moved


class Follower:
    """Follows boxes by the pyramidal Lucas-Kanade flow of 16 points each (J.-Y. Bouguet, 2001).

    For 25 faces at 1280×720 it takes about a seventh of the time of finding each of them again.
    """

    def __init__(self) -> None:
        self._before: npt.NDArray[np.uint8] | None = None
        self._one_earlier: npt.NDArray[np.uint8] | None = None
        self._scale = 1.0

    def reset(self) -> None:
        """Forget the frames before."""
        self._before = self._one_earlier = None

    def rescale(self, size_wh: tuple[int, int]) -> None:
        """Go on in pictures of this size that show the same as the one before."""
        if self._before is not None:
            self._before, self._scale = _reduced(self._before, size_wh)

    def move(
        self, image_gray: npt.NDArray[np.uint8], boxes_xyxy: Boxes
    ) -> tuple[Boxes, npt.NDArray[np.bool_]]:
        """Return where the boxes are in this frame, and which of them could be followed.

        Args:
            image_gray: uint8 of shape (h, w); remembered for the next call.
            boxes_xyxy: of shape (n, 4), in the frame before.

        Returns:
            Boxes of shape (n, 4), those that were lost unchanged; bool of shape (n,).
        """
        image_gray, self._scale = _reduced(image_gray, image_gray.shape[1::-1])
        scale = self._scale
        before = self._one_earlier = self._before
        self._before = image_gray
        boxes = as_boxes(boxes_xyxy).copy()
        if before is None or before.shape != image_gray.shape or not len(boxes):
            return boxes, np.zeros(len(boxes), dtype=bool)
        middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2] - boxes[:, 0]
        ticks = np.linspace(-_INNER / 2, _INNER / 2, _GRID)
        grid = np.stack(np.meshgrid(ticks, ticks), axis=2).reshape(1, -1, 2)
        points = middles[:, None] + grid * sides[:, None, None]
        moved, known, _ = cv2.calcOpticalFlowPyrLK(
            before,
            image_gray,
            (points * scale).reshape(-1, 1, 2).astype(np.float32),
            None,
            winSize=_WINDOW,
            maxLevel=_LEVELS,
            criteria=_STOP,
        )
        moved = moved.reshape(points.shape).astype(np.float64) / scale
        known = known.reshape(points.shape[:2]).astype(bool)
        shifts = moved - points
        shift = np.median(shifts, axis=1)
        away = np.abs(shifts - shift[:, None]).max(axis=2)
        tolerance = np.maximum(_AGREE * sides, 1.0)[:, None]
        followed = ((away <= tolerance) & known).mean(axis=1) >= _LEAST_AGREE
        apart = np.linalg.norm(points - middles[:, None], axis=2).clip(1e-6)
        spread = np.linalg.norm(moved - (middles + shift)[:, None], axis=2) / apart
        growth = np.median(spread, axis=1).clip(1 - _GROWTH, 1 + _GROWTH)
        half = ((sides * growth) / 2)[:, None]
        new = np.hstack([middles + shift - half, middles + shift + half])
        boxes[followed] = new[followed]
        return boxes, followed

    def thumbnails(self, boxes_xyxy: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return what the last frame showed in each box, to compare it with another frame's.

        Args:
            boxes_xyxy: of shape (n, 4).

        Returns:
            float32 of shape (n, 144): 12×12 pixels of mean 0 and norm 1, so that the product of two
            is their correlation. Of a plain box, and of one outside the frame, zeros.
        """
        boxes = as_boxes(boxes_xyxy)
        thumbnails = np.zeros((len(boxes), _THUMBNAIL, _THUMBNAIL), dtype=np.float32)
        if self._before is not None:
            inner = np.rint(square(boxes, _INNER) * self._scale)
            inside = clip(inner, self._before.shape[1::-1]).astype(int).tolist()
            for thumbnail, (x1, y1, x2, y2) in zip(thumbnails, inside, strict=True):
                if x2 > x1 and y2 > y1:
                    part = self._before[y1:y2, x1:x2]
                    thumbnail[:] = cv2.resize(
                        part, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA
                    )
        flat = thumbnails.reshape(len(boxes), _THUMBNAIL**2)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True).clip(1e-3)
        return flat

    def replaced(self, box_xyxy: npt.NDArray[np.float64]) -> Detail | None:
        """Return the face as the frame before showed it, if there is something else all around now.

        What passes in front of a face hides it by and by; another person in the tile of a video
        call is there at once, with another background.

        Args:
            box_xyxy: of shape (4,), where the face was in the frame before.

        Returns:
            What `alike` compares; None if enough of it is still there, or nothing is known.
        """
        before, now = self._one_earlier, self._before
        if before is None or now is None or before.shape != now.shape:
            return None
        side, blocks, reach = _WHOLE
        whole = [self._detail(frame, box_xyxy, _AROUND, side) for frame in (before, now)]
        if found_again(whole[0], whole[1], blocks, reach) >= _REPLACED:
            return None
        return self._detail(before, box_xyxy, 1.0, _FACE[0])

    def alike(self, face: Detail, box_xyxy: npt.NDArray[np.float64]) -> float:
        """Return how alike a face of `replaced` and one in the newest frame are, in [-1, 1]."""
        if self._before is None:
            return 0.0
        side, reach = _FACE
        return correlation(face, self._detail(self._before, box_xyxy, 1.0, side), reach)

    def _detail(
        self,
        frame: npt.NDArray[np.uint8],
        box_xyxy: npt.NDArray[np.float64],
        scale: float,
        side: int,
    ) -> Detail:
        wanted = np.rint(square(box_xyxy, scale) * self._scale).astype(int)
        x1, y1, x2, y2 = clip(wanted, frame.shape[1::-1])[0].astype(int).tolist()
        if x2 <= x1 or y2 <= y1:
            return np.zeros((side, side), np.float32)
        left, top, right, bottom = np.abs(wanted[0] - [x1, y1, x2, y2]).tolist()
        part = cv2.copyMakeBorder(
            frame[y1:y2, x1:x2], top, bottom, left, right, cv2.BORDER_REPLICATE
        )
        return detail(np.asarray(part, np.uint8), (side, side))


def _reduced(
    image_gray: npt.NDArray[np.uint8], size_wh: tuple[int, ...]
) -> tuple[npt.NDArray[np.uint8], float]:
    """Return a picture as it is followed in, and its scale, where its frames have this size."""
    halvings = 0
    while max(size_wh) / 2**halvings > _LONGER:
        halvings += 1
    scale = 0.5**halvings
    width, height = (round(side * scale) for side in size_wh)
    if image_gray.shape == (height, width):
        return image_gray, scale
    small = cv2.resize(image_gray, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), scale
