"""What makes the reader of a visitor's live picture: made by the page, called at every START."""

from __future__ import annotations

from emorec.pipeline.classify import Classifier
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer


class NextReader:
    """What the next START reads with; a stream that runs keeps what it started with."""

    def __init__(self, engine: EmotionRecognizer, classifier: Classifier) -> None:
        self.engine = engine
        self.classifier = classifier
        self.settings = engine.settings

    def __call__(self) -> Reader:
        return self.engine.reader("live", self.settings, classifier=self.classifier)
