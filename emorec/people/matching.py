"""Who is in a photo: each face matched by itself, and nobody in two places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emorec.live.names import Embedder
from emorec.people.gallery import Gallery
from emorec.people.rule import once
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
    matches = once(gallery.match(list(faces)))
    found = {face.track_id: match.name for face, match in zip(clear, matches, strict=True) if match}
    return replace(
        result,
        faces=tuple(replace(face, name=found.get(face.track_id)) for face in result.faces),
    )
