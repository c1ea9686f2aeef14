"""The strongest moments of each expression in a video, as small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.drawing.viewer import shrunk
from emorec.emotions import EMOTIONS
from emorec.geometry import clip, square
from emorec.media.photo import encode_jpeg
from emorec.records import Face, FrameResult

Image = npt.NDArray[np.uint8]

_EACH = 3
_APART_S = 3.0
_SIDES = 2.0  # side of the picture, in faces
_SIDE_PX = 240


@dataclass(frozen=True, slots=True)
class Moment:
    """When a face showed an expression most strongly.

    Attributes:
        emotion: its label.
        time_s: of the video.
        track_id: number of the face.
        confidence: probability of the label, in [0, 1].
        jpeg: the face in its surroundings, as they were drawn.
    """

    emotion: str
    time_s: float
    track_id: int
    confidence: float
    jpeg: bytes


class Strongest:
    """Keeps for each emotion the faces with the highest probability, at moments well apart."""

    def __init__(self) -> None:
        self._best: dict[str, list[Moment]] = {emotion: [] for emotion in EMOTIONS}

    def consider(self, drawn_bgr: Image, result: FrameResult) -> None:
        """Take the faces of a frame that are among the strongest so far.

        Args:
            drawn_bgr: the frame as it is shown; nothing else of it is kept, so a face that is made
                unrecognisable there is so in every small picture.
            result: what was read from the frame.
        """
        for face in result.faces:
            if face.classified and face.emotion is not None and not face.unseen_s:
                self._consider(face, face.emotion, drawn_bgr, result.time_s)

    def all(self) -> list[Moment]:
        """Return the moments, in ``EMOTIONS`` order, the strongest of each emotion first."""
        return [moment for emotion in EMOTIONS for moment in self._best[emotion]]

    def _consider(self, face: Face, emotion: str, drawn_bgr: Image, time_s: float) -> None:
        best = self._best[emotion]
        near = [moment for moment in best if abs(moment.time_s - time_s) < _APART_S]
        if any(moment.confidence >= face.confidence for moment in near):
            return
        others = [moment for moment in best if moment not in near]
        if len(others) >= _EACH and others[-1].confidence >= face.confidence:
            return
        size_wh = (drawn_bgr.shape[1], drawn_bgr.shape[0])
        x1, y1, x2, y2 = clip(square(face.box, _SIDES), size_wh)[0].astype(int)
        jpeg = encode_jpeg(shrunk(drawn_bgr[y1:y2, x1:x2], _SIDE_PX))
        new = Moment(emotion, time_s, face.track_id, face.confidence, jpeg)
        ranked = sorted([*others, new], key=lambda moment: -moment.confidence)
        self._best[emotion] = ranked[:_EACH]
