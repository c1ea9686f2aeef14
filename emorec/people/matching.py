"""Who is in a photo: each face matched once, and nobody in two places."""

from __future__ import annotations

from dataclasses import replace

import lap
import numpy as np
import numpy.typing as npt

from emorec.people.gallery import THRESHOLD, Gallery
from emorec.people.nearest import Embeddings
from emorec.people.recognition import Embedder
from emorec.records import FrameResult


def named(
    image_bgr: npt.NDArray[np.uint8], result: FrameResult, embedder: Embedder, gallery: Gallery
) -> FrameResult:
    """Return what was read from a photo with the names of those who are known.

    A face that cannot be read gets no name. A person who is in two places has the nearer face.

    Raises:
        EmorecError: the store or the embedder cannot be used.
    """
    clear = [face for face in result.faces if not face.unreadable]
    faces = embedder.embed(image_bgr, [face.box for face in clear])
    names = {person.id: person.name for person in gallery.people()}
    people = assign(faces, *gallery.embeddings())
    found = {face.track_id: names.get(id_) for face, id_ in zip(clear, people, strict=True) if id_}
    return replace(
        result,
        faces=tuple(replace(face, name=found.get(face.track_id)) for face in result.faces),
    )


def assign(
    faces: Embeddings, ids: npt.NDArray[np.int64], looks: Embeddings, threshold: float = THRESHOLD
) -> list[int | None]:
    """Return the person of each face, no person twice: of all matchings the one of the least sum.

    A person's distance to a face is that of their nearest look. Two that are ``threshold`` or
    farther apart stay alone.

    Args:
        faces: float32 of shape (n, 128), those of one photo.
        ids: int64 of shape (m,), whose each look is.
        looks: float32 of shape (m, 128).
        threshold: Euclidean distance that a match stays under.
    """
    people, row = np.unique(ids, return_inverse=True)
    if not len(faces) or not len(people):  # which lap answers, but writes outside its memory
        return [None] * len(faces)
    away = np.full((len(faces), len(people)), np.inf)
    for number, face in enumerate(faces):
        np.minimum.at(away[number], row, np.linalg.norm(looks - face, axis=1))
    _, columns, _ = lap.lapjv(away, extend_cost=True, cost_limit=threshold)
    return [int(people[column]) if column >= 0 else None for column in columns]
