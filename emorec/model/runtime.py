"""What computes a network: LiteRT, which the app uses, or Keras, in which it was trained.

LiteRT starts in a hundredth of the time and a tenth of the memory; a test holds the two equal.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.deployment import KERAS_BACKENDS, Deployment
from emorec.errors import ModelError
from emorec.extras import install

BATCH = 32
"""Faces computed at once; more is no faster and takes memory."""

BACKENDS = KERAS_BACKENDS
"""What Keras can run on, the fastest first: on a CPU PyTorch trains twice as fast as TensorFlow."""

Outputs = dict[str, npt.NDArray[np.float32]]


class Runtime(ABC):
    """A network ready to compute; several threads may call it.

    Attributes:
        input_shape: of one face, such as (48, 48, 1).
        input_dtype: name of the dtype.
        outputs: how many numbers each output has for a face.
    """

    input_shape: tuple[int, ...]
    input_dtype: str
    outputs: dict[str, int]

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def run(self, faces: npt.NDArray[np.uint8]) -> Outputs:
        """Compute every output for one face or more.

        Args:
            faces: uint8 of shape (n, 48, 48), n at least 1.

        Returns:
            For each output's name float32 of shape (n, size).
        """
        with self._lock:
            parts = [
                self._run(faces[start : start + BATCH, ..., None])
                for start in range(0, len(faces), BATCH)
            ]
        return {name: np.concatenate([part[name] for part in parts]) for name in self.outputs}

    @abstractmethod
    def _run(self, batch: npt.NDArray[np.uint8]) -> Outputs: ...


class LiteRTRuntime(Runtime):
    """A ``.tflite`` file on LiteRT.

    Args:
        content: of the file.

    Raises:
        ValueError: the content is no such model.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        super().__init__()
        with quiet():
            # A second thread won nothing at best, and on a busy machine made a call of few faces
            # ten times as slow.
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()
        if len(self._interpreter.get_signature_list()) != 1:
            raise ValueError("the model does not name its inputs and outputs")
        self._runner = self._interpreter.get_signature_runner()
        ((self._input, face),) = self._runner.get_input_details().items()
        self.input_shape = tuple(int(size) for size in face["shape_signature"][1:])
        self.input_dtype = np.dtype(face["dtype"]).name
        self.outputs = {
            name: int(output["shape_signature"][-1])
            for name, output in self._runner.get_output_details().items()
        }

    def _run(self, batch: npt.NDArray[np.uint8]) -> Outputs:
        # The runner resizes the input when the number of faces changes, which costs next to
        # nothing; padding to a few sizes was measured to be slower.
        return dict(self._runner(**{self._input: batch}))


class KerasRuntime(Runtime):
    """A ``.keras`` file on Keras.

    Raises:
        ModelError: Keras or a backend for it is not installed.
        ValueError: the file is no such model.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        start_keras()
        import keras

        with quiet():
            self._network = keras.saving.load_model(path, compile=False)
        self.input_shape = tuple(self._network.input_shape[1:])
        self.input_dtype = self._network.input.dtype
        self.outputs = {name: int(x.shape[-1]) for name, x in self._network.output.items()}

    def _run(self, batch: npt.NDArray[np.uint8]) -> Outputs:
        return dict(self._network.predict_on_batch(batch))


def start_keras() -> str:
    """Import Keras on the backend that ``KERAS_BACKEND`` names, else on the first installed.

    Where JAX has a GPU, it goes first: it makes one function of a training step, PyTorch does not.

    Returns:
        The backend's name, one of ``BACKENDS``.

    Raises:
        ModelError: Keras is not installed, or nothing that it runs on.
        EmorecError: ``KERAS_BACKEND`` names no backend.
    """
    if importlib.util.find_spec("keras") is None:
        raise ModelError(f"Keras is not installed: run {install('train')}.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    wanted = Deployment.from_env(only=("keras_backend",)).keras_backend
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if wanted and wanted not in installed:
        raise ModelError(
            f"KERAS_BACKEND: expected one of those installed ({', '.join(installed) or 'none'})."
            f" Received {wanted!r}."
        )
    if not installed:
        raise ModelError(f"Keras needs one of {', '.join(BACKENDS)}; none is installed.")
    if "jax" in installed and shutil.which("nvidia-smi") and _jax_has_cuda():
        installed.insert(0, "jax")
    os.environ["KERAS_BACKEND"] = wanted or installed[0]
    with quiet():
        import keras
    return str(keras.backend.backend())


def _jax_has_cuda() -> bool:
    return any(importlib.util.find_spec(f"jax_cuda{version}_plugin") for version in (12, 13))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the runtimes' start-up lines, which no setting turns off, from standard error."""
    try:
        saved = os.dup(2)
    except OSError:  # it is closed, as under pythonw: nothing to keep clean
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
