"""The frames on which programs are timed: copies of one portrait over a varied background."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

FPS = 30
_FACE_IN_HEAD = np.array([42.5, 42.0, 146.5, 146.0])  # xyxy of the face in the head cut out below
_DRIFT_PX = 4


@dataclass(frozen=True)
class Workload:
    """A scene: a number of faces in a picture of a given size.

    Attributes:
        name: unique, valid as a file name.
        size_wh: of each frame, in pixels.
        grid_wh: columns and rows of faces.
        face_px: mean side of a face; each face differs by up to a tenth.
    """

    name: str
    size_wh: tuple[int, int]
    grid_wh: tuple[int, int]
    face_px: int


WORKLOADS = (
    Workload("640x480-1", (640, 480), (1, 1), 150),
    Workload("1280x720-9", (1280, 720), (3, 3), 120),
    Workload("1280x720-25", (1280, 720), (5, 5), 74),
    Workload("1920x1080-50", (1920, 1080), (10, 5), 94),
)


def sequence(
    workload: Workload, frames: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Film a scene at `FPS` with a slightly shaking camera.

    Returns:
        The frames, uint8 of shape (n, h, w, 3), blue first; and the boxes of the faces in each,
        float64 of shape (n, faces, 4), x1, y1, x2, y2 in pixels.
    """
    canvas, boxes = _scene(workload)
    noise = np.random.default_rng(1)
    width, height = workload.size_wh
    film = np.empty((frames, height, width, 3), dtype=np.uint8)
    truth = np.empty((frames, len(boxes), 4))
    for number in range(frames):
        phase = 2 * np.pi * number / (2 * FPS)
        x, y = np.rint(_DRIFT_PX * (1 + np.array([np.sin(phase), np.cos(phase)]))).astype(int)
        still = canvas[y : y + height, x : x + width]
        film[number] = (still + noise.normal(0, 3, still.shape)).clip(0, 255)
        truth[number] = boxes - [x, y, x, y]
    return film, truth


def _scene(workload: Workload) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    random = np.random.default_rng(0)
    width, height = (side + 2 * _DRIFT_PX for side in workload.size_wh)
    canvas = sum(
        strength * cv2.resize(random.normal(0, 1, (rows, rows * 2, 3)), (width, height))
        for rows, strength in ((3, 30.0), (12, 20.0), (60, 12.0))
    )
    canvas = (canvas + 120).clip(0, 255).astype(np.float32)
    head = np.ascontiguousarray(astronaut()[20:210, 130:320, ::-1])
    columns, rows = workload.grid_wh
    boxes = []
    for number in range(columns * rows):
        side = workload.face_px * random.uniform(0.9, 1.05)
        scale = side / 104
        own = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        box = _FACE_IN_HEAD * scale
        if number % 2:  # mirrored, and each lit a little differently
            own, box[[0, 2]] = own[:, ::-1], own.shape[1] - box[[2, 0]]
        lit = (own * random.uniform(0.85, 1.1)).clip(0, 255)
        middle = np.array(
            [width * (number % columns + 0.5) / columns, height * (number // columns + 0.5) / rows]
        )
        x, y = np.rint(middle - np.array(own.shape[1::-1]) / 2).astype(int)
        canvas[y : y + own.shape[0], x : x + own.shape[1]] = lit
        boxes.append(box + np.array([x, y, x, y]))
    return canvas, np.array(boxes)
