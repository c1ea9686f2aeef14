"""Names in a video file: by media time alone, and the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.people.matching import Match
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.videos.names import VideoNames

PICTURE = np.zeros((100, 100, 3), np.uint8)


class Faces:
    """An embedder whose embedding says who is at a place: the left edge of the box."""

    def __init__(self) -> None:
        self.embedded: list[int] = []

    def embed(self, image_bgr, boxes_xyxy):
        self.embedded.append(len(boxes_xyxy))
        return np.eye(128, dtype=np.float32)[[int(box[0]) for box in boxes_xyxy]]


class People:
    """A gallery that knows a person by where the only 1 of an embedding stands."""

    def __init__(self) -> None:
        self.names = {1: "Ada", 2: "Grace"}

    def match(self, faces):
        who = [int(face[0].argmax()) for face in faces]
        return [Match(one, self.names[one], 0.1) if one in self.names else None for one in who]


def at(time_s: float, *people: int, width: int = 60) -> FrameResult:
    nothing = unclassified()
    faces = tuple(
        Face(number, Box(who, 0, who + width, 60), 1.0, 0, 0, nothing, nothing, None, (0, 0))
        for number, who in enumerate(people, start=1)
    )
    return FrameResult(0, time_s, (100, 100), faces)


def told(names: VideoNames, result: FrameResult) -> list[str | None]:
    return [face.name for face in names.named(PICTURE, result).faces]


@pytest.mark.parametrize("fps", [5, 30, 240])
def test_a_name_comes_with_the_third_embedding_whatever_the_frame_rate(fps: int) -> None:
    faces = Faces()
    names = VideoNames(faces, People())
    first: dict[str | None, float] = {}
    for number in range(3 * fps):
        for name in told(names, at(number / fps, 1, 5)):
            first.setdefault(name, number / fps)
    assert faces.embedded[:3] == [2, 2, 2]  # a stranger is embedded as well
    assert first == {None: 0.0, "Ada": pytest.approx(1.2, abs=0.21)}


def test_nobody_is_in_two_places_and_who_is_deleted_loses_the_name() -> None:
    people = People()
    names = VideoNames(Faces(), people)
    for number in range(20):
        named = told(names, at(number / 10, 1, 1))
    assert sorted(name or "" for name in named) == ["", "Ada"]
    people.names.clear()
    for number in range(20, 80):
        named = told(names, at(number / 10, 1, 1))
    assert named == [None, None]


def test_small_faces_are_not_embedded_and_no_face_is_no_error() -> None:
    faces = Faces()
    names = VideoNames(faces, People())
    assert told(names, at(0.0)) == [] and told(names, at(0.1, 1, width=30)) == [None]
    assert not faces.embedded
