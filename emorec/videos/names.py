"""Names for the faces of a video file: by media time alone, so that every machine gives the same.

A name is shown from the decision on that gives it (`emorec.people.followed`), not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emorec.people.followed import Followed
from emorec.people.matching import Embedder, Matcher
from emorec.records import FrameResult


class VideoNames:
    """Names the faces of one video; it keeps no picture, and embeddings only of faces in view.

    Args:
        embedder: turns faces into embeddings.
        gallery: asked after every embedding.
    """

    def __init__(self, embedder: Embedder, gallery: Matcher) -> None:
        self._embedder = embedder
        self._gallery = gallery
        self._followed = Followed()
        self._names: Mapping[int, str] = {}

    def named(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> FrameResult:
        """Return the result with the names of the people recognised.

        Raises:
            EmorecError: the store or the embedder cannot be used.
        """
        due = self._followed.due(result.faces, result.time_s)
        if due:
            embeddings = self._embedder.embed(image_bgr, [face.box for _, face in due])
            for (known, _), embedding in zip(due, embeddings, strict=True):
                known.evidence.add(embedding)
                known.embedded_s = result.time_s
            matches = self._followed.matches(self._gallery)
            self._names = {track_id: match.name for track_id, match in matches.items()}
        faces = tuple(replace(face, name=self._names.get(face.track_id)) for face in result.faces)
        return replace(result, faces=faces)
