"""Reads the photos of the web app: each function is a job that a worker process does.

All that a page shows or offers of a photo is made here, so that the picture itself never comes into
the server's process. A picture of more than ``MOST_PIXELS`` is reduced while it is decoded; results
are in pixels of the whole picture all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emorec.deployment import SETTINGS, Deployment
from emorec.drawing.overlay import draw_faces, draw_outlines
from emorec.drawing.viewer import shrunk
from emorec.errors import EmorecError
from emorec.geometry import square
from emorec.media.photo import ImageBGR, encode_jpeg, encode_png, open_photo
from emorec.model.store import path_of
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box, FrameResult
from emorec.settings import Settings

if TYPE_CHECKING:  # imports packages of an extra that may not be installed
    from emorec.people.embedding import FaceCrop

MOST_PIXELS = 16_000_000
"""A larger picture is reduced, so that one of 50 megapixels takes a third of the memory and of the
time. Nothing is lost by that: in 50 megapixels faces under 140 pixels are not looked for, in a
quarter of it those under 69 (`emorec.pipeline.tiles.smallest_searched`)."""

SHOWN_PX = 2048
"""Longest side in pixels of an annotated picture on the page and in the zip."""
_SHOWN_BYTES = 1_000_000  # of a message of at most 4 MB
_THUMB_PX = 480
_CROP_MARGIN = 1.3  # side of a crop, in faces
_CROPS_PX = ((40, 160), (200, 96), (1000, 40))
"""Up to so many faces, a crop has this side in pixels: all crops together go into one message."""
_PREVIEW_PX = 240


@dataclass(frozen=True, slots=True)
class Engine:
    """What photos are read with: a model's file, and the settings."""

    model: Path
    settings: Settings


@dataclass(frozen=True, slots=True, eq=False)
class ReadPhoto:
    """What was read from a photo, and small pictures that show it, as JPEG.

    Attributes:
        result: boxes are in pixels of the whole picture.
        shown: the picture with labels drawn on it, at most ``SHOWN_PX`` long.
        thumb: the picture with outlines, at most 480 pixels long.
        crops: a square picture of each face; none where totals alone are wanted.
        note: which part of the file was not read; None if all was.
        for_names: of each face that can get a name, what its embedding is computed from; None
            unless names are wanted.
    """

    result: FrameResult
    shown: bytes
    thumb: bytes
    crops: tuple[bytes, ...]
    note: str | None
    for_names: list[FaceCrop] | None


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A picture to enrol a person with.

    Attributes:
        preview: a small JPEG.
        crops: what the embeddings of its one face and of the mirror image are computed from; None
            if the picture cannot be used.
        reason: why it cannot be used; None if it can.
        note: which part of the file was not read; None if all was.
    """

    preview: bytes
    crops: list[FaceCrop] | None
    reason: str | None
    note: str | None


def prepare() -> None:
    """Load what every job needs, so that the first one does not wait for it."""
    try:
        chosen = Deployment.from_env(only=(*SETTINGS, "runtime"))
        engine = Engine(path_of(runtime=chosen.runtime), chosen.settings)
        _recognizer(engine).analyze(np.zeros((64, 64, 3), np.uint8))
    except EmorecError:  # the page shows the same error
        return


def read(data: bytes, name: str, engine: Engine, names: bool, group_only: bool) -> ReadPhoto:
    """Read a photo.

    Args:
        data: the file's content.
        name: the file's name, for error lines.
        engine: what it is read with.
        names: whether its faces are to be named.
        group_only: whether nothing of a single face may be shown.

    Raises:
        EmorecError: the picture or the model cannot be read; one line.
        MemoryError: there is too little memory for it.
    """
    photo = open_photo(data, name, MOST_PIXELS)
    result = _recognizer(engine).analyze(photo.image_bgr)
    thumb = shrunk(photo.image_bgr, _THUMB_PX)
    crops, for_names = [], None
    if not group_only:
        side_px = next((px for most, px in _CROPS_PX if len(result.faces) <= most), 40)
        crops = [
            encode_jpeg(_square_crop(photo.image_bgr, face.box, side_px)) for face in result.faces
        ]
    if names:
        from emorec.people.embedding import face_crops
        from emorec.people.matching import readable

        for_names = face_crops(photo.image_bgr, [face.box for face in readable(result)])
    return ReadPhoto(
        result=at_size(result, photo.size_wh),
        shown=_shown(photo.image_bgr, result, group_only),
        thumb=encode_jpeg(
            _drawn(thumb, result, group_only)
            if group_only
            else draw_outlines(thumb, at_size(result, _size_wh(thumb)).faces)
        ),
        crops=tuple(crops),
        note=photo.note,
        for_names=for_names,
    )


def annotated(data: bytes, name: str, result: FrameResult, group_only: bool, whole: bool) -> bytes:
    """Return the photo with its faces drawn on it.

    Args:
        data: the file's content.
        name: the file's name, for error lines.
        result: what was read from it.
        group_only: whether nothing of a single face may be shown.
        whole: whether it is a PNG as large as the photo is read, or a JPEG as on the page.

    Raises:
        EmorecError: the picture cannot be read; one line.
        MemoryError: there is too little memory for it.
    """
    image_bgr = open_photo(data, name, MOST_PIXELS).image_bgr
    if whole:
        return encode_png(_drawn(image_bgr, result, group_only))
    return _shown(image_bgr, result, group_only)


def candidate(data: bytes, name: str, engine: Engine) -> Candidate:
    """Look at a picture to enrol a person with.

    Args:
        data: the file's content.
        name: the file's name, for error lines.
        engine: what finds the face and judges it.

    Raises:
        EmorecError: the picture cannot be decoded, or the model not be read; one line.
        MemoryError: there is too little memory for it.
    """
    from emorec.people.embedding import face_crops
    from emorec.people.enrolment import mirrored, only_face

    photo = open_photo(data, name, MOST_PIXELS)
    preview = encode_jpeg(shrunk(photo.image_bgr, _PREVIEW_PX))
    try:
        box = only_face(photo.image_bgr, _recognizer(engine))
    except EmorecError as error:
        return Candidate(preview, None, str(error), photo.note)
    other_bgr, other_box = mirrored(photo.image_bgr, box)
    crops = face_crops(photo.image_bgr, [box]) + face_crops(other_bgr, [other_box])
    return Candidate(preview, crops, None, photo.note)


def at_size(result: FrameResult, size_wh: tuple[int, int]) -> FrameResult:
    """Return the result for the same picture at another size."""
    if result.size_wh == size_wh:
        return result
    scales = [new / old for new, old in zip(size_wh, result.size_wh, strict=True)] * 2
    faces = tuple(
        replace(
            face, box=Box(*(round(v * scale) for v, scale in zip(face.box, scales, strict=True)))
        )
        for face in result.faces
    )
    smallest_px = result.smallest_px * max(scales)
    return replace(result, size_wh=size_wh, faces=faces, smallest_px=smallest_px)


@lru_cache(maxsize=2)
def _recognizer(engine: Engine) -> EmotionRecognizer:
    # The other cores are for live pictures, and for the photos of other visitors.
    return EmotionRecognizer(engine.model, engine.settings, threads=1)


def _shown(image_bgr: ImageBGR, result: FrameResult, group_only: bool) -> bytes:
    """Return the annotated picture as a JPEG that one message can carry."""
    longest_px = SHOWN_PX
    while True:
        drawn = _drawn(shrunk(image_bgr, longest_px), result, group_only)
        shown = encode_jpeg(drawn)
        if len(shown) <= _SHOWN_BYTES or longest_px < _THUMB_PX:
            return shown
        longest_px = round(longest_px * 0.75)


def _drawn(image_bgr: ImageBGR, result: FrameResult, group_only: bool) -> ImageBGR:
    faces = at_size(result, _size_wh(image_bgr)).faces
    return draw_faces(image_bgr, faces, group_only=group_only)


def _size_wh(image_bgr: ImageBGR) -> tuple[int, int]:
    return image_bgr.shape[1], image_bgr.shape[0]


def _square_crop(image_bgr: ImageBGR, box: Box, side_px: int) -> ImageBGR:
    """Return a square around a face; where it reaches over the border, that is repeated."""
    x1, y1, x2, y2 = np.rint(square(box, _CROP_MARGIN)[0]).astype(int)
    height, width = image_bgr.shape[:2]
    inside = image_bgr[max(y1, 0) : min(y2, height), max(x1, 0) : min(x2, width)]
    above, below = max(-y1, 0), max(y2 - height, 0)
    left, right = max(-x1, 0), max(x2 - width, 0)
    whole = np.pad(inside, ((above, below), (left, right), (0, 0)), "edge")
    return np.asarray(cv2.resize(whole, (side_px, side_px), interpolation=cv2.INTER_AREA))
