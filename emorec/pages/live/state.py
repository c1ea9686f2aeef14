"""What the Live page keeps of a visitor between two runs: the live picture and what reads it."""

from __future__ import annotations

from dataclasses import dataclass

from emorec.live.names import LiveNames
from emorec.live.stream import LiveStream
from emorec.pages.live.reader import NextReader
from emorec.pages.parts import naming
from emorec.pages.parts.engine import pace
from emorec.pages.parts.visit import State, visit
from emorec.pipeline.classify import Classifier
from emorec.recognizer import EmotionRecognizer
from emorec.words import N_


@dataclass
class LivePicture(State):
    """A visitor's live picture.

    Attributes:
        stream: the moving picture; its threads and tracks hold it themselves, never this state.
        reader: what the next START reads with.
        names: what names the faces of the stream, once the visitor has switched names on.
        since_s: when the visitor pressed START, by the monotonic clock; None: it is not running.
        group_only: whether Group only was on at any time of the session that was started last. Its
            faces agreed to that, so switching it off afterwards shows no single one of them.
        is_example: whether the session that was started last reads the example.
        followed: the number of the face that is shown alone beside the picture; None: all are.
        said: what a screen reader was told last of the faces in view.
        said_s: when, by the monotonic clock.
    """

    stream: LiveStream | None = None
    reader: NextReader | None = None
    names: LiveNames | None = None
    since_s: float | None = None
    group_only: bool = False
    is_example: bool = False
    followed: int | None = None
    said: str = ""
    said_s: float = 0.0

    def close(self) -> None:
        if self.stream is not None:
            # The thread that reads also ends the names, as it is the one that uses them.
            self.stream.stop()


def live_picture(
    engine: EmotionRecognizer, classifier: Classifier
) -> tuple[LiveStream, NextReader]:
    """Return the visitor's live picture and what its next START reads with.

    Args:
        engine: that reads the visitor's live pictures.
        classifier: what reads the faces of all live pictures on that engine.
    """
    own = visit().state(LivePicture)
    if own.stream is None or own.reader is None:
        own.reader = NextReader(engine, classifier)
        own.stream = LiveStream(own.reader, pace=pace())
    own.reader.engine, own.reader.classifier = engine, classifier
    return own.stream, own.reader


def stream_names() -> LiveNames:
    """Return what names the faces of this visitor's live picture."""
    own = visit().state(LivePicture)
    if own.names is None:
        gallery = naming.gallery()
        own.names = LiveNames(naming.embedder(), gallery, gallery.examples)
    return own.names


def follow(number: int | None) -> None:
    """Show one face alone beside this visitor's picture.

    Args:
        number: of the face; 0 or None: all are shown.
    """
    visit().state(LivePicture).followed = number or None


def source_lost() -> None:
    """End the session that runs, as its camera or screen has ended by itself, and say so."""
    own = visit().state(LivePicture)
    if own.stream is not None and own.reader is not None and own.since_s is not None:
        own.stream.problem = _NO_SCREEN if own.reader.source == "screen" else _NO_CAMERA


_NO_CAMERA = N_(
    "**The camera was lost: this session is over.** Plug it in again, or close the program that "
    "took it, and start again."
)
_NO_SCREEN = N_(
    "**The screen is no longer shared: this session is over.** Start again to share one."
)
