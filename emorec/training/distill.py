"""What trained networks (teachers) predict for the training faces, in a file for a student network.

A network learns more from a teacher's probabilities of all classes than from one label a face
(G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015). It learns
most from the pictures that its teachers read (L. Beyer et al., "Knowledge distillation: A good
teacher is patient and consistent", CVPR 2022): the teachers read several views of each face,
turned, shifted and scaled at random, and the student learns from the same views.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import TrainingError
from emorec.model.contract import LABELS
from emorec.model.network import FACE_SIDE
from emorec.model.store import EmotionModel
from emorec.training.data import FaceSet
from emorec.training.files import arrays_of, replace_whole

VIEWS = 6
"""Views of each face that are kept: each costs every teacher a look, and six are met ten times
over in a run of sixty epochs."""

_TURN_DEG, _ZOOM, _SHIFT = 12.0, 0.15, 0.1  # of a view at most, as `Augmentation` has them


def teach(
    models: Sequence[EmotionModel],
    faces: FaceSet,
    file: Path,
    command: str,
    say: Callable[[str], None] = print,
) -> None:
    """Let the teachers read every face, and keep the mean of their predictions.

    Args:
        models: the teachers, one or more.
        faces: to learn from.
        file: receives, as ``.npz``, ``faces`` (a digest of each one's pixels), ``framings``
            (float32 of shape (n, views, 4), as `emorec.training.augment.vary` takes them),
            ``taught`` (float16 of shape (n, views, 15), FER2013's probabilities and then FER+'s)
            and the command.
        command: that repeats this.
        say: takes one line a teacher.

    Raises:
        TrainingError: the file cannot be written.
    """
    framings = draw_framings(len(faces))
    said = [
        predict(model, faces.faces, framings, mirrored=bool(i % 2))
        for i, model in enumerate(models)
    ]
    for model, taught in zip(models, said, strict=True):
        right = taught.mean(axis=1)[:, :_FER2013].argmax(axis=1) == faces.labels
        say(f"{model.contract.name}: {right.mean():.1%} of {len(faces)} faces as FER2013 has them")
    write_lessons(file, faces, framings, np.mean(said, axis=0), command)


def draw_framings(n: int) -> npt.NDArray[np.float32]:
    """Return random framings of n faces, float32 of shape (n, ``VIEWS``, 4)."""
    far = np.array([_TURN_DEG, _ZOOM, _SHIFT, _SHIFT])
    drawn = np.random.default_rng(0).uniform(-far, far, (n, VIEWS, 4))
    return (drawn + np.array([0, 1, 0, 0])).astype(np.float32)


def predict(
    model: EmotionModel,
    faces: npt.NDArray[np.uint8],
    framings: npt.NDArray[np.float32],
    mirrored: bool,
) -> npt.NDArray[np.float64]:
    """Return one teacher's probabilities of every view, float64 of shape (n, views, 15)."""
    said = np.empty((len(faces), framings.shape[1], _WIDTH))
    for i in range(framings.shape[1]):
        outputs = model.outputs(_framed(faces, framings[:, i], mirrored))
        said[:, i] = np.hstack([outputs[head] for head in LABELS])
    return said


def write_lessons(
    file: Path,
    faces: FaceSet,
    framings: npt.NDArray[np.float32],
    taught: npt.NDArray[np.float64],
    command: str,
) -> None:
    """Write the file that `learn_from` reads."""
    known, answers = _digests(faces.faces), taught.astype(np.float16)

    def write(part: Path) -> None:
        np.savez(part, faces=known, framings=framings, taught=answers, command=command)

    replace_whole(file, write)


def learn_from(file: Path, faces: FaceSet) -> tuple[FaceSet, str]:
    """Return the faces with what their teachers said, and the command that asked these.

    Raises:
        TrainingError: the file is not there, is no teachers' file, or not of these faces.
    """
    with arrays_of(file) as arrays:
        known, taught = arrays["faces"], arrays["taught"].astype(np.float32)
        framings = arrays["framings"]
        command = str(arrays["command"])
    place = {digest: row for row, digest in enumerate(known.tolist())}
    rows = np.array([place.get(digest, -1) for digest in _digests(faces.faces).tolist()])
    if (rows < 0).any():
        raise TrainingError(
            f"{file}: {np.sum(rows < 0)} of {len(faces)} Training faces are not in it;"
            " `emorec teach` with the same --data writes it again."
        )
    return replace(faces, taught=taught[rows], framings=framings[rows]), command


_FER2013 = len(LABELS["fer2013"])
_WIDTH = sum(len(labels) for labels in LABELS.values())


def _framed(
    faces: npt.NDArray[np.uint8], framings: npt.NDArray[np.float32], mirrored: bool
) -> npt.NDArray[np.uint8]:
    """Return the faces as `emorec.training.augment.vary` frames them, or their mirror images."""
    half = FACE_SIDE / 2
    views = np.empty_like(faces)
    for i, (face, (turn, zoom, right, down)) in enumerate(
        zip(faces, framings.tolist(), strict=True)
    ):
        cos, sin = zoom * math.cos(math.radians(turn)), zoom * math.sin(math.radians(turn))
        # Where each pixel comes from; OpenCV counts from the middle of the first one.
        from_here = np.array([[cos, -sin, right * FACE_SIDE], [sin, cos, down * FACE_SIDE]])
        from_here[:, 2] += half - 0.5 - from_here[:, :2] @ [half - 0.5, half - 0.5]
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (FACE_SIDE, FACE_SIDE)
        views[i] = cv2.warpAffine(face, from_here, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return views[:, :, ::-1] if mirrored else views


def _digests(faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    whole = [hashlib.blake2b(face.tobytes(), digest_size=8).digest() for face in faces]
    return np.frombuffer(b"".join(whole), dtype=np.uint64)
