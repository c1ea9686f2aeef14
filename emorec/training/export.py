"""From a trained network to the three files that ship: Keras, LiteRT, contract.

The LiteRT file holds its weights as small as the validation faces allow. As int8, LiteRT also
computes with them so (dynamic range quantisation), which halves its time on a CPU with such
instructions; as float16 it converts them to float32 when it loads.

Run as a program, it converts one file: ``python -m emorec.training.export IN.keras FOLDER`` writes
``FOLDER/WEIGHTS.tflite`` for each kind of weights. The converter is TensorFlow's, and a process
that trains on another backend cannot change over.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emorec.errors import TrainingError
from emorec.model.contract import FORMATS, INPUT, LABELS, TEMPERED, WEIGHTS, Contract, write
from emorec.model.evaluation import evaluation_file
from emorec.model.network import FACE_SIDE
from emorec.model.runtime import LiteRTRuntime
from emorec.training.data import FaceSet
from emorec.training.metrics import accuracy

if TYPE_CHECKING:
    import keras

LOSS = 0.002
"""What smaller weights may cost, as a share of the validation faces, on either head."""

_PROBED = 64
"""Faces on which LiteRT is compared with Keras, beside some of pure noise."""

LICENCE = "MIT for these weights; the pictures they learned from keep their own terms"


def export(
    network: keras.Model,
    folder: Path,
    name: str,
    *,
    kind: str,
    data: Mapping[str, str],
    command: str,
    validation: FaceSet,
    weights: Sequence[str] = tuple(WEIGHTS),
    say: Callable[[str], None] = print,
) -> Contract:
    """Write ``NAME.keras`` and ``NAME.tflite`` and, last, the contract ``NAME.json``.

    Args:
        network: takes uint8 faces of shape (n, 48, 48, 1).
        folder: receives the files; those of the same name are replaced.
        name: stem of the files.
        kind: which of `emorec.model.network.NETWORKS` it is.
        data: ``name`` and ``protocol``, as in the contract.
        command: that trained it.
        validation: the faces on which the kinds of weights are compared.
        weights: the kinds that may ship, ``float32`` among them.
        say: takes a line on each kind of weights.

    Returns:
        The contract, neither calibrated nor measured: both are done on the files
        (`emorec.training.calibrate`, `emorec.training.evaluate`).

    Raises:
        TrainingError: TensorFlow is missing, the conversion failed, or the two files disagree.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as workplace:
        made = {suffix: Path(workplace) / f"{name}.{suffix}" for suffix in FORMATS}
        network.save(made["keras"])
        _convert_apart(made["keras"], Path(workplace))
        kinds = {each: Path(workplace) / f"{each}.tflite" for each in weights}
        smallest = _smallest(network, kinds, validation, say)
        kinds[smallest].replace(made["tflite"])
        files = {suffix: _describe(file) for suffix, file in made.items()}
        contract = Contract(
            name=name,
            network=kind,
            created=datetime.now(UTC).date().isoformat(),
            files={**files, "tflite": files["tflite"] | {"weights": smallest}},
            data=data,
            metrics={},
            licence=LICENCE,
            command=command,
            temperatures=dict.fromkeys(TEMPERED, 1.0),
            blend=0.0,
            unsure_below=0.0,
            input=INPUT,
            labels=LABELS,
        )
        for file in made.values():
            file.replace(folder / file.name)
    write(contract, folder / f"{name}.json")
    evaluation_file(folder / f"{name}.tflite").unlink(missing_ok=True)  # it was of other weights
    return contract


def _describe(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    return {
        "file": file.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


def _convert_apart(keras_file: Path, folder: Path) -> None:
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
        [sys.executable, "-m", "emorec.training.export", str(keras_file), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise TrainingError(f"{keras_file.name}: cannot be converted to LiteRT ({why}).")


def _convert(keras_file: Path, folder: Path) -> None:
    import keras
    import tensorflow as tf

    network = keras.saving.load_model(keras_file, compile=False)
    with tempfile.TemporaryDirectory() as saved_model:
        network.export(saved_model, format="tf_saved_model", verbose=False)
        for weights in WEIGHTS:
            converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
            if weights != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if weights == "float16":
                converter.target_spec.supported_types = [tf.float16]
            (folder / f"{weights}.tflite").write_bytes(converter.convert())


def _smallest(
    network: keras.Model,
    kinds: Mapping[str, Path],
    validation: FaceSet,
    say: Callable[[str], None],
) -> str:
    """Return the smallest kind of weights that is true to Keras and costs at most ``LOSS``."""
    random = np.random.default_rng(0).integers(0, 256, (9, FACE_SIDE, FACE_SIDE))
    probe = np.concatenate([random.astype(np.uint8), validation.faces[:_PROBED]])
    expected = network.predict_on_batch(probe[..., None])
    runtimes = {weights: LiteRTRuntime(file.read_bytes()) for weights, file in kinds.items()}
    best = _accuracies(runtimes["float32"], validation)
    for weights, runtime in runtimes.items():
        received = runtime.run(probe)
        apart = max(float(np.abs(expected[head] - received[head]).max()) for head in LABELS)
        lost = {
            head: best[head] - value for head, value in _accuracies(runtime, validation).items()
        }
        say(
            f"LiteRT with {weights} weights: {kinds[weights].stat().st_size / 1e6:.1f} MB, "
            + ", ".join(f"{head} {-value * 100:+.2f} points" for head, value in lost.items())
            + f", at most {apart:.1g} from Keras."
        )
        if apart <= WEIGHTS[weights] and max(lost.values()) <= LOSS:
            return weights
    raise TrainingError(
        f"LiteRT's probabilities lie {apart:.2g} from Keras's, expected {WEIGHTS['float32']:.0e}"
        " at most."
    )


def _accuracies(runtime: LiteRTRuntime, faces: FaceSet) -> dict[str, float]:
    said = runtime.run(faces.faces)
    found = {"fer2013": accuracy(said["fer2013"].argmax(axis=1), faces.labels)}
    if faces.votes is not None:
        majority, counted = faces.ferplus_labels()
        if counted.any():
            found["ferplus"] = accuracy(said["ferplus"].argmax(axis=1)[counted], majority[counted])
    return found


if __name__ == "__main__":
    _convert(Path(sys.argv[1]), Path(sys.argv[2]))
