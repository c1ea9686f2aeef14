"""Pictures of two people with the boxes of their faces: made from two public portraits.

Eileen Collins is in scikit-image (NASA), Grace Hopper in Matplotlib (US Navy): both are in the
public domain, and neither file is copied here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import cv2
import matplotlib.cbook
import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.data import astronaut

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float64]

COLLINS = np.array([172.5, 62.0, 276.5, 166.0])
HOPPER = np.array([162.0, 125.0, 372.0, 335.0])


@dataclass(frozen=True)
class Portrait:
    """A picture, uint8 (h, w, 3), blue first, and its faces, float64 (n, 4)."""

    image_bgr: Picture
    faces: Boxes


@cache
def collins() -> Portrait:
    """Return scikit-image's portrait of Eileen Collins, in colour."""
    return Portrait(np.ascontiguousarray(astronaut()[..., ::-1]), COLLINS[None])


@cache
def hopper() -> Portrait:
    """Return Matplotlib's portrait of Grace Hopper, in colour."""
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(str(path)) as file:
        rgb = np.asarray(file.convert("RGB"))
    return Portrait(np.ascontiguousarray(rgb[..., ::-1]), HOPPER[None])


PEOPLE: dict[str, Callable[[], Portrait]] = {"Collins": collins, "Hopper": hopper}
_CUTS = {
    "fills the frame": (0.12, 0.12, 0.12, 0.12),
    "at the left border": (0, 0.6, 0.8, 0.5),
    "at the upper border": (0.5, 0, 0.5, 0.8),
    "at the lower border": (0.5, 0.6, 0.5, 0),
}
"""How far each cut reaches beyond the face's box, in its sides: left, top, right, bottom."""


def cut(of: Portrait, left: float, top: float, right: float, bottom: float) -> Portrait:
    """Return the part around its face; the margins are in sides of its box."""
    (x1, y1, x2, y2), side = of.faces[0], of.faces[0, 2] - of.faces[0, 0]
    low = np.rint([x1 - left * side, y1 - top * side]).astype(int).clip(0)
    high = np.rint([x2 + right * side, y2 + bottom * side]).astype(int)
    part = of.image_bgr[low[1] : high[1], low[0] : high[0]]
    return Portrait(np.ascontiguousarray(part), of.faces - np.tile(low, 2))


def resized(of: Portrait, face_px: float) -> Portrait:
    """Return it scaled so that the face's box has this side."""
    scale = face_px / (of.faces[0, 2] - of.faces[0, 0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(of.image_bgr, None, fx=scale, fy=scale, interpolation=how)
    return Portrait(np.asarray(image, np.uint8), of.faces * scale)


def turned(of: Portrait, tilt_deg: float) -> Portrait:
    """Return it rotated around its face, with the top to the right."""
    middle = of.faces[0].reshape(2, 2).mean(axis=0)
    height, width = of.image_bgr.shape[:2]
    turn = cv2.getRotationMatrix2D(middle.tolist(), -tilt_deg, 1)
    image = cv2.warpAffine(of.image_bgr, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return Portrait(np.asarray(image, np.uint8), of.faces)


def gray(of: Portrait) -> Portrait:
    """Return it in grey."""
    one = cv2.cvtColor(of.image_bgr, cv2.COLOR_BGR2GRAY)
    return Portrait(np.repeat(one[..., None], 3, axis=2), of.faces)


def infrared(of: Portrait) -> Portrait:
    """Return it in grey, with low contrast and much noise, as from a camera in the dark."""
    soft = gray(of).image_bgr[..., 0] * 0.3 + 80
    noise = np.random.default_rng(0).normal(0, 3, soft.shape)
    low = np.clip(soft + noise, 0, 255).astype(np.uint8)
    return Portrait(np.repeat(low[..., None], 3, axis=2), of.faces)


def room(columns: int, rows: int, face_px: float, size_wh: tuple[int, int]) -> Portrait:
    """Return a picture with many copies of both people, mirrored and lit differently."""
    width, height = size_wh
    x, y = np.arange(width)[None, :, None], np.arange(height)[:, None, None]
    waves = 110 + 50 * np.sin(x / 97 + np.array([0, 1, 2])) + 30 * np.cos(y / 71)
    image = waves.clip(0, 255).astype(np.uint8)
    faces = []
    for number in range(columns * rows):
        person = resized(cut(list(PEOPLE.values())[number % 2](), 0.35, 0.4, 0.35, 0.35), face_px)
        head, box = person.image_bgr, person.faces[0]
        if number % 4 >= 2:
            head = head[:, ::-1]
            box = np.array([head.shape[1] - box[2], box[1], head.shape[1] - box[0], box[3]])
        head = np.clip(head * (0.7 + 0.1 * (number % 5)), 0, 255).astype(np.uint8)
        cell = np.array([number % columns, number // columns])
        corner = (
            (cell + 0.5) * size_wh / (columns, rows) - np.array(head.shape[1::-1]) / 2
        ).astype(int)
        image[corner[1] : corner[1] + head.shape[0], corner[0] : corner[0] + head.shape[1]] = head
        faces.append(box + np.tile(corner, 2))
    return Portrait(image, np.array(faces))


def named() -> Iterator[tuple[str, Callable[[], Portrait]]]:
    """Yield the name of each picture of the set with one face, and the function that makes it."""
    for name, person in PEOPLE.items():
        yield f"{name}, whole", person
        yield f"{name}, gray", partial(_made, person, gray)
        yield f"{name}, infrared", partial(_made, person, infrared)
        for place, margins in _CUTS.items():
            yield f"{name}, {place}", partial(_made, person, cut, *margins)
        for side in (28, 48, 96, 200, 400):
            yield f"{name}, {side} px", partial(_made, person, resized, side)


def _made(
    person: Callable[[], Portrait], change: Callable[..., Portrait], *arguments: float
) -> Portrait:
    return change(person(), *arguments)
