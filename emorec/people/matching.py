"""From faces to names: protocols of the embedder and the matcher, and names for a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.people.rule import Embeddings
from emorec.records import Face, FrameResult


@dataclass(frozen=True, slots=True)
class Match:
    """The person that a face matches, and the distance between face and person.

    The distance is `emorec.people.rule.distance` to the person's pictures.
    """

    person_id: int
    name: str
    distance: float


class Embedder(Protocol):
    """Computes embeddings of faces: `emorec.people.embedding.FaceEmbedder`."""

    def embed(self, image_bgr: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike) -> Embeddings: ...


class Matcher(Protocol):
    """Finds the enrolled person that a face belongs to: `emorec.people.gallery.Gallery`."""

    def match(self, faces: Sequence[npt.ArrayLike]) -> list[Match | None]: ...


class PhotoNames:
    """Names the faces of photos; each photo is handled alone.

    Args:
        embedder: computes the embeddings of faces.
        gallery: finds the people that faces belong to.
    """

    def __init__(self, embedder: Embedder, gallery: Matcher) -> None:
        self._embedder = embedder
        self._gallery = gallery

    def named(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> FrameResult:
        """Return the result of a photo with the names of the people recognised.

        An unreadable face gets no name. If two faces match one person, the nearer face gets the
        name.

        Raises:
            EmorecError: the store or the embedder cannot be used.
        """
        boxes = [face.box for face in readable(result)]
        return with_names(result, self._embedder.embed(image_bgr, boxes), self._gallery)


def readable(result: FrameResult) -> list[Face]:
    """Return the faces of a photo that can get a name."""
    return [face for face in result.faces if not face.unreadable]


def with_names(result: FrameResult, embeddings: Embeddings, gallery: Matcher) -> FrameResult:
    """Return the result of a photo with the names of the people recognised.

    If two faces match one person, the nearer face gets the name.

    Args:
        result: of the photo.
        embeddings: of its `readable` faces, float32 of shape (n, 128).
        gallery: finds the people that faces belong to.

    Raises:
        EmorecError: the store cannot be used.
    """
    matches = unique_matches(gallery.match(list(embeddings)))
    names = {
        face.track_id: match.name
        for face, match in zip(readable(result), matches, strict=True)
        if match
    }
    faces = tuple(replace(face, name=names.get(face.track_id)) for face in result.faces)
    return replace(result, faces=faces)


def unique_matches(matches: Sequence[Match | None]) -> list[Match | None]:
    """Return the matches of one frame's faces; of several faces of one person, only the nearest.

    The other faces of that person get None.
    """
    nearest: dict[int, Match] = {}
    for match in matches:
        if match:
            best = nearest.setdefault(match.person_id, match)
            if match.distance < best.distance:
                nearest[match.person_id] = match
    return [match if match and nearest[match.person_id] is match else None for match in matches]
