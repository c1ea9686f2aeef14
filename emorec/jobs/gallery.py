"""Who a face is, asked by the process that reads a video: it has neither the gallery nor its key.

It sends embeddings of faces to the app, and gets back the people that they match.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import astuple

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.people.matching import Match, Matcher
from emorec.people.nearest import SIZE

_AT_ONCE = 100  # faces of one question: a line of at most 1 MB


class AskedGallery:
    """A matcher in the process that reads a video; the app answers.

    Args:
        ask: sends a question to the app.
        answer: waits for the app's answer, a line of JSON, and returns it.
    """

    def __init__(self, ask: Callable[[list[str]], None], answer: Callable[[], str]) -> None:
        self._ask = ask
        self._answer = answer

    def match(self, faces: Sequence[npt.ArrayLike]) -> list[Match | None]:
        """Return the person that each face is, by some embeddings of it; None: nobody known.

        Raises:
            EmorecError: the gallery cannot be used.
        """
        found: list[Match | None] = []
        for first in range(0, len(faces), _AT_ONCE):
            some = faces[first : first + _AT_ONCE]
            self._ask([b64encode(np.asarray(face, "<f4").tobytes()).decode() for face in some])
            told = json.loads(self._answer())
            if "error" in told:
                raise EmorecError(told["error"])
            found += [match and Match(*match) for match in told["matches"]]
        return found


def answered(question: Sequence[str], gallery: Matcher) -> str:
    """Return the app's answer to a question of `AskedGallery`, as a line.

    Raises:
        ValueError: it is no such question.
    """
    faces = [np.frombuffer(b64decode(face), "<f4").reshape(-1, SIZE) for face in question]
    try:
        matches = gallery.match(faces)
    except EmorecError as error:
        return f"{json.dumps({'error': str(error)})}\n"
    return f"{json.dumps({'matches': [match and astuple(match) for match in matches]})}\n"
