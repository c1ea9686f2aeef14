"""The engine as others use it: a picture in, a FrameResult out."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from emorec.model.store import load
from emorec.pipeline.classify import Classifier
from emorec.pipeline.detect import Detector, make_detector
from emorec.pipeline.pipeline import Pipeline, read_picture
from emorec.records import FrameResult
from emorec.settings import Settings


class EmotionRecognizer:
    """Reads the apparent emotion of every face in a picture.

    One recognizer may serve several threads.

    Args:
        model: a ``.tflite`` or ``.keras`` file with its contract beside it; None takes the one
            that ships.
        settings: how pictures are read; None takes them from the environment.

    Raises:
        ModelError: a model file, its contract or the face cascade is missing or damaged, or
            BlazeFace's file is damaged.
    """

    def __init__(self, model: Path | None = None, settings: Settings | None = None) -> None:
        self.settings = Settings.from_env() if settings is None else settings
        self.model = load(model)
        self._detectors: dict[str, Detector] = {}
        self._lock = Lock()  # of making detectors
        self.detector(self.settings.detector)

    def analyze(
        self, image_bgr: npt.NDArray[np.uint8], settings: Settings | None = None
    ) -> FrameResult:
        """Read one picture.

        Args:
            image_bgr: uint8 of shape (h, w, 3), blue first.
            settings: for this picture; None takes the recognizer's.

        Returns:
            The faces, numbered from left to right.

        Raises:
            ValueError: the array is no such picture.
        """
        check_image(image_bgr)
        settings = settings or self.settings
        return read_picture(
            image_bgr,
            self.detector(settings.detector),
            self.model,
            settings,
            self.model.contract.unsure_below,
        )

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Read faces that are cut out already.

        Args:
            faces_gray: uint8 of shape (n, 48, 48).

        Returns:
            Probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order.

        Raises:
            ValueError: the array is no such stack of faces.
        """
        return self.model.classify(faces_gray)

    def stream(
        self, settings: Settings | None = None, classifier: Classifier | None = None
    ) -> Pipeline:
        """Return a pipeline that reads the frames of one live picture or film.

        It keeps the detector that the settings name now.

        Args:
            settings: for this stream; None takes the recognizer's.
            classifier: between the stream and the model, as one that several streams share; None
                takes the model itself.
        """
        settings = settings or self.settings
        return Pipeline(
            self.detector(settings.detector),
            classifier or self.model,
            settings,
            self.model.contract.unsure_below,
        )

    def detector(self, name: str) -> Detector:
        """Return the detector of this name, one of ``DETECTORS``, loaded at the first call.

        Raises:
            EmorecError: there is no such detector, or a file that it needs is missing or damaged.
        """
        with self._lock:
            if name not in self._detectors:
                self._detectors[name] = make_detector(name)
            return self._detectors[name]


def check_image(image_bgr: object) -> None:
    """Raise ValueError unless this is a uint8 picture of shape (h, w, 3) with a pixel in it.

    Who gives no array, a file's name say, is told what makes one.
    """
    if not isinstance(image_bgr, np.ndarray):
        raise ValueError(
            "Expected an array, a uint8 picture of shape (h, w, 3), blue first. Received "
            f"{type(image_bgr).__name__}: emorec.media.photo.read_photo reads files."
        )
    shape, dtype = image_bgr.shape, image_bgr.dtype
    if len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
        raise ValueError(
            f"Expected a uint8 picture of shape (h, w, 3), blue first. Received {dtype} of {shape}."
        )
