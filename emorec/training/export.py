"""From a trained network to the three files that ship: Keras, LiteRT, contract.

Run as a program, it converts one file: ``python -m emorec.training.export IN.keras OUT.tflite``.
The converter is TensorFlow's, and a process that trains on another backend cannot change over.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emorec.errors import TrainingError
from emorec.model.contract import FORMATS, INPUT, LABELS, Contract, write
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import LiteRTRuntime

if TYPE_CHECKING:
    import keras

TOLERANCE = 1e-4
"""How far LiteRT's probabilities may lie from Keras's."""

LICENCE = "MIT for these weights; the pictures they learned from keep their own terms"


def export(
    network: keras.Model,
    folder: Path,
    name: str,
    *,
    kind: str,
    data: Mapping[str, str],
    command: str,
) -> Contract:
    """Write ``NAME.keras`` and ``NAME.tflite`` and, last, the contract ``NAME.json``.

    Weights stay float32: halving them moves probabilities by nearly 0.001, ten times what the two
    runtimes are held to.

    Args:
        network: takes uint8 faces of shape (n, 48, 48, 1).
        folder: receives the files; those of the same name are replaced.
        name: stem of the files.
        kind: which of `emorec.model.network.NETWORKS` it is.
        data: ``name`` and ``protocol``, as in the contract.
        command: that trained it.

    Returns:
        The contract, without metrics: they are measured on the files (`emorec.training.evaluate`).

    Raises:
        TrainingError: TensorFlow is missing, the conversion failed, or the two files disagree.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as workplace:
        made = {suffix: Path(workplace) / f"{name}.{suffix}" for suffix in FORMATS}
        network.save(made["keras"])
        _convert_apart(made["keras"], made["tflite"])
        _compare(network, made["tflite"])
        contract = Contract(
            name=name,
            network=kind,
            created=datetime.now(UTC).date().isoformat(),
            files={suffix: _describe(file) for suffix, file in made.items()},
            data=data,
            metrics={},
            licence=LICENCE,
            command=command,
            input=INPUT,
            labels=LABELS,
        )
        for file in made.values():
            file.replace(folder / file.name)
    write(contract, folder / f"{name}.json")
    return contract


def _describe(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    return {
        "file": file.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


def _convert_apart(keras_file: Path, tflite_file: Path) -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise TrainingError("The LiteRT file is made by TensorFlow: pip install tensorflow-cpu.")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "emorec.training.export", str(keras_file), str(tflite_file)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not tflite_file.is_file():
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise TrainingError(f"{keras_file.name}: cannot be converted to LiteRT ({why}).")


def _convert(keras_file: Path, tflite_file: Path) -> None:
    import keras
    import tensorflow as tf

    network = keras.saving.load_model(keras_file, compile=False)
    with tempfile.TemporaryDirectory() as saved_model:
        network.export(saved_model, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
        tflite_file.write_bytes(converter.convert())


def _compare(network: keras.Model, tflite_file: Path) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (9, FACE_SIDE, FACE_SIDE)).astype(np.uint8)
    expected = network.predict_on_batch(faces[..., None])
    received = LiteRTRuntime(tflite_file.read_bytes()).run(faces)
    for output in LABELS:
        apart = float(np.abs(expected[output] - received[output]).max())
        if not apart <= TOLERANCE:
            raise TrainingError(
                f"{tflite_file.name}: its {output} lies {apart:.2g} from Keras's,"
                f" expected {TOLERANCE:.0e} at most."
            )


if __name__ == "__main__":
    _convert(Path(sys.argv[1]), Path(sys.argv[2]))
