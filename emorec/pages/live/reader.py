"""What makes the reader of a visitor's live picture: made by the page, called at every START."""

from __future__ import annotations

from emorec import rows
from emorec.calibration.person import Calibration
from emorec.pipeline.classify import Classifier
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer


class NextReader:
    """What the next START reads with; a stream that runs keeps what it started with.

    Attributes:
        made_with: the header of the rows of the stream that was started last; its settings are
            those at START, though smoothing and smallest face may be changed while it runs.
        model: reads the stream that was started last; examples shown to it belong to it.
        source: where the pictures of the next START come from: ``camera``, ``screen`` or
            ``example``.
        calibration: what is known of the faces of this visitor's picture.
    """

    def __init__(self, engine: EmotionRecognizer, classifier: Classifier) -> None:
        self.engine = engine
        self.classifier = classifier
        self.settings = engine.settings
        self.source = "camera"
        self.model = engine.model
        self.made_with = rows.header(engine.model, engine.settings)
        self.calibration = Calibration()

    def __call__(self) -> Reader:
        self.drop_foreign()
        self.model = self.engine.model
        self.made_with = rows.header(self.model, self.settings)
        self.made_with |= {"source": self.source, "baseline": self.calibration.baseline}
        self.calibration.begin(self.model)
        return self.engine.reader(
            "live", self.settings, classifier=self.classifier, calibrate=self.calibration
        )

    def drop_foreign(self) -> None:
        """Forget the visitor's examples once another model is chosen: they belong to the former."""
        corrector = self.calibration.corrector
        if corrector is not None and not corrector.examples.belongs_to(self.engine.model):
            self.calibration.corrector = None
