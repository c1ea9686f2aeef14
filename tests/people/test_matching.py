"""Who is in a photo: clear faces only, nobody twice."""

from __future__ import annotations

import numpy as np

from emorec.people.gallery import open_gallery
from emorec.people.matching import PhotoNames
from emorec.records import Box, Face, FrameResult, unclassified

PICTURE = np.zeros((100, 900, 3), np.uint8)


def at(*angles: float) -> np.ndarray:
    found = np.zeros((len(angles), 128), np.float32)
    found[:, 0], found[:, 1] = np.cos(angles), np.sin(angles)
    return found


class Places:
    """An embedder whose embedding is an angle: 600 pixels to the right are one radian."""

    def embed(self, image_bgr, boxes_xyxy):
        return at(*(box[0] / 600 for box in boxes_xyxy))


def seen(*lefts: int, unreadable: str | None = None) -> FrameResult:
    nothing = unclassified()
    faces = tuple(
        Face(n, Box(left, 0, left + 60, 60), 1, 0, 0, nothing, nothing, None, (0, 0), unreadable)
        for n, left in enumerate(lefts, start=1)
    )
    return FrameResult(0, 0.0, (900, 100), faces)


def names(gallery, result: FrameResult) -> list[str | None]:
    named = PhotoNames(Places(), gallery).named(PICTURE, result)
    return [face.name for face in named.faces]


def test_the_faces_of_a_photo(store: str) -> None:
    gallery = open_gallery()
    try:
        assert names(gallery, seen(0, 300)) == [None, None]
        for place, name in ((0.0, "Ada"), (0.5, "Ben")):
            gallery.enrol(name, at(place), consent=True)
        assert names(gallery, seen()) == []
        assert names(gallery, seen(10, 300, 800)) == ["Ada", "Ben", None]
        assert names(gallery, seen(20, 10, 310)) == [None, "Ada", "Ben"]  # Ada is not there twice
        assert names(gallery, seen(10, 300, unreadable="too blurred")) == [None, None]
    finally:
        gallery.close()
