"""Checks a picture before a person is enrolled with it, and says why it is refused."""

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
from emorec.words import _

MOST_PICTURES = 10

LEAST_FACE_PX = 80
"""About half the side of the network's input; a smaller face is recognised less reliably."""

FAR = 0.43
FAR_OF_ONE, FAR_OF_TWO = 2, 98
"""Two pictures at a distance of ``FAR`` or more count as pictures of two people. That distance is
reached by ``FAR_OF_ONE`` of 100 pairs of pictures of one person, and by ``FAR_OF_TWO`` of 100 pairs
of pictures of two people (benchmarks/identity.py)."""

ALIKE_OF_NEW = 5
"""So many of 100 new people come within the rule's margin of its threshold to one of 40 people
enrolled."""

Embedding = npt.NDArray[np.float32]


def embedding_of(
    image_bgr: npt.NDArray[np.uint8], recognizer: EmotionRecognizer, embedder: Embedder
) -> Embedding:
    """Return the embedding, float32 of shape (128,), of the one face in a picture.

    It is the mean direction of the embeddings of the picture and of its mirror image. That doubles
    the time of enrolling, not that of recognising, and fewer names are missed
    (benchmarks/identity.py).

    Args:
        image_bgr: uint8 of shape (h, w, 3), blue first.
        recognizer: finds the face and decides whether it can be read.
        embedder: computes the embedding.

    Raises:
        EmorecError: the picture has no face or several, or its face is too small, dark, noisy,
            blurred, hidden or cut off; the line says which, and what to do.
    """
    box = only_face(image_bgr, recognizer)
    return mean_direction(both_ways(image_bgr, box, embedder))[0]


def only_face(image_bgr: npt.NDArray[np.uint8], recognizer: EmotionRecognizer) -> Box:
    """Return the box of the one face in a picture, which is good enough to enrol a person with.

    Raises:
        EmorecError: as `embedding_of` raises it.
    """
    faces = recognizer.analyze(image_bgr).faces
    if not faces:
        raise EmorecError(_("no face found: look towards the camera, evenly lit."))
    if len(faces) > 1:
        says = _("{n} faces: only the person's own may be in the picture.")
        raise EmorecError(says.format(n=len(faces)))
    (face,) = faces
    if face.unreadable and face.unreadable != "too small":
        raise EmorecError(_("the face is {why}.").format(why=_(face.unreadable)))
    side = min(face.box.width, face.box.height)
    if side < LEAST_FACE_PX:
        raise EmorecError(
            _("the face is too small: {side} pixels wide, at least {least} are needed.").format(
                side=side, least=LEAST_FACE_PX
            )
        )
    return face.box


def both_ways(image_bgr: npt.NDArray[np.uint8], box: Box, embedder: Embedder) -> Embeddings:
    """Return the embeddings of a face and of its mirror image, float32 of shape (2, 128)."""
    mirrored_bgr, mirrored_box = mirrored(image_bgr, box)
    return np.concatenate(
        [embedder.embed(image_bgr, [box]), embedder.embed(mirrored_bgr, [mirrored_box])]
    )


def mirrored(image_bgr: npt.NDArray[np.uint8], box: Box) -> tuple[npt.NDArray[np.uint8], Box]:
    """Return the mirror image of a picture, and of a box in it."""
    width = image_bgr.shape[1]
    return (
        np.ascontiguousarray(image_bgr[:, ::-1]),
        Box(width - box.x2, box.y1, width - box.x1, box.y2),
    )


@dataclass(frozen=True, slots=True)
class Remark:
    """A problem of a picture that a person is to be enrolled with.

    Attributes:
        text: the problem, written to follow the picture's name.
        refused: True: the picture is not enrolled. False: it is, and the text is a warning.
    """

    text: str
    refused: bool


def remarks(
    embeddings: Embeddings | Sequence[Embedding], gallery: Gallery, person_id: int | None = None
) -> list[Remark | None]:
    """Return the problem of each picture, or None where it has none.

    All pictures must show one person. Those that do are compared with the gallery together.

    Args:
        embeddings: float32 of shape (n, 128), the pictures of one enrolment.
        gallery: the people already enrolled.
        person_id: the person that the pictures are added to; None for a new person.

    Raises:
        EmorecError: the gallery cannot be read.
    """
    if not len(embeddings):
        return []
    array = np.stack(list(embeddings))
    found = [_refused_apart() if apart else None for apart in _far_from_others(array)]
    if person_id is not None:
        for row, embedding in enumerate(array):
            own = {match.person_id: match.distance for match in gallery.distances(embedding)}
            if found[row] is None and own.get(person_id, 0.0) >= FAR:
                found[row] = _refused_other()
    of_one = [row for row, remark in enumerate(found) if remark is None]
    if of_one:
        alike = _remark_on_likeness(array[of_one], gallery, person_id)
        for row in of_one:
            found[row] = alike
    return found


def _refused_apart() -> Remark:
    return _refused(
        _(
            "shows somebody else than the other pictures: of 100 pairs of pictures of one person"
            " {one} are so far apart, of two {two}."
        )
    )


def _refused_other() -> Remark:
    return _refused(
        _(
            "does not look like this person's other pictures: of 100 pairs of pictures of one"
            " person {one} are so far apart, of two {two}."
        )
    )


def _refused(says: str) -> Remark:
    return Remark(says.format(one=FAR_OF_ONE, two=FAR_OF_TWO), refused=True)


def _far_from_others(array: Embeddings) -> npt.NDArray[np.bool_]:
    """Return which pictures are ``FAR`` from the central one, which has the least sum of distances.

    The result is bool of shape (n,).
    """
    distances = np.array([[distance(one[None], two[None]) for two in array] for one in array])
    far = distances[distances.sum(axis=1).argmin()] >= FAR
    if len(array) == 2 and far.any():
        far[:] = True  # with two pictures, either may be the wrong one
    return np.asarray(far)


def _remark_on_likeness(
    pictures: Embeddings, gallery: Gallery, person_id: int | None
) -> Remark | None:
    """Return the remark for pictures that resemble another person of the gallery, or None."""
    people = gallery.distances(pictures)
    near = threshold(len(people))
    other = next((match for match in people if match.person_id != person_id), None)
    if other is None or other.distance >= near + MARGIN:
        return None
    # Only a warning where the other is not near enough for a name, or `person_id` is nearer.
    if other.distance >= near or people[0] is not other:
        return _similar_to(other.name)
    if person_id is not None:
        says = _("looks like {name}, who is somebody else.")
        return Remark(says.format(name=other.name), refused=True)
    says = _("looks like {name}, who is enrolled already; if it is {name}, add it to them.")
    return Remark(says.format(name=other.name), refused=True)


def _similar_to(name: str) -> Remark:
    return Remark(
        _(
            "looks much like {name}, as {n} of 100 newcomers do like one of 40 people: where the"
            " two cannot be told apart, neither is named."
        ).format(name=name, n=ALIKE_OF_NEW),
        refused=False,
    )
