"""Scenes of real faces whose boxes and ids are known exactly, as single pictures and as films.

A scene is a seeded description; `film` and `pictures` paint it, always in the same way. Every
picture holds objects that resemble faces, and camera noise. Boxes have the framing of EmoRec's
detectors (`testkit.heads`); a tilted face has an upright square around the same centre.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from testkit.backgrounds import Image, background
from testkit.heads import Sprite

FPS = 25
LIGHTS = ("even", "dark", "bright", "low contrast", "side")
CLUTTER = 10
_NOISE = 3.0  # standard deviation, of 255
_MARGIN = 40  # pixels of background around the picture, for a camera that shakes


@dataclass(frozen=True, eq=False)
class Truth:
    """A face whose box reaches into the picture, hidden or not.

    Attributes:
        face_id: 1 or more, the same in all frames; someone who comes back has a new one.
        box_xyxy: float64 of shape (4,), pixels; may reach over the border.
        visible: share of its face in [0, 1] that is neither hidden nor beyond the border.
    """

    face_id: int
    box_xyxy: npt.NDArray[np.float64]
    visible: float


@dataclass(frozen=True)
class Pose:
    """Where a sprite's box is: its middle and width in pixels, and how far it leans right."""

    x: float
    y: float
    side: float
    tilt_deg: float = 0.0


Path = Callable[[float], Pose | None]
"""Pose at a time in seconds; None where it is not in the scene."""


@dataclass(frozen=True, eq=False)
class Actor:
    """A sprite that moves: a face with an id, or with id 0 a thing that may hide faces."""

    face_id: int
    sprite: Sprite
    path: Path
    light: float = 1.0
    """Factor on its brightness."""
    side_light: float = 0.0
    """How much darker its picture's right side is than its left, from -1 to 1."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What is filmed; later actors stand in front of earlier ones."""

    name: str
    size_wh: tuple[int, int]
    seconds: float
    actors: Sequence[Actor]
    seed: int = 0
    light: str = "even"
    shake: Callable[[float], tuple[float, float]] = field(default=lambda time_s: (0.0, 0.0))
    """How far everything is moved in the picture at a time, x and y in pixels, within 40."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture and what is true of it."""

    image_bgr: Image
    time_s: float
    truths: tuple[Truth, ...]


def film(scene: Scene) -> Iterator[Frame]:
    """Paint a scene, `FPS` frames a second from time 0 on."""
    rng = np.random.default_rng([scene.seed, zlib.crc32(scene.name.encode())])
    width, height = scene.size_wh
    backdrop = background(rng, (width + 2 * _MARGIN, height + 2 * _MARGIN), CLUTTER)
    # Fresh noise in every frame would cost more than all the rest: it is moved about instead.
    grain = rng.normal(0, _NOISE, (height + 64, width + 64, 3)).astype(np.float32)
    for number in range(round(scene.seconds * FPS)):
        time_s = number / FPS
        dx, dy = scene.shake(time_s)
        shift = np.array([[1.0, 0.0, dx - _MARGIN], [0.0, 1.0, dy - _MARGIN]])
        canvas = cv2.warpAffine(backdrop, shift, scene.size_wh).astype(np.float32)
        truths = _draw(canvas, scene.actors, time_s, (dx, dy))
        x, y = rng.integers(64, size=2)
        canvas = _lit(canvas, scene.light) + grain[y : y + height, x : x + width]
        image_bgr = canvas.clip(0, 255).astype(np.uint8)
        yield Frame(image_bgr, time_s, truths)


def _draw(
    canvas: npt.NDArray[np.float32],
    actors: Sequence[Actor],
    time_s: float,
    shift: tuple[float, float],
) -> tuple[Truth, ...]:
    """Draw them on float32 (h, w, 3) and return whose boxes reach into the picture."""
    in_front = np.zeros(canvas.shape[:2], np.int16)
    drawn = []
    for number, actor in enumerate(actors, start=1):
        pose = actor.path(time_s)
        if pose is None:
            continue
        middle = np.array([pose.x + shift[0], pose.y + shift[1]])
        whole, box = _place(canvas, in_front, number, actor, middle, pose)
        if actor.face_id:
            drawn.append((number, actor.face_id, box, whole))
    truths = []
    height, width = canvas.shape[:2]
    for number, face_id, box, whole in drawn:
        x1, y1, x2, y2 = _pixels(box).clip(0, [width, height, width, height])
        if x1 < x2 and y1 < y2:
            seen = np.count_nonzero(in_front[y1:y2, x1:x2] == number)
            truths.append(Truth(face_id, box, min(seen / whole, 1.0)))
    return tuple(truths)


def _place(
    canvas: npt.NDArray[np.float32],
    in_front: npt.NDArray[np.int16],
    number: int,
    actor: Actor,
    middle: npt.NDArray[np.float64],
    pose: Pose,
) -> tuple[int, npt.NDArray[np.float64]]:
    """Draw one sprite; return how many pixels of its face there are, seen or not, and its box."""
    sprite = actor.sprite
    scale = pose.side / (sprite.box_xyxy[2] - sprite.box_xyxy[0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(sprite.image_bgr, None, fx=scale, fy=scale, interpolation=how)
    mask = cv2.resize(sprite.mask, image.shape[1::-1], interpolation=cv2.INTER_AREA)
    # A resized picture has whole pixels, so its scale differs a little from the one asked for.
    scale_wh = np.divide(image.shape[1::-1], sprite.mask.shape[::-1])
    corners = sprite.box_xyxy.reshape(2, 2) * scale_wh
    own_middle, half = corners.mean(axis=0), (corners[1] - corners[0]) / 2
    turn = cv2.getRotationMatrix2D((0.0, 0.0), -pose.tilt_deg, 1.0)
    size = np.abs(turn[:, :2]) @ image.shape[1::-1]
    center = middle + turn[:, :2] @ (np.array(image.shape[1::-1]) / 2 - own_middle)
    x0, y0 = np.floor(center - size / 2).astype(int) - 1
    columns, rows = np.ceil(size).astype(int) + 3
    # Box corners count pixels' edges, warpAffine their middles: half a pixel apart.
    turn[:, 2] = middle - 0.5 - (x0, y0) - turn[:, :2] @ (own_middle - 0.5)
    mask = cv2.warpAffine(mask, turn, (columns, rows))
    image = cv2.warpAffine(image, turn, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    box = np.concatenate([middle - half, middle + half])
    x1, y1, x2, y2 = (_pixels(box) - [x0, y0, x0, y0]).clip(0)
    whole = int(np.count_nonzero(mask[y1:y2, x1:x2] > 0.5))
    height, width = canvas.shape[:2]
    top, left = max(-y0, 0), max(-x0, 0)
    bottom, right = min(rows, height - y0), min(columns, width - x0)
    if bottom > top and right > left:
        lit = image[top:bottom, left:right] * np.float32(actor.light)
        if actor.side_light:
            lit *= _ramp(actor.side_light, middle[0] - x0, pose.side, left, right)
        place = (slice(y0 + top, y0 + bottom), slice(x0 + left, x0 + right))
        share = mask[top:bottom, left:right]
        canvas[place] += (lit - canvas[place]) * share[..., None]
        in_front[place][share > 0.5] = number
    return whole, box


def _pixels(box_xyxy: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.floor(box_xyxy + 0.5).astype(np.int64)


def _ramp(
    side_light: float, middle_x: float, side: float, left: int, right: int
) -> npt.NDArray[np.float32]:
    """Brightness over columns, float32 (1, n, 1): 1 on the lit side, less over the face's width."""
    across = ((np.arange(left, right) - middle_x) / side + 0.5).clip(0, 1)
    if side_light < 0:
        across = 1 - across
    return (1 - abs(side_light) * across).astype(np.float32)[None, :, None]


def _lit(canvas: npt.NDArray[np.float32], light: str) -> npt.NDArray[np.float32]:
    """Light the whole picture."""
    if light == "dark":
        return canvas * np.float32(0.2)
    if light == "bright":
        return canvas * np.float32(1.3) + 30
    if light == "low contrast":
        return canvas * np.float32(0.25) + 100
    return canvas
