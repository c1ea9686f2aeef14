"""EmoRec reads the apparent emotion of every face in a live picture, a photo or a film.

The way the data goes::

    picture -> detect -> track -> crop -> classify -> smooth -> FrameResult

`emorec.pipeline` holds one file a stage, in this order; `emorec.records` what passes between
them; `emorec.model` the network, its weights and what runs it. A live picture enters through
`emorec.live`, a photo through `emorec.media`. From a FrameResult, `emorec.drawing` makes pictures
and charts, `emorec.sessions` a timeline with its summary, and `emorec.pages` shows both.

    from emorec import EmotionRecognizer

    recognizer = EmotionRecognizer()
    result = recognizer.analyze(image_bgr)  # uint8 (h, w, 3), blue first
    for face in result.faces:
        print(face.box, face.emotion, face.confidence)

It reports apparent expression, not inner feeling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.records import Box, Face, FrameResult
from emorec.settings import Settings

if TYPE_CHECKING:
    from emorec.recognizer import EmotionRecognizer

__version__ = "0.1.0"
__all__ = [
    "EMOTIONS",
    "Box",
    "EmorecError",
    "EmotionRecognizer",
    "Face",
    "FrameResult",
    "Settings",
]


def __getattr__(name: str) -> object:
    # The recognizer brings OpenCV and a runtime with it: those who only need the records wait
    # for neither.
    if name == "EmotionRecognizer":
        from emorec.recognizer import EmotionRecognizer

        return EmotionRecognizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
