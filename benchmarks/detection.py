"""Recall and precision of face detectors: EmoRec's, `fer`'s and `mtcnn`'s.

    python -m benchmarks.detection [--peers-python peers/bin/python] [--faces 100] [--out FILE]
    python -m benchmarks.detection --show FILE

All programs read the same standard pictures, in separate processes, one after the other. `fer` and
`mtcnn` need their own virtual environment: benchmarks/README.md describes how to make it. Without
``--peers-python`` only EmoRec's detectors are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.machine import machine, run, versions
from benchmarks.report import add_options, deliver

SMALLEST = 20
"""All programs search for faces of at least this many pixels."""
SIZES = (24, 48, 96, 200)
TILTS = (0, 15, 30)
LIGHTS = ("dark", "bright", "low contrast", "side")
LIT_SIZE = 96
_WARM_UP = 2
_EASY = "96 px, 0°, even"

Boxes = list[list[float]]
Look = Callable[[Any], Sequence[Sequence[float]]]
"""Takes uint8 (h, w, 3), blue first; returns boxes x1, y1, x2, y2."""


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-python", type=Path, metavar="PATH", help="has fer and mtcnn")
    parser.add_argument("--faces", type=int, default=100, help="in each size, tilt and light")
    parser.add_argument("--only", nargs="+", choices=LOOKS, default=list(LOOKS), help="only these")
    parser.add_argument("--fer2013", type=Path, metavar="CSV", help="place faces of its PublicTest")
    add_options(parser)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker[0], Path(args.worker[1]))
        return
    deliver(args, lambda: measure(args), tables)


def cells() -> dict[str, tuple[float, float, str]]:
    """Return size, tilt and light of each kind of picture: all sizes tilted, one size lit."""
    kinds = [(size, tilt, "even") for size in SIZES for tilt in TILTS]
    kinds += [(LIT_SIZE, 0, light) for light in LIGHTS]
    return {f"{size} px, {tilt}°, {light}": (size, tilt, light) for size, tilt, light in kinds}


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Paint every kind of picture, run all programs on them, and count."""
    from testkit.scoring import count, total
    from testkit.standard import pictures

    where = machine()
    own, peers = Path(sys.executable), args.peers_python
    names = [name for name in args.only if name in OWN or peers]
    heads = _fer2013_heads(args.fer2013) if args.fer2013 else ()
    truths: dict[str, list[Boxes]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (cell, (size, tilt, light)) in enumerate(cells().items()):
            frames = list(pictures(size, tilt, light, args.faces, heads))
            truths[cell] = [[t.box_xyxy.tolist() for t in frame.truths] for frame in frames]
            np.save(Path(folder) / f"{number:02}.npy", [frame.image_bgr for frame in frames])
        runs = {}
        for name in names:
            run(own if name in OWN else peers, ["-m", __spec__.name, "--worker", name, folder])
            told = json.loads((Path(folder) / f"{name}.json").read_text())
            found = dict(zip(truths, told["boxes"], strict=True))
            if name not in OWN:
                found = reframed(found, truths)
            counted = {cell: count(found[cell], truths[cell]) for cell in truths}
            runs[name] = {
                "cells": counted,
                "all": total(list(counted.values())),
                "median_ms": round(median(told["ms"]), 2),
            }
    packages = {"EmoRec": versions(own, ["ai-edge-litert", "numpy", "opencv-python-headless"])}
    if peers:
        packages["peers"] = versions(
            peers, ["fer", "mtcnn", "numpy", "opencv-contrib-python-headless", "tensorflow-cpu"]
        )
    return {
        "command": "python -m benchmarks.detection --peers-python PYTHON"
        f" --faces {args.faces}" + (" --fer2013 CSV" if args.fer2013 else ""),
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": packages,
        "size": [640, 480],
        "smallest": SMALLEST,
        "pictures": {cell: len(own) for cell, own in truths.items()},
        "runs": runs,
    }


def reframed(found: dict[str, list[Boxes]], truths: dict[str, list[Boxes]]) -> dict[str, Any]:
    """Bring another's boxes to our framing, so that a difference of taste is no miss.

    In the easiest pictures the box that lies over a face's middle is taken for it; how far its
    middle lies off and how much larger the face is, in boxes, are taken over to all of them.
    """
    taste = []
    for boxes, faces in zip(found[_EASY], truths[_EASY], strict=True):
        for face in np.array(faces):
            middle, side = (face[:2] + face[2:]) / 2, face[2:] - face[:2]
            for box in np.array(boxes):
                own, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
                if (np.abs(own - middle) < 0.3 * side).all():
                    taste.append(np.concatenate([(middle - own) / size, side / size]))
    if not taste:
        return found
    off, grown = np.median(taste, axis=0).reshape(2, 2)

    def fit(box: list[float]) -> list[float]:
        corners = np.array(box).reshape(2, 2)
        size = corners[1] - corners[0]
        middle = corners.mean(axis=0) + off * size
        return [*(middle - grown * size / 2), *(middle + grown * size / 2)]

    return {cell: [[fit(box) for box in own] for own in all_] for cell, all_ in found.items()}


def worker(name: str, folder: Path) -> None:
    """Look at all pictures, and write the boxes of each and the milliseconds they took."""
    look = LOOKS[name]()
    found: list[list[list[list[float]]]] = []
    all_ms: list[float] = []
    for file in sorted(folder.glob("*.npy")):
        own = []
        frames = np.load(file, mmap_mode="r")
        for _ in range(0 if found else _WARM_UP):
            look(np.array(frames[0]))
        for frame in frames:
            image_bgr = np.array(frame)
            began = perf_counter()
            boxes = look(image_bgr)
            all_ms.append((perf_counter() - began) * 1000)
            own.append([[float(value) for value in box] for box in boxes])
        found.append(own)
    (folder / f"{name}.json").write_text(json.dumps({"boxes": found, "ms": all_ms}))
    print("done")


def _own(name: str, min_face_px: float = SMALLEST) -> Look:
    from emorec.pipeline.detect import make_detector

    detector = make_detector(name)
    return lambda image_bgr: [
        one.box_xyxy.tolist() for one in detector.detect(image_bgr, min_face_px)
    ]


def _fer() -> Look:
    from fer.fer import FER

    engine = FER(min_face_size=SMALLEST)
    return lambda image_bgr: [(x, y, x + w, y + h) for x, y, w, h in engine.find_faces(image_bgr)]


def _mtcnn() -> Look:
    from mtcnn import MTCNN

    engine = MTCNN()
    return lambda image_bgr: [
        face["box"]
        for face in engine.detect_faces(
            np.ascontiguousarray(image_bgr[..., ::-1]), box_format="xyxy", min_face_size=SMALLEST
        )
    ]


OWN: dict[str, Callable[[], Look]] = {
    "haar": lambda: _own("haar"),
    "auto": lambda: _own("auto"),
    "auto, from 48 px": lambda: _own("auto", 48),
}
LOOKS = OWN | {"fer": _fer, "mtcnn": _mtcnn}


def tables(report: dict[str, Any]) -> str:
    """Return a report as Markdown: recall and precision, a row for each kind of picture."""
    runs = report["runs"]
    lines = [
        f"| recall / precision | faces | {' | '.join(runs)} |",
        "|---|--:|" + "--:|" * len(runs),
    ]
    for cell in report["pictures"]:
        faces = next(iter(runs.values()))["cells"][cell]["faces"]
        lines.append(f"| {cell} | {faces} | {_row(one['cells'][cell] for one in runs.values())} |")
    faces = next(iter(runs.values()))["all"]["faces"]
    lines.append(f"| all | {faces} | {_row(one['all'] for one in runs.values())} |")
    times = " | ".join(f"{one['median_ms']}" for one in runs.values())
    lines.append(f"| ms a picture, median | | {times} |")
    return "\n".join(lines)


def _row(counted: Any) -> str:
    return " | ".join(
        " / ".join(
            "–" if one[key] is None else f"{one[key]:.2f}" for key in ("recall", "precision")
        )
        for one in counted
    )


def _fer2013_heads(path: Path) -> Any:
    from emorec.training.data import load
    from testkit.heads import gray_heads

    return gray_heads(load(path)["PublicTest"].faces[:500])


if __name__ == "__main__":
    main()
