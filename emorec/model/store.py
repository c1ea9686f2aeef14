"""From files to a model that can be trusted: weights and contract are checked on each other."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.deployment import RUNTIMES
from emorec.errors import ModelError
from emorec.model.contract import INPUT, LABELS, Contract, read
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import KerasRuntime, LiteRTRuntime, Outputs, Runtime
from emorec.model.shown import shown
from emorec.paths import MODELS

DEFAULT_NAME = "elu_cnn"
"""Stem of the model that ships."""

_SUFFIXES = dict(zip(RUNTIMES, (".tflite", ".keras"), strict=True))


class EmotionModel:
    """A network with its contract; several threads may use one.

    Attributes:
        contract: what it takes and gives, and what it is worth.
        file: the file that it was loaded from.
    """

    def __init__(self, contract: Contract, file: Path, runtime: Runtime) -> None:
        self.contract = contract
        self.file = file
        self._runtime = runtime

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Read faces that are cut out already.

        Args:
            faces_gray: uint8 of shape (n, 48, 48); n may be 0.

        Returns:
            What is shown: probabilities, float32 of shape (n, 7) in ``EMOTIONS`` order, each row
            summing to 1; made of the network's outputs as the contract says.

        Raises:
            ValueError: the array is no such stack of faces.
        """
        return self._shown(self.outputs(faces_gray))

    def rows(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return what `classify` returns, with the network's features after it.

        Returns:
            float32 of shape (n, 7 + features).

        Raises:
            ValueError: the array is no such stack of faces.
        """
        outputs = self.outputs(faces_gray)
        return np.concatenate([self._shown(outputs), outputs["features"]], axis=1)

    def _shown(self, outputs: Outputs) -> npt.NDArray[np.float32]:
        own = self.contract
        return shown(outputs, own.temperatures, own.blend, own.prior_power, own.linear)

    def outputs(self, faces_gray: npt.NDArray[np.uint8]) -> Outputs:
        """Return what each head says of such faces as it left the network, untempered.

        Returns:
            ``fer2013``: float32 (n, 7) in ``EMOTIONS`` order, ``ferplus``: float32 (n, 8) in
            ``FERPLUS_EMOTIONS`` order, and what else the network gives.

        Raises:
            ValueError: the array is no such stack of faces.
        """
        shape = getattr(faces_gray, "shape", None)
        dtype = getattr(faces_gray, "dtype", type(faces_gray).__name__)
        if (
            shape is None
            or len(shape) != 3
            or shape[1:] != (FACE_SIDE, FACE_SIDE)
            or dtype != np.uint8
        ):
            raise ValueError(
                f"Expected uint8 faces of shape (n, {FACE_SIDE}, {FACE_SIDE})."
                f" Received {dtype} of {shape}."
            )
        if not len(faces_gray):
            sizes = self._runtime.outputs.items()
            return {name: np.empty((0, size), dtype=np.float32) for name, size in sizes}
        return self._runtime.run(faces_gray)


class WithFeatures:
    """A classifier whose rows end with the network's features, for what compares them.

    Args:
        model: reads the faces.
    """

    def __init__(self, model: EmotionModel) -> None:
        self.classify = model.rows


def load(path: Path | None = None, runtime: str = RUNTIMES[0]) -> EmotionModel:
    """Load a model.

    Args:
        path: a ``.tflite`` or ``.keras`` file with its contract beside it. None takes the model
            that ships.
        runtime: what runs the model that ships, one of ``RUNTIMES``; a path's suffix says it too.

    Raises:
        ModelError: a file is missing or damaged, or the contract does not fit the weights or this
            program; one line that says what to do.
    """
    path = path_of(runtime=runtime) if path is None else Path(path)
    if path.suffix not in _SUFFIXES.values():
        raise ModelError(f"{path}: expected a .tflite or a .keras file.")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(
            f"{path}: no such model. Fetch the project's models folder again, or make a model with"
            " `emorec train`."
        ) from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror or error}).") from error
    contract_file = path.with_suffix(".json")
    contract = read(contract_file)
    promised = contract.files[path.suffix.removeprefix(".")]
    if promised["file"] != path.name:
        raise ModelError(
            f"{contract_file}: is the contract of {promised['file']}, not of {path.name}."
        )
    if hashlib.sha256(content).hexdigest() != promised["sha256"]:
        raise ModelError(
            f"{path}: is damaged or not the file its contract describes (other sha256). Fetch both"
            " again, or make a model with `emorec train`."
        )
    try:
        loaded = LiteRTRuntime(content) if path.suffix == ".tflite" else KerasRuntime(path)
    except (ValueError, TypeError, KeyError, OSError, RuntimeError, zipfile.BadZipFile) as error:
        why = str(error).strip().partition("\n")[0]
        raise ModelError(f"{path}: is no model that can be run ({why}).") from error
    _compare(path, loaded, contract)
    return EmotionModel(contract, path, loaded)


def path_of(name: str = DEFAULT_NAME, runtime: str = RUNTIMES[0]) -> Path:
    """Return the file in ``models/`` from which a runtime, one of ``RUNTIMES``, loads a model."""
    return MODELS / f"{name}{_SUFFIXES[runtime]}"


def _compare(path: Path, runtime: Runtime, contract: Contract) -> None:
    """Check what the weights take and give in fact against what the contract says."""
    features = {} if contract.linear is None else {"features": len(contract.linear.weights)}
    sizes = {name: len(labels) for name, labels in LABELS.items()} | features
    for part, have, expected in (
        ("input", list(runtime.input_shape), INPUT["shape"]),
        ("input", runtime.input_dtype, INPUT["dtype"]),
        *((f"output {name}", runtime.outputs.get(name), size) for name, size in sizes.items()),
    ):
        if have != expected:
            raise ModelError(
                f"{path}: does not fit its contract: {part} is {have}, expected {expected}."
            )
