from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from emorec.pipeline.detect import HaarDetector

FACE_IN_HEAD = np.array([62.5, 62, 166.5, 166])  # xyxy, as the cascade frames it on average


@pytest.fixture(scope="session")
def detector() -> HaarDetector:
    return HaarDetector()


@cache
def _noise(size_wh: tuple[int, int]) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 5, (size_wh[1], size_wh[0], 3))
    return np.rint(noise).astype(np.int16)


class Scene:
    """A real face on a soft background, with the noise of a camera."""

    size_wh = (640, 480)

    def __init__(self) -> None:
        self._head = np.ascontiguousarray(astronaut()[0:230, 110:340, ::-1])
        width, height = self.size_wh
        x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
        waves = 120 + 50 * np.sin(x / 97 + np.array([0, 1, 2])) + 30 * np.cos(y / 71)
        self._background = waves.clip(0, 255).astype(np.uint8)
        self._random = np.random.default_rng(0)

    def frame(self, *middles: tuple[float, float], side: float = 100) -> np.ndarray:
        """Return uint8 (480, 640, 3) with a face of this side around each of these points."""
        image = self._background.copy()
        scale = side / 104
        head = cv2.resize(self._head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for middle in middles:
            corner = middle - FACE_IN_HEAD.reshape(2, 2).mean(axis=0) * scale
            low = np.floor(corner).astype(int)
            x1, y1 = np.maximum(low, 0)
            x2, y2 = np.minimum(low + head.shape[1::-1] + 1, self.size_wh)
            if x2 <= x1 or y2 <= y1:
                continue
            place = np.array([[1, 0, corner[0] - x1], [0, 1, corner[1] - y1]])
            part, size_wh = image[y1:y2, x1:x2], (int(x2 - x1), int(y2 - y1))
            mask = cv2.warpAffine(np.ones(head.shape[:2], np.float32), place, size_wh)[..., None]
            part[:] = part * (1 - mask) + cv2.warpAffine(head.astype(np.float32), place, size_wh)
        # Rolled by chance, one noise serves for all frames, and costs little.
        shift = self._random.integers(0, 480)
        noise = np.roll(_noise(self.size_wh), shift, axis=0)
        return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), dtype=np.uint8)

    @staticmethod
    def truth(middle: tuple[float, float], side: float = 100) -> np.ndarray:
        """Return the face's true box, float64 (4,)."""
        x, y = middle
        return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


@pytest.fixture
def scene() -> Scene:
    return Scene()
