"""A face as 128 numbers that are near for two pictures of one person, and far for two people."""

from __future__ import annotations

import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import IO

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.geometry import as_boxes
from emorec.people import resnet
from emorec.people.extra import INSTALL, require
from emorec.people.nearest import SIZE
from emorec.people.rule import Embeddings

_SCALE, _DOWN = 0.9, 0.04
"""dlib's own boxes in ours: their side, and how far their middle lies below it, in sides. With
them the eye corners and the nose are found as with dlib's own detector, to 3.5 % of the distance
of the eyes in 95 of 100 FER2013 faces that lean by up to 45°; without them to 4 to 6 %."""

_AROUND = 2.5  # side of what is cut out, in faces: room for a head that leans
_MOST_PX = 200  # a larger face is made smaller: the network sees 150


class FaceEmbedder:
    """Computes embeddings with dlib's ResNet (99.38 % on LFW: https://github.com/davisking/dlib-models).

    About 0.1 s a face, in a process of its own that is started with the first face and goes with
    this object or this program. Several threads may use one; they take turns.

    Raises:
        EmorecError: the packages or model files that it needs are missing.
    """

    def __init__(self) -> None:
        require()
        spec = find_spec("face_recognition_models")
        # Its own import needs setuptools' pkg_resources, which is no more: only its files are used.
        self._models = Path(str(spec and spec.origin)).parent / "models"
        for name in (resnet.PREDICTOR, resnet.NETWORK):
            if not (self._models / name).is_file():
                raise EmorecError(
                    f"{name}: missing from face_recognition_models; run"
                    f" {INSTALL} --force-reinstall."
                )
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def embed(self, image_bgr: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike) -> Embeddings:
        """Return the embeddings of faces in a picture.

        Args:
            image_bgr: uint8 of shape (h, w, 3), blue first.
            boxes_xyxy: of shape (n, 4), pixels, as EmoRec's detectors frame faces.

        Returns:
            float32 of shape (n, 128).

        Raises:
            EmorecError: the process ended; the next call starts another one.
        """
        boxes = as_boxes(boxes_xyxy)
        found = np.empty((len(boxes), SIZE), np.float32)
        for row, box in enumerate(boxes):
            found[row] = self._ask(*_cut(image_bgr, box))
        return found

    def close(self) -> None:
        """End the process; the next face starts another one."""
        with self._lock:
            self._end()

    def __del__(self) -> None:
        # Where the constructor has raised there is nothing to end.
        if getattr(self, "_process", None) is not None:
            self._end()

    def _ask(
        self, pixels_rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        with self._lock:
            source, sink = self._pipes()
            try:
                source.write(resnet.HEAD.pack(*pixels_rgb.shape[:2], *box))
                source.write(pixels_rgb.tobytes())
                source.flush()
                answer = sink.read(SIZE * 4)
            except OSError:  # the pipe is broken: said below
                answer = b""
            if len(answer) < SIZE * 4:
                self._end()
                raise EmorecError("the process that tells faces apart has ended unexpectedly.")
        return np.frombuffer(answer, "<f4")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            # -P: beside that file lie others, with names that are not to shadow any.
            self._process = subprocess.Popen(
                [sys.executable, "-P", resnet.__file__, str(self._models)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        source, sink = self._process.stdin, self._process.stdout
        assert source is not None and sink is not None
        return source, sink

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _cut(
    image_bgr: npt.NDArray[np.uint8], box_xyxy: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """Return the face with its surroundings, red first, and dlib's box in them."""
    side = max(float(box_xyxy[2] - box_xyxy[0] + box_xyxy[3] - box_xyxy[1]) / 2, 1.0)
    middle = (box_xyxy[:2] + box_xyxy[2:]) / 2 + (0.0, _DOWN * side)
    height, width = image_bgr.shape[:2]
    reach = _AROUND * side / 2
    x1, y1 = (max(0, math.floor(value - reach)) for value in middle)
    x2, y2 = (math.ceil(value + reach) for value in middle)
    cut = image_bgr[min(y1, height - 1) : max(y2, 1), min(x1, width - 1) : max(x2, 1)]
    scale = min(1.0, _MOST_PX / side)
    if scale < 1.0:
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corner = (middle - (x1, y1)) * scale
    half = _SCALE * side * scale / 2
    return np.ascontiguousarray(cut[..., ::-1]), np.concatenate([corner - half, corner + half])
