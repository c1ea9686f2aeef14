"""EmoRec reads the apparent emotion of every face in a live picture, a photo or a film.

The way the data goes::

    picture -> detect -> track -> crop -> classify -> smooth -> FrameResult

`emorec.pipeline` holds one file a stage, in this order; `emorec.records` what passes between
them; `emorec.model` the network, its weights and what runs it. A live picture enters through
`emorec.live`, a photo through `emorec.media`. From a FrameResult, `emorec.drawing` makes pictures
and charts, `emorec.rows` tables, CSV and JSON, `emorec.sessions` a timeline with its summary, and
`emorec.pages` shows them.

    from emorec import AnnotatedPicture, EmotionRecognizer

    recognizer = EmotionRecognizer()
    result = recognizer.analyze(image_bgr)  # uint8 (h, w, 3), blue first
    for face in result.faces:
        print(face.box, face.emotion, face.confidence)
    result.to_dataframe()  # of a film: to_dataframe(results)
    AnnotatedPicture(image_bgr, result)  # a notebook shows it

It reports apparent expression, not inner feeling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.records import Box, Face, FrameResult
from emorec.rows import to_dataframe
from emorec.settings import Settings
from emorec.version import __version__

if TYPE_CHECKING:
    from emorec.drawing.viewer import AnnotatedPicture
    from emorec.recognizer import EmotionRecognizer

__all__ = [
    "EMOTIONS",
    "AnnotatedPicture",
    "Box",
    "EmorecError",
    "EmotionRecognizer",
    "Face",
    "FrameResult",
    "Settings",
    "__version__",
    "to_dataframe",
]


def __getattr__(name: str) -> object:
    # These bring OpenCV, and a runtime, with them: those who only need the records wait for
    # neither.
    if name == "AnnotatedPicture":
        from emorec.drawing.viewer import AnnotatedPicture

        return AnnotatedPicture
    if name == "EmotionRecognizer":
        from emorec.recognizer import EmotionRecognizer

        return EmotionRecognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
