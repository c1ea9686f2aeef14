"""What teachers say of the training faces, kept in a file that a student learns from.

A network learns more from the whole distribution that others give a face than from its one label
(G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015). The
teachers look at each face whole and a little closer, upright and mirrored; the mean of all they say
is the lesson.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
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

_CLOSER = 0.9  # side of the closer looks, over the whole face


def teach(
    models: Sequence[EmotionModel],
    faces: FaceSet,
    file: Path,
    command: str,
    say: Callable[[str], None] = print,
) -> None:
    """Let the teachers look at every face, and keep what they say on average.

    Args:
        models: the teachers, one or more.
        faces: to learn from.
        file: receives, as ``.npz``, ``faces`` (a digest of each one's pixels), ``taught`` (float16
            of shape (n, 15), FER2013's probabilities and then FER+'s) and the command.
        command: that repeats this.
        say: takes one line a teacher.

    Raises:
        TrainingError: the file cannot be written.
    """
    total = np.zeros((len(faces), _WIDTH), dtype=np.float64)
    for model in models:
        said = np.zeros_like(total)
        for view in _views(faces.faces):
            outputs = model.outputs(view)
            said += np.hstack([outputs[head] for head in LABELS])
        said /= said.sum(axis=1, keepdims=True) / len(LABELS)
        total += said / len(models)
        right = float(np.mean(said[:, :_FER2013].argmax(axis=1) == faces.labels))
        say(f"{model.contract.name}: {right:.1%} of {len(faces)} faces as FER2013 labels them")
    known, taught = _digests(faces.faces), total.astype(np.float16)
    replace_whole(file, lambda part: np.savez(part, faces=known, taught=taught, command=command))


def learn_from(file: Path, faces: FaceSet) -> tuple[FaceSet, str]:
    """Return the faces with what their teachers said, and the command that asked these.

    Raises:
        TrainingError: the file is not there, is no teachers' file, or not of these faces.
    """
    with arrays_of(file) as arrays:
        known, taught = arrays["faces"], arrays["taught"].astype(np.float32)
        command = str(arrays["command"])
    place = {digest: row for row, digest in enumerate(known.tolist())}
    rows = np.array([place.get(digest, -1) for digest in _digests(faces.faces).tolist()])
    if (rows < 0).any():
        raise TrainingError(
            f"{file}: {np.sum(rows < 0)} of {len(faces)} Training faces are not in it;"
            " `emorec teach` with the same --data writes it anew."
        )
    return replace(faces, taught=taught[rows]), command


_FER2013 = len(LABELS["fer2013"])
_WIDTH = sum(len(labels) for labels in LABELS.values())


def _views(faces: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the faces whole and from four places closer, each upright and mirrored."""
    side = round(_CLOSER * FACE_SIDE)
    far = FACE_SIDE - side
    looks = [(0, 0, FACE_SIDE)] + [(x, y, side) for x in (0, far) for y in (0, far)]
    for x, y, length in looks:
        cut = [
            cv2.resize(face[y : y + length, x : x + length], (FACE_SIDE, FACE_SIDE))
            for face in faces
        ]
        view = np.array(cut, dtype=np.uint8).reshape(-1, FACE_SIDE, FACE_SIDE)
        yield view
        yield view[:, :, ::-1]


def _digests(faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    whole = [hashlib.blake2b(face.tobytes(), digest_size=8).digest() for face in faces]
    return np.frombuffer(b"".join(whole), dtype=np.uint64)
