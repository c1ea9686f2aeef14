"""Embeddings: a face as a vector of 128 numbers.

Two pictures of one person have embeddings that are near each other; pictures of two people have
embeddings that are far apart.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.geometry import as_boxes
from emorec.people import resnet
from emorec.people.extra import INSTALL, require
from emorec.people.nearest import SIZE
from emorec.people.rule import Embeddings
from emorec.words import N_

_DLIB_SIDE, _DLIB_LOWER = 0.9, 0.04
"""How dlib frames a face, relative to EmoRec's box: the side of dlib's box, and how far its centre
lies below ours, both in sides of our box. With dlib's framing, eye corners and nose are found as
well as with dlib's own detector: the error is at most 3.5 % of the distance between the eyes in 95
of 100 FER2013 faces that are tilted by up to 45°. With EmoRec's box it is 4 to 6 %."""

_CROP_SIDE = 2.5  # side of the crop, in sides of the face's box: a tilted head fits in
_MOST_FACE_PX = 200  # a larger face is reduced to this: the network's input has 150


class FaceCrop(NamedTuple):
    """A face cut out of a picture, as the network takes it.

    Attributes:
        pixels_rgb: uint8 of shape (h, w, 3), red first; a face larger than 200 pixels is reduced.
        box_xyxy: the face's box there as dlib frames it, float64 of shape (4,).
    """

    pixels_rgb: npt.NDArray[np.uint8]
    box_xyxy: npt.NDArray[np.float64]


class FaceEmbedder:
    """Computes embeddings with dlib's ResNet (99.38 % on LFW: https://github.com/davisking/dlib-models).

    It takes about 0.1 s a face. The computation runs in a separate process, which starts with the
    first face and ends with this object or this program. Several threads may share one object; a
    lock lets one of them compute at a time.

    Raises:
        EmorecError: a required package or model file is missing.
    """

    def __init__(self) -> None:
        require()
        spec = find_spec("face_recognition_models")
        # Importing the package fails: it needs pkg_resources, which setuptools no longer has. Only
        # its files are used.
        self._models = Path(str(spec and spec.origin)).parent / "models"
        for name in (resnet.PREDICTOR, resnet.NETWORK):
            if not (self._models / name).is_file():
                raise EmorecError(
                    N_("{name}: missing from face_recognition_models; run {command}."),
                    name=name,
                    command=f"{INSTALL} --force-reinstall",
                )
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def embed(self, image_bgr: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike) -> Embeddings:
        """Return the embeddings of faces in a picture.

        Args:
            image_bgr: uint8 of shape (h, w, 3), blue first.
            boxes_xyxy: of shape (n, 4), pixels: boxes that EmoRec's detectors returned.

        Returns:
            float32 of shape (n, 128).

        Raises:
            EmorecError: the process ended unexpectedly; the next call starts a new one.
        """
        return self.embed_crops(face_crops(image_bgr, boxes_xyxy))

    def embed_crops(self, crops: Sequence[FaceCrop]) -> Embeddings:
        """Return the embeddings of faces that `face_crops` cut out, as `embed` does."""
        found = np.empty((len(crops), SIZE), np.float32)
        for row, crop in enumerate(crops):
            found[row] = self._request(crop.pixels_rgb, crop.box_xyxy)
        return found

    def close(self) -> None:
        """Stop the process; the next face starts a new one."""
        with self._lock:
            self._stop()

    def __del__(self) -> None:
        # Where the constructor raised, `_process` may not exist.
        if getattr(self, "_process", None) is not None:
            self._stop()

    def _request(
        self, pixels_rgb: npt.NDArray[np.uint8], box: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        with self._lock:
            source, sink = self._pipes()
            try:
                source.write(resnet.HEAD.pack(*pixels_rgb.shape[:2], *box))
                source.write(pixels_rgb.tobytes())
                source.flush()
                answer = sink.read(SIZE * 4)
            except OSError:  # the pipe is broken: handled below, like a short answer
                answer = b""
            if len(answer) < SIZE * 4:
                self._stop()
                raise EmorecError(
                    N_("the process that computes embeddings has ended unexpectedly.")
                )
        return np.frombuffer(answer, "<f4")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            # -P keeps the folder of that file out of Python's module path: its modules (`names`,
            # `rule` …) must not replace other modules of the same name.
            self._process = subprocess.Popen(
                [sys.executable, "-P", resnet.__file__, str(self._models)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        source, sink = self._process.stdin, self._process.stdout
        assert source is not None and sink is not None
        return source, sink

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def face_crops(image_bgr: npt.NDArray[np.uint8], boxes_xyxy: npt.ArrayLike) -> list[FaceCrop]:
    """Cut faces out of a picture, so that the picture itself need not be kept.

    Args:
        image_bgr: uint8 of shape (h, w, 3), blue first.
        boxes_xyxy: of shape (n, 4), pixels: boxes that EmoRec's detectors returned.
    """
    return [_crop(image_bgr, box) for box in as_boxes(boxes_xyxy)]


def _crop(image_bgr: npt.NDArray[np.uint8], box_xyxy: npt.NDArray[np.float64]) -> FaceCrop:
    side = max(float(box_xyxy[2] - box_xyxy[0] + box_xyxy[3] - box_xyxy[1]) / 2, 1.0)
    middle = (box_xyxy[:2] + box_xyxy[2:]) / 2 + (0.0, _DLIB_LOWER * side)
    height, width = image_bgr.shape[:2]
    reach = _CROP_SIDE * side / 2
    x1, y1 = (max(0, math.floor(value - reach)) for value in middle)
    x2, y2 = (math.ceil(value + reach) for value in middle)
    cut = image_bgr[min(y1, height - 1) : max(y2, 1), min(x1, width - 1) : max(x2, 1)]
    scale = min(1.0, _MOST_FACE_PX / side)
    if scale < 1.0:
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corner = (middle - (x1, y1)) * scale
    half = _DLIB_SIDE * side * scale / 2
    return FaceCrop(
        np.ascontiguousarray(cut[..., ::-1]), np.concatenate([corner - half, corner + half])
    )
