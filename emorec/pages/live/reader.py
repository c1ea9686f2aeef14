"""What makes the reader of a visitor's live picture: made by the page, called at every START."""

from __future__ import annotations

from emorec import rows
from emorec.pipeline.classify import Classifier
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer


class NextReader:
    """What the next START reads with; a stream that runs keeps what it started with.

    Attributes:
        made_with: the header of the rows of the stream that was started last; its settings are
            those at START, though smoothing and smallest face may be changed while it runs.
    """

    def __init__(self, engine: EmotionRecognizer, classifier: Classifier) -> None:
        self.engine = engine
        self.classifier = classifier
        self.settings = engine.settings
        self.made_with = rows.header(engine.model, engine.settings)

    def __call__(self) -> Reader:
        self.made_with = rows.header(self.engine.model, self.settings)
        return self.engine.reader("live", self.settings, classifier=self.classifier)
