"""What makes a picture good enough to know somebody by; if it is not, why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.people.gallery import Gallery
from emorec.people.matching import Embedder
from emorec.people.rule import MARGIN, Embeddings, distance, mean_direction, threshold
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box

MOST_PICTURES = 10

LEAST_FACE_PX = 80
"""About half of what the network sees; a smaller face is known less surely."""

FAR = 0.43
FAR_OF_ONE, FAR_OF_TWO = 2, 98
"""Two pictures that are farther apart are taken for two people's: of 100 pairs of one person's
pictures so many are, and of two people's (benchmarks/identity.py)."""

ALIKE_OF_NEW = 5
"""Of 100 people so many lie within the rule's margin of its threshold to one of 40 enrolled."""

Embedding = npt.NDArray[np.float32]


def look_at(
    image_bgr: npt.NDArray[np.uint8], recognizer: EmotionRecognizer, embedder: Embedder
) -> Embedding:
    """Return the embedding, float32 of shape (128,), of the one face in a picture.

    It is the mean direction of the picture and its mirror image: enrolling takes twice as long for
    it, recognising does not, and fewer names are missed (benchmarks/identity.py).

    Args:
        image_bgr: uint8 of shape (h, w, 3), blue first.
        recognizer: finds the face and says whether it can be read.
        embedder: turns it into numbers.

    Raises:
        EmorecError: no face, several, or one that is too small, dark, noisy, blurred, hidden or
            cut off; the line says which, and what to do.
    """
    faces = recognizer.analyze(image_bgr).faces
    if not faces:
        raise EmorecError("no face found: look towards the camera, evenly lit.")
    if len(faces) > 1:
        raise EmorecError(f"{len(faces)} faces: only the person's own may be in the picture.")
    (face,) = faces
    if face.unreadable and face.unreadable != "too small":
        raise EmorecError(f"the face is {face.unreadable}.")
    side = min(face.box.width, face.box.height)
    if side < LEAST_FACE_PX:
        raise EmorecError(
            f"the face is too small: {side} pixels wide, at least {LEAST_FACE_PX} are needed."
        )
    return mean_direction(both_ways(image_bgr, face.box, embedder))[0]


def both_ways(image_bgr: npt.NDArray[np.uint8], box: Box, embedder: Embedder) -> Embeddings:
    """Return the embeddings of a face and of its mirror image, float32 of shape (2, 128)."""
    width = image_bgr.shape[1]
    mirrored = Box(width - box.x2, box.y1, width - box.x1, box.y2)
    return np.concatenate(
        [
            embedder.embed(image_bgr, [box]),
            embedder.embed(np.ascontiguousarray(image_bgr[:, ::-1]), [mirrored]),
        ]
    )


@dataclass(frozen=True, slots=True)
class Remark:
    """What speaks against enrolling a picture.

    Attributes:
        text: goes on from the picture's name.
        refused: whether it cannot be kept; else it can, and whoever enrols should know.
    """

    text: str
    refused: bool


def remarks(
    embeddings: Embeddings | Sequence[Embedding], gallery: Gallery, person_id: int | None = None
) -> list[Remark | None]:
    """Return for each picture what speaks against keeping it, or None.

    All must show one person. Whom they look like is told by all that do.

    Args:
        embeddings: float32 of shape (n, 128), those of one enrolment.
        gallery: who is enrolled.
        person_id: to whom they are to be added; None for somebody new.

    Raises:
        EmorecError: the gallery cannot be read.
    """
    if not len(embeddings):
        return []
    array = np.stack(list(embeddings))
    found = [_REFUSED_APART if apart else None for apart in _apart(array)]
    if person_id is not None:
        for row, embedding in enumerate(array):
            own = {match.person_id: match.distance for match in gallery.distances(embedding)}
            if found[row] is None and own.get(person_id, 0.0) >= FAR:
                found[row] = _REFUSED_OTHER
    of_one = [row for row, remark in enumerate(found) if remark is None]
    if of_one:
        alike = _alike(array[of_one], gallery, person_id)
        for row in of_one:
            found[row] = alike
    return found


_MEANING = (
    f"of 100 pairs of pictures of one person {FAR_OF_ONE} are so far apart, of two {FAR_OF_TWO}"
)
_REFUSED_APART = Remark(f"shows somebody else than the other pictures: {_MEANING}.", refused=True)
_REFUSED_OTHER = Remark(
    f"does not look like this person's other pictures: {_MEANING}.", refused=True
)


def _apart(array: Embeddings) -> npt.NDArray[np.bool_]:
    """Return which pictures are too far from the one that is nearest to all others."""
    away = np.array([[distance(one[None], two[None]) for two in array] for one in array])
    apart = away[away.sum(axis=1).argmin()] >= FAR
    if len(array) == 2 and apart.any():
        apart[:] = True  # which of two is the stranger, nobody can tell
    return np.asarray(apart)


def _alike(pictures: Embeddings, gallery: Gallery, person_id: int | None) -> Remark | None:
    """Return what is to be said where pictures look like somebody who is enrolled."""
    people = gallery.distances(pictures)
    near = threshold(len(people))
    other = next((match for match in people if match.person_id != person_id), None)
    if other is None or other.distance >= near + MARGIN:
        return None
    if other.distance >= near or people[0] is not other:  # or the person themself is nearer
        return _much_like(other.name)
    if person_id is not None:
        return Remark(f"looks like {other.name}, who is somebody else.", refused=True)
    return Remark(
        f"looks like {other.name}, who is enrolled already; if it is {other.name}, add it to them.",
        refused=True,
    )


def _much_like(name: str) -> Remark:
    return Remark(
        f"looks much like {name}, as {ALIKE_OF_NEW} of 100 newcomers do like one of 40 people:"
        " where the two cannot be told apart, neither is named.",
        refused=False,
    )
