"""From faces to names: what embeds them, what matches them, and the names of a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from emorec.people.rule import Embeddings
from emorec.records import FrameResult


@dataclass(frozen=True, slots=True)
class Match:
    """Whose face it is, and how far that person's pictures are (`emorec.people.rule.distance`)."""

    person_id: int
    name: str
    distance: float


class Embedder(Protocol):
    """Turns faces into embeddings: `emorec.people.embedding.FaceEmbedder`."""

    def embed(self, image_bgr: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike) -> Embeddings: ...


class Matcher(Protocol):
    """Knows the people enrolled: `emorec.people.gallery.Gallery`."""

    def match(self, faces: Sequence[npt.ArrayLike]) -> list[Match | None]: ...


class PhotoNames:
    """Names the faces of photos, each picture by itself.

    Args:
        embedder: turns faces into embeddings.
        gallery: knows the people enrolled.
    """

    def __init__(self, embedder: Embedder, gallery: Matcher) -> None:
        self._embedder = embedder
        self._gallery = gallery

    def named(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> FrameResult:
        """Return what was read from a photo with the names of the people recognised.

        A face that cannot be read gets no name. Where two faces match one person, the nearer face
        gets the name.

        Raises:
            EmorecError: the store or the embedder cannot be used.
        """
        clear = [face for face in result.faces if not face.unreadable]
        embeddings = self._embedder.embed(image_bgr, [face.box for face in clear])
        matches = once(self._gallery.match(list(embeddings)))
        names = {
            face.track_id: match.name for face, match in zip(clear, matches, strict=True) if match
        }
        faces = tuple(replace(face, name=names.get(face.track_id)) for face in result.faces)
        return replace(result, faces=faces)


def once(matches: Sequence[Match | None]) -> list[Match | None]:
    """Return the matches of faces seen at one time, with each person once: the nearest face."""
    nearest: dict[int, Match] = {}
    for match in matches:
        if match:
            first = nearest.setdefault(match.person_id, match)
            if match.distance < first.distance:
                nearest[match.person_id] = match
    return [match if match and nearest[match.person_id] is match else None for match in matches]
