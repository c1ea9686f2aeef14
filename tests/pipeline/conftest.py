from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from emorec.pipeline.detect import HaarDetector

FACE_IN_HEAD = np.array([62.5, 62, 166.5, 166])  # xyxy, as the cascade frames it on average


@pytest.fixture(scope="session")
def detector() -> HaarDetector:
    return HaarDetector()


class Scene:
    """A real face on a soft background, with the noise of a camera."""

    size_wh = (640, 480)

    def __init__(self) -> None:
        self._head = np.ascontiguousarray(astronaut()[0:230, 110:340, ::-1])
        width, height = self.size_wh
        x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
        waves = 120 + 50 * np.sin(x / 97 + np.array([0, 1, 2])) + 30 * np.cos(y / 71)
        self._background = waves.clip(0, 255).astype(np.uint8)
        self._noise = np.random.default_rng(0)

    def frame(self, *middles: tuple[float, float], side: float = 100) -> np.ndarray:
        """Return uint8 (480, 640, 3) with a face of this side around each of these points."""
        image = self._background.astype(np.float32)
        scale = side / 104
        head = cv2.resize(self._head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        whole = np.ones(head.shape[:2], np.float32)
        for x, y in middles:
            offset = (x, y) - FACE_IN_HEAD.reshape(2, 2).mean(axis=0) * scale
            place = np.array([[1, 0, offset[0]], [0, 1, offset[1]]])
            mask = cv2.warpAffine(whole, place, self.size_wh)[..., None]
            image = image * (1 - mask) + cv2.warpAffine(head, place, self.size_wh) * mask
        noisy = image + self._noise.normal(0, 5, image.shape)
        return noisy.clip(0, 255).astype(np.uint8)

    @staticmethod
    def truth(middle: tuple[float, float], side: float = 100) -> np.ndarray:
        """Return the face's true box, float64 (4,)."""
        x, y = middle
        return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


@pytest.fixture
def scene() -> Scene:
    return Scene()
