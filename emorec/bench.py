"""Measures how fast this machine reads a picture: the time of each stage on one workload."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import TypedDict

import cv2
import numpy as np

from emorec.media.photo import ImageBGR
from emorec.recognizer import EmotionRecognizer

SIZE_WH = (640, 480)
RUNS = 30
_WARM_UP_RUNS = 3


class Timings(TypedDict):
    """Medians in milliseconds over ``runs`` readings of one frame."""

    size: list[int]
    faces: int
    runs: int
    stage_ms: dict[str, float]
    total_ms: float
    analyses_per_s: float


def measure(image_bgr: ImageBGR) -> Timings:
    """Read one picture, fitted into ``SIZE_WH``, ``RUNS`` times and return the timings.

    Args:
        image_bgr: uint8 of shape (h, w, 3), with at least one face.

    Raises:
        ModelError: a model file is missing or damaged.
    """
    recognizer = EmotionRecognizer()
    frame_bgr = fitted(image_bgr)
    for _ in range(_WARM_UP_RUNS):
        recognizer.analyze(frame_bgr)
    results, total_ms = [], []
    for _ in range(RUNS):
        began = perf_counter()
        results.append(recognizer.analyze(frame_bgr))
        total_ms.append((perf_counter() - began) * 1000)
    stages = results[0].stage_ms
    return {
        "size": list(SIZE_WH),
        "faces": len(results[0].faces),
        "runs": RUNS,
        "stage_ms": {
            stage: round(median(result.stage_ms[stage] for result in results), 3)
            for stage in stages
        },
        "total_ms": round(median(total_ms), 3),
        "analyses_per_s": round(1000 / median(total_ms), 1),
    }


def fitted(image_bgr: ImageBGR) -> ImageBGR:
    """Return the picture scaled to fit ``SIZE_WH``, centred on grey."""
    (width, height), (h, w) = SIZE_WH, image_bgr.shape[:2]
    scale = min(width / w, height / h)
    w, h = max(1, round(w * scale)), max(1, round(h * scale))
    x, y = (width - w) // 2, (height - h) // 2
    frame_bgr = np.full((height, width, 3), 127, dtype=np.uint8)
    frame_bgr[y : y + h, x : x + w] = cv2.resize(image_bgr, (w, h), interpolation=cv2.INTER_AREA)
    return frame_bgr
