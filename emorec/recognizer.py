"""The engine's public interface: it takes a picture and returns a FrameResult."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Literal

import numpy as np
import numpy.typing as npt

from emorec.calibration import examples
from emorec.calibration.examples import Examples
from emorec.deployment import SETTINGS, Deployment
from emorec.model.store import WithFeatures, load, path_of
from emorec.pipeline.classify import Calibrate, Classifier
from emorec.pipeline.detect import Detector, make_detector
from emorec.pipeline.picture import PicturePipeline
from emorec.pipeline.pipeline import Pipeline
from emorec.pipeline.schedule import READINGS_PER_S, Schedule, for_files
from emorec.reading import Names, Reader
from emorec.records import FrameResult
from emorec.settings import Settings

Source = Literal["live", "file", "picture"]
"""``live``: a stream whose frames may be dropped. ``file``: a video file; every frame is read.
``picture``: single pictures."""


class EmotionRecognizer:
    """Reads the apparent emotion of every face in a picture.

    One recognizer may serve several threads.

    Args:
        model: a ``.tflite`` or ``.keras`` file with its contract beside it; None means the model
            that EmoRec contains, for the runtime that the environment names.
        settings: how pictures are read; None reads them from the environment.
        threads: how many search a single picture for faces at once. The result is the same.

    Raises:
        EmorecError: a variable in the environment is wrong.
        ModelError: a model file, its contract or the face cascade is missing or damaged, or
            BlazeFace's file is damaged.
    """

    def __init__(
        self, model: Path | None = None, settings: Settings | None = None, threads: int = 2
    ) -> None:
        self.settings = (
            Deployment.from_env(only=SETTINGS).settings if settings is None else settings
        )
        if model is None:
            model = path_of(runtime=Deployment.from_env(only=("runtime",)).runtime)
        self.model = load(model)
        self._pool = ThreadPoolExecutor(threads, "search") if threads > 1 else None
        self._detectors: dict[str, Detector] = {}
        self._lock = Lock()  # one thread at a time makes detectors
        self.detector(self.settings.detector)

    def analyze(
        self, image_bgr: npt.NDArray[np.uint8], settings: Settings | None = None
    ) -> FrameResult:
        """Read one picture.

        Args:
            image_bgr: uint8 of shape (h, w, 3), blue first.
            settings: for this picture; None means the recognizer's settings.

        Returns:
            The faces, numbered row by row, from left to right.

        Raises:
            ValueError: the array has another shape or dtype.
        """
        check_image(image_bgr)
        return self.reader("picture", settings).read(image_bgr)

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Classify faces that are already cropped.

        Args:
            faces_gray: uint8 of shape (n, 48, 48).

        Returns:
            Probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order.

        Raises:
            ValueError: the array has another shape or dtype.
        """
        return self.model.classify(faces_gray)

    def calibrate(self, faces_gray: npt.NDArray[np.uint8], labels: Sequence[str]) -> Examples:
        """Learn from labelled faces of one person how this person shows emotions.

        `emorec.calibration.examples.write` keeps it, and `emorec.calibration.person.Calibration`
        corrects a stream by it. It belongs to this recognizer's network.

        Args:
            faces_gray: uint8 of shape (n, 48, 48), as `classify` takes them.
            labels: as many, each one of ``EMOTIONS``; two faces or more of each emotion named.

        Raises:
            DataError: there are too few, or the examples make the reading of each other worse.
            ModelError: a file that belongs to the network is missing or damaged.
            ValueError: the faces have another shape or dtype, or a label is none of ``EMOTIONS``.
        """
        return examples.calibrate(self.model, faces_gray, labels)

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

        For a live stream the reader measures the cost of its stages and does less work on a slow
        machine, so that it keeps up with the stream. For a video file every frame is read, and the
        work depends only on the frames and their times, so that every machine gives the same
        result.

        Args:
            source: the kind of source.
            settings: how its pictures are read; None means the recognizer's settings. A later
                change of the settings does not change the reader's detector.
            classifier: classifies the faces, for example one that several readers share; None
                means the recognizer's model.
            names: names the faces; None: no face gets a name.
            calibrate: corrects probabilities with a person's calibration
                (`emorec.calibration.person.Calibration`); None: no correction.
            readings_per_s: how many times a second each face of a video file is read.
            clock: returns seconds; measures the cost of the stages.

        Raises:
            EmorecError: a file that the detector needs is missing or damaged, or
                ``readings_per_s`` is not above 0.
        """
        settings = settings or self.settings
        engine = (
            self.detector(settings.detector),
            classifier or (self.model if calibrate is None else WithFeatures(self.model)),
            settings,
            self.model.contract.unsure_below,
        )
        if source == "picture":
            return Reader(PicturePipeline(*engine, calibrate, clock, self._pool), names)
        schedule = for_files(readings_per_s) if source == "file" else Schedule()
        return Reader(Pipeline(*engine, schedule, clock, calibrate), names)

    def detector(self, name: str) -> Detector:
        """Return the detector of this name, one of ``DETECTORS``; the first call loads it.

        Raises:
            EmorecError: no detector has this name, or a file that it needs is missing or damaged.
        """
        with self._lock:
            if name not in self._detectors:
                self._detectors[name] = make_detector(name)
            return self._detectors[name]


def check_image(image_bgr: object) -> None:
    """Raise ValueError unless this is a uint8 picture of shape (h, w, 3) that is not empty.

    For anything but an array, such as a file's name, the error names the function that reads files.
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
