"""Real faces, cut out of their pictures, each with its true box."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from skimage.data import astronaut

from testkit.portraits import hopper

_ASTRONAUT_BOX = (172.5, 62.0, 276.5, 166.0)
"""The astronaut's face, x1, y1, x2, y2 in her portrait: from above the brows (y 88) to the chin
(y 178, less what FER2013 cuts off), eyes at (203, 101) and (246, 104). It is where OpenCV's cascade
puts it on average: over 600 searches at a quarter to twice the size, shifted and with noise, the
middle was (224.4, 114.4), and the side between 96 and 107."""
_ASTRONAUT_ELLIPSES = (((226, 72), (72, 61)), ((222, 125), (48, 61)))  # hair; face and neck
_ASTRONAUT_CUT = (138, 0, 314, 196)
_HOPPER_ELLIPSES = (((264, 108), (112, 84)), ((268, 235), (106, 148)))  # cap; face
_HOPPER_CUT = (80, 20, 450, 400)
_SOFT_EDGE = 0.03  # standard deviation of the mask's edge, in faces


@dataclass(frozen=True, eq=False)
class Sprite:
    """A cut-out head or object to place on a picture.

    Attributes:
        image_bgr: uint8 of shape (h, w, 3).
        mask: float32 of shape (h, w), 0 = transparent, 1 = opaque.
        box_xyxy: float64 of shape (4,): for a head the box of its face, for an object the whole
            image.
    """

    image_bgr: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.float32]
    box_xyxy: npt.NDArray[np.float64]

    def mirrored(self) -> Sprite:
        """Return its mirror image."""
        x1, y1, x2, y2 = self.box_xyxy
        width = self.mask.shape[1]
        box = np.array([width - x2, y1, width - x1, y2])
        return Sprite(np.ascontiguousarray(self.image_bgr[:, ::-1]), self.mask[:, ::-1].copy(), box)


@cache
def astronaut_head() -> Sprite:
    """Return the head of scikit-image's portrait, with hair and neck; a public-domain picture."""
    x1, y1, x2, y2 = _ASTRONAUT_CUT
    image_bgr = np.ascontiguousarray(astronaut()[y1:y2, x1:x2, ::-1])
    mask = np.zeros(image_bgr.shape[:2], np.float32)
    for (x, y), axes in _ASTRONAUT_ELLIPSES:
        cv2.ellipse(mask, (x - x1, y - y1), axes, 0, 0, 360, 1.0, cv2.FILLED)
    box = np.array(_ASTRONAUT_BOX) - [x1, y1, x1, y1]
    return Sprite(image_bgr, _soft(mask, box[2] - box[0]), box)


@cache
def hopper_head() -> Sprite:
    """Return the head of Matplotlib's portrait, with the cap; a public-domain picture."""
    portrait = hopper()
    x1, y1, x2, y2 = _HOPPER_CUT
    image_bgr = np.ascontiguousarray(portrait.image_bgr[y1:y2, x1:x2])
    mask = np.zeros(image_bgr.shape[:2], np.float32)
    for (x, y), axes in _HOPPER_ELLIPSES:
        cv2.ellipse(mask, (x - x1, y - y1), axes, 0, 0, 360, 1.0, cv2.FILLED)
    box = portrait.faces[0] - [x1, y1, x1, y1]
    return Sprite(image_bgr, _soft(mask, box[2] - box[0]), box)


def gray_heads(faces_gray: npt.NDArray[np.uint8]) -> list[Sprite]:
    """Return the astronaut's head in grey with the faces of other people.

    Without hair, jaw and neck around them, networks detect few of FER2013's tight crops as faces.

    Args:
        faces_gray: uint8 of shape (n, 48, 48), as `emorec.training.data.load` reads them.
    """
    head = astronaut_head()
    gray = cv2.cvtColor(head.image_bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    x1, y1, x2, y2 = np.floor(head.box_xyxy).astype(int)
    side = x2 - x1
    place = (slice(y1, y2), slice(x1, x2))
    middle = gray[y1 + side // 5 : y2 - side // 5, x1 + side // 5 : x2 - side // 5]
    oval = np.zeros((side, side), np.float32)
    axes = (int(0.4 * side), int(0.47 * side))
    cv2.ellipse(oval, (side // 2, side // 2), axes, 0, 0, 360, 1.0, cv2.FILLED)
    oval = _soft(oval, side)
    heads = []
    for small in faces_gray:
        face = cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        face = (face - face.mean()) / max(face.std(), 1) * middle.std() + middle.mean()
        own = gray.copy()
        own[place] += (face - own[place]) * oval
        image_bgr = np.stack([own.clip(0, 255).astype(np.uint8)] * 3, axis=2)
        heads.append(Sprite(image_bgr, head.mask, head.box_xyxy))
    return heads


def _soft(mask: npt.NDArray[np.float32], face_px: float) -> npt.NDArray[np.float32]:
    soft = cv2.GaussianBlur(mask, (0, 0), _SOFT_EDGE * face_px)
    # The mask must be 0 at the border of the crop, where it would show as a straight line.
    edge = np.zeros_like(mask)
    edge[2:-2, 2:-2] = 1
    return (soft * cv2.GaussianBlur(edge, (0, 0), 1.5)).astype(np.float32)
