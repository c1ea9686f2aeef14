"""The engine as others use it: a picture in, a FrameResult out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Literal

import numpy as np
import numpy.typing as npt

from emorec.deployment import SETTINGS, Deployment
from emorec.model.store import load, path_of
from emorec.pipeline.classify import Calibrate, Classifier
from emorec.pipeline.detect import Detector, make_detector
from emorec.pipeline.picture import PicturePipeline
from emorec.pipeline.pipeline import Pipeline
from emorec.pipeline.schedule import READINGS_PER_S, Schedule, for_files
from emorec.reading import Names, Reader
from emorec.records import FrameResult
from emorec.settings import Settings

Source = Literal["live", "file", "picture"]
"""A live picture, whose frames may be dropped · a video file, every frame of it · one picture."""


class EmotionRecognizer:
    """Reads the apparent emotion of every face in a picture.

    One recognizer may serve several threads.

    Args:
        model: a ``.tflite`` or ``.keras`` file with its contract beside it; None takes the one
            that ships, for the runtime that the environment names.
        settings: how pictures are read; None takes them from the environment.

    Raises:
        EmorecError: a variable in the environment is wrong.
        ModelError: a model file, its contract or the face cascade is missing or damaged, or
            BlazeFace's file is damaged.
    """

    def __init__(self, model: Path | None = None, settings: Settings | None = None) -> None:
        self.settings = (
            Deployment.from_env(only=SETTINGS).settings if settings is None else settings
        )
        if model is None:
            model = path_of(runtime=Deployment.from_env(only=("runtime",)).runtime)
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
        return self.reader("picture", settings).read(image_bgr)

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

    def reader(
        self,
        source: Source,
        settings: Settings | None = None,
        *,
        classifier: Classifier | None = None,
        names: Names | None = None,
        calibrate: Calibrate | None = None,
        readings_per_s: float = READINGS_PER_S,
        clock: Callable[[], float] = perf_counter,
    ) -> Reader:
        """Return a reader for one source.

        In a live picture the work adapts to what it costs on this machine, so that the readings
        keep up. Of a video file every frame is read, and what is done in it depends on the frames
        and their times alone, so that every machine reads the same.

        Args:
            source: what its pictures are.
            settings: how they are read; None takes the recognizer's. The reader keeps the detector
                that they name now.
            classifier: reads the faces, as one that several readers share; None takes the model
                itself.
            names: names the faces; None: nobody is recognised.
            calibrate: corrects what was read by what is known of a person; None: nothing does.
            readings_per_s: how often each face of a video file is read.
            clock: seconds, for what the stages cost.

        Raises:
            EmorecError: a file that the detector needs is missing or damaged, or
                ``readings_per_s`` is not above 0.
        """
        settings = settings or self.settings
        engine = (
            self.detector(settings.detector),
            classifier or self.model,
            settings,
            self.model.contract.unsure_below,
        )
        if source == "picture":
            return Reader(PicturePipeline(*engine, calibrate, clock), names)
        schedule = for_files(readings_per_s) if source == "file" else Schedule()
        return Reader(Pipeline(*engine, schedule, clock, calibrate), names)

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
