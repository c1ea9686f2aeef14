"""Backgrounds of scenes: photographs, textures, gradients, and things that look almost like faces.

None shows a person. Every picture comes from a seeded generator and is the same each time.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from testkit.heads import Sprite

Image = npt.NDArray[np.uint8]
Rng = np.random.Generator

PHOTOGRAPHS = (
    "brick",
    "clock",
    "coffee",
    "grass",
    "gravel",
    "hubble_deep_field",
    "rocket",
    "text",
)
"""Pictures of `skimage.data` that come with it and show no face of a person, animal or coin."""
_SKIN_BGR = ((165, 190, 232), (120, 150, 205), (80, 110, 165), (50, 70, 110))
_GROUNDS = ("photograph", "gradient", "soft", "rough")


def background(rng: Rng, size_wh: tuple[int, int], clutter: int) -> Image:
    """Return uint8 (h, w, 3): a background with ``clutter`` objects on it."""
    width, height = size_wh
    kind = _GROUNDS[rng.integers(len(_GROUNDS))]
    if kind == "photograph":
        image = _photograph(PHOTOGRAPHS[rng.integers(len(PHOTOGRAPHS))])
        rows, columns = image.shape[:2]
        share = rng.uniform(0.6, 1.0) * min(columns / width, rows / height)
        cut_w, cut_h = int(share * width), int(share * height)
        x, y = rng.integers(columns - cut_w + 1), rng.integers(rows - cut_h + 1)
        canvas = cv2.resize(image[y : y + cut_h, x : x + cut_w], size_wh).astype(np.float32)
    elif kind == "gradient":
        corners = rng.uniform(30, 225, (2, 2, 3)).astype(np.float32)
        canvas = cv2.resize(corners, size_wh, interpolation=cv2.INTER_LINEAR)
    else:
        scales = (
            ((3, 35.0), (12, 20.0)) if kind == "soft" else ((12, 25.0), (60, 20.0), (200, 15.0))
        )
        canvas = np.full((height, width, 3), rng.uniform(80, 170, 3), np.float32)
        for rows, strength in scales:
            waves = rng.normal(0, strength, (rows, rows * 4 // 3, 1))
            waves = waves + rng.normal(0, strength / 3, (rows, rows * 4 // 3, 3))
            canvas += cv2.resize(waves.astype(np.float32), size_wh, interpolation=cv2.INTER_CUBIC)
    canvas = np.ascontiguousarray(canvas.clip(0, 255).astype(np.uint8))
    for _ in range(clutter):
        side = int(rng.uniform(0.06, 0.3) * height)
        x, y = int(rng.integers(width)), int(rng.integers(height))
        _paste(canvas, thing(rng, side), x - side // 2, y - side // 2)
    return canvas


def thing(rng: Rng, side: int) -> Sprite:
    """Return an object of this size in pixels that a poor detector takes for a face."""
    side = max(side, 12)
    image = np.empty((side, side, 3), np.uint8)
    mask = np.zeros((side, side), np.float32)
    _THINGS[rng.integers(len(_THINGS))](rng, image, mask)
    image = cv2.GaussianBlur(image, (0, 0), max(side / 80, 0.5)).astype(np.uint8)
    mask = cv2.GaussianBlur(mask, (0, 0), max(side / 80, 0.5)).astype(np.float32)
    return Sprite(image, mask, np.array([0.0, 0.0, side, side]))


def board(rng: Rng, size_wh: tuple[int, int]) -> Sprite:
    """Return a flat upright board that hides a face."""
    width, height = size_wh
    image = background(rng, size_wh, clutter=0)
    mask = np.ones((height, width), np.float32)
    return Sprite(image, mask, np.array([0.0, 0.0, width, height]))


@cache
def _photograph(name: str) -> Image:
    image = getattr(skimage.data, name)()
    image = np.stack([image] * 3, axis=2) if image.ndim == 2 else image[..., :3]
    return np.ascontiguousarray(image[..., ::-1])


def _paste(canvas: Image, sprite: Sprite, x: int, y: int) -> None:
    height, width = canvas.shape[:2]
    rows, columns = sprite.mask.shape
    top, left = max(-y, 0), max(-x, 0)
    bottom, right = min(rows, height - y), min(columns, width - x)
    if bottom <= top or right <= left:
        return
    under = canvas[y + top : y + bottom, x + left : x + right]
    over = sprite.image_bgr[top:bottom, left:right]
    share = sprite.mask[top:bottom, left:right, None]
    under[:] = under + (over.astype(np.float32) - under) * share


def _point(side: int, x: float, y: float) -> tuple[int, int]:
    return int(x * side), int(y * side)


def _color(rng: Rng) -> tuple[float, ...]:
    return tuple(rng.uniform(20, 235, 3).tolist())


def _skin(rng: Rng) -> tuple[float, ...]:
    return tuple((np.array(_SKIN_BGR[rng.integers(4)]) + rng.normal(0, 8, 3)).tolist())


def _dotted_oval(rng: Rng, image: Image, mask: npt.NDArray[np.float32]) -> None:
    side = len(mask)
    image[:] = _skin(rng) if rng.random() < 0.5 else _color(rng)
    axes = _point(side, rng.uniform(0.32, 0.42), 0.45)
    cv2.ellipse(mask, _point(side, 0.5, 0.5), axes, rng.uniform(-20, 20), 0, 360, 1.0, cv2.FILLED)
    dark = tuple(rng.uniform(10, 90, 3).tolist())
    # No two eyes and a mouth: people see a face in that, so a detector may too.
    for x, y in rng.uniform(0.28, 0.72, (rng.integers(2, 6), 2)):
        cv2.circle(image, _point(side, x, y), max(side // 16, 1), dark, cv2.FILLED)


def _cushion(rng: Rng, image: Image, mask: npt.NDArray[np.float32]) -> None:
    side = len(mask)
    image[:] = _color(rng)
    x, y = (np.mgrid[0:side, 0:side] / side - 0.5)[::-1]
    mask[(np.abs(x) ** 4 + np.abs(y) ** 4) < 0.46**4] = 1
    bulge = 1.15 - 1.6 * (x**2 + y**2)
    image[:] = (image * bulge[..., None]).clip(0, 255)
    dark = tuple((np.array(_color(rng)) / 2).tolist())
    for place in ((0.3, 0.3), (0.7, 0.3), (0.5, 0.5), (0.3, 0.7), (0.7, 0.7)):
        cv2.circle(image, _point(side, *place), max(side // 25, 1), dark, cv2.FILLED)


def _clock(rng: Rng, image: Image, mask: npt.NDArray[np.float32]) -> None:
    side = len(mask)
    image[:] = tuple(rng.uniform(170, 250, 3).tolist())
    middle, line = _point(side, 0.5, 0.5), max(side // 40, 1)
    cv2.circle(mask, middle, int(0.46 * side), 1.0, cv2.FILLED)
    cv2.circle(image, middle, int(0.44 * side), _color(rng), 2 * line)
    for hour in np.arange(12) * np.pi / 6:
        outer, inner = (
            _point(side, 0.5 + r * np.sin(hour), 0.5 + r * np.cos(hour)) for r in (0.4, 0.35)
        )
        cv2.line(image, inner, outer, (30, 30, 30), line)
    for length in (0.2, 0.32):
        turn = rng.uniform(0, 2 * np.pi)
        tip = _point(side, 0.5 + length * np.sin(turn), 0.5 + length * np.cos(turn))
        cv2.line(image, middle, tip, (20, 20, 20), 2 * line)


def _blob(rng: Rng, image: Image, mask: npt.NDArray[np.float32]) -> None:
    side = len(mask)
    image[:] = _skin(rng)
    x = np.linspace(-1, 1, side)
    shade = 1 + 0.25 * (rng.uniform(-1, 1) * x[None, :] + rng.uniform(-1, 1) * x[:, None])
    image[:] = (image * shade[..., None]).clip(0, 255)
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 0.36 + sum(
        rng.uniform(0, 0.04) * np.sin(n * turns + rng.uniform(0, 6)) for n in (2, 3, 5)
    )
    outline = 0.5 + np.stack([radius * np.cos(turns), radius * np.sin(turns)], axis=1)
    cv2.fillPoly(mask, [(outline * side).astype(np.int32)], 1.0)


def _socket(rng: Rng, image: Image, mask: npt.NDArray[np.float32]) -> None:
    side = len(mask)
    image[:] = tuple(np.repeat(rng.uniform(190, 245), 3).tolist())
    cv2.rectangle(mask, _point(side, 0.1, 0.1), _point(side, 0.9, 0.9), 1.0, cv2.FILLED)
    cv2.circle(image, _point(side, 0.5, 0.5), int(0.33 * side), (165, 165, 165), max(side // 40, 1))
    for x in (0.37, 0.63):
        cv2.circle(image, _point(side, x, 0.5), max(side // 18, 1), (40, 40, 40), cv2.FILLED)


_THINGS = (_dotted_oval, _cushion, _clock, _blob, _socket)
