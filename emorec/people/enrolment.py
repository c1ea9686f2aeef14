"""What makes a picture good enough to know somebody by; if it is not, why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.people.gallery import THRESHOLD, Gallery, Match
from emorec.people.nearest import Embeddings
from emorec.people.recognition import Embedder
from emorec.recognizer import EmotionRecognizer

MOST_PICTURES = 10

LEAST_FACE_PX = 80
"""About half of what the network sees; a smaller face is known less surely."""

Embedding = npt.NDArray[np.float32]


def look_at(
    image_bgr: npt.NDArray[np.uint8], recognizer: EmotionRecognizer, embedder: Embedder
) -> Embedding:
    """Return the embedding, float32 of shape (128,), of the one face in a picture.

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
    return embedder.embed(image_bgr, [face.box])[0]


def objections(
    looks: Embeddings | Sequence[Embedding], gallery: Gallery, person_id: int | None = None
) -> list[str | None]:
    """Return for each look why it cannot be kept, or None.

    All must show one person, and be nearer than the threshold to nobody else who is enrolled.

    Args:
        looks: float32 of shape (n, 128), those of one enrolment.
        gallery: who is enrolled.
        person_id: to whom they are to be added; None for somebody new.

    Raises:
        EmorecError: the gallery cannot be read.
    """
    if not len(looks):
        return []
    array = np.stack(list(looks))
    away = np.linalg.norm(array[:, None] - array[None], axis=2)
    apart = away[away.sum(axis=1).argmin()] >= THRESHOLD
    if len(array) == 2 and apart.any():
        apart[:] = True  # which of two is the stranger, nobody can tell
    return [
        "shows somebody else than the other pictures." if other else _conflict(match, person_id)
        for other, match in zip(apart, gallery.match(array), strict=True)
    ]


def _conflict(nearest: Match | None, person_id: int | None) -> str | None:
    if nearest is None:
        return "does not look like this person's other pictures." if person_id else None
    if nearest.person_id == person_id:
        return None
    name = nearest.name
    if person_id:
        return f"looks like {name}, who is somebody else."
    return f"looks like {name}, who is enrolled already; if it is {name}, add it to them."
