"""How a network's features spread, kept beside its weights as ``NAME.spread.npz``.

Two faces of one emotion differ in many ways that say nothing of the emotion: the person, the light,
the pose of the head. A `Spread` knows how far each direction of the features varies among faces of
one emotion, and counts it the less the more it varies. A person's few examples are compared that
way (`emorec.calibration.examples`).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.model.contract import Contract

_WRITER = "python -m emorec.training.spread"


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Turns features into directions in which faces of one emotion vary alike.

    Attributes:
        centre: float32 of shape (size,): the mean of the emotions' mean features.
        whitening: float32 of shape (size, size).
    """

    centre: npt.NDArray[np.float32]
    whitening: npt.NDArray[np.float32]

    def __call__(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return vectors of length 1, float32 of shape (n, size), of features of that shape."""
        white = (features - self.centre) @ self.whitening
        lengths = np.linalg.norm(white, axis=1, keepdims=True)
        return (white / np.maximum(lengths, 1e-9)).astype(np.float32)


def spread_file(model_file: Path) -> Path:
    """Return where the spread of this ``.tflite`` or ``.keras`` file lies."""
    return model_file.with_suffix(".spread.npz")


def read(model_file: Path, contract: Contract) -> Spread:
    """Read the spread of a model.

    Raises:
        ModelError: it is missing, cannot be read, or belongs to other weights; one line.
    """
    path = spread_file(model_file)
    try:
        with np.load(path, allow_pickle=False) as file:
            sha256 = str(file["sha256"])
            centre, whitening = (file[part].astype(np.float32) for part in ("centre", "whitening"))
    except FileNotFoundError:
        raise ModelError(
            f"{path}: missing; a person's examples need it. `{_WRITER}` writes it."
        ) from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: cannot be read ({error}). `{_WRITER}` writes it.") from error
    if sha256 not in {file["sha256"] for file in contract.files.values()}:
        raise ModelError(f"{path}: belongs to other weights. `{_WRITER}` writes it again.")
    if whitening.shape != (len(centre), len(centre)) or not np.isfinite(whitening).all():
        raise ModelError(f"{path}: is damaged. `{_WRITER}` writes it again.")
    return Spread(centre, whitening)


def write(model_file: Path, contract: Contract, spread: Spread) -> None:
    """Write the spread of a model; half as many digits, since no choice hangs on the others."""
    np.savez_compressed(
        spread_file(model_file),
        sha256=np.array(contract.files["tflite"]["sha256"]),
        centre=spread.centre,
        whitening=spread.whitening.astype(np.float16),
    )
