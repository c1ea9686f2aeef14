"""Cost of the live pipeline for larger pictures and crowds, and stability of a still face's label.

    python -m benchmarks.load [--fer2013 fer2013.csv] [--out FILE] [--plot FILE.png]
    python -m benchmarks.load --show FILE

A frame comes every 30th of a second of the media clock, or later if the frame before took longer:
frames that a slow pipeline cannot read in time are dropped, as on the live page.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from time import perf_counter, process_time
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver
from emorec import EmotionRecognizer
from emorec.model import store
from emorec.model.choice import for_live
from testkit.frames import FPS, Workload, sequence
from testkit.heads import Sprite, astronaut_head, gray_heads
from testkit.scenes import Actor, Pose, Scene, film

CROWDS = (
    Workload("640x480-1", (640, 480), (1, 1), 150),
    Workload("1280x720-1", (1280, 720), (1, 1), 150),
    Workload("1280x720-9", (1280, 720), (3, 3), 120),
    Workload("1280x720-25", (1280, 720), (5, 5), 74),
    Workload("1920x1080-1", (1920, 1080), (1, 1), 150),
    Workload("1920x1080-25", (1920, 1080), (5, 5), 110),
    Workload("1920x1080-50", (1920, 1080), (10, 5), 100),
)
_PERIOD = 2 * FPS  # the hand that holds the camera is back where it was
_ROUNDS = 3  # the first is not counted
_STILL_S = 10.0
_PEOPLE = 24
_PACKAGES = ["ai-edge-litert", "numpy", "opencv-python-headless"]


def main() -> None:
    """Measure and print, with ``--out`` and ``--plot`` also write; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fer2013", type=Path, metavar="CSV", help="still faces of its PublicTest")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="also draw how the cost grows")
    add_options(parser)
    args = parser.parse_args()
    report = deliver(args, lambda: measure(args.fer2013), tables)
    if args.plot:
        draw(report, args.plot)


def measure(fer2013: Path | None) -> dict[str, Any]:
    """Return the whole report as a dictionary for JSON."""
    recognizer = EmotionRecognizer(store.path_of(for_live(store.load())))
    heads = [astronaut_head()]
    if fer2013:
        from emorec.training.data import load

        heads += gray_heads(load(fer2013)["PublicTest"].faces[:_PEOPLE])
    return {
        "command": "python -m benchmarks.load" + (" --fer2013 fer2013.csv" if fer2013 else ""),
        **machine(),
        "packages": versions(Path(sys.executable), _PACKAGES),
        "model": recognizer.model.contract.name,
        "cost": {crowd.name: cost(recognizer, crowd) for crowd in CROWDS},
        "still": stillness(recognizer, heads),
    }


def cost(recognizer: EmotionRecognizer, crowd: Workload) -> dict[str, float]:
    """Return how many frames a second are read, what that costs, and how many faces are shown."""
    frames, _ = sequence(crowd, _PERIOD)
    reader = recognizer.reader("live")
    time_s, walls, processors, faces = 0.0, [], [], []
    for number in range(_ROUNDS * _PERIOD):
        wall, processor = perf_counter(), process_time()
        result = reader.read(frames[number % _PERIOD], time_s)
        wall, processor = perf_counter() - wall, process_time() - processor
        time_s += max(1 / FPS, wall)
        if number >= _PERIOD:
            walls.append(wall)
            processors.append(processor)
            faces.append(len(result.faces))
    per_s = 1 / fmean(walls)
    return {
        "faces": crowd.grid_wh[0] * crowd.grid_wh[1],
        "megapixels": round(crowd.size_wh[0] * crowd.size_wh[1] / 1e6, 2),
        "analyses_per_s": round(per_s, 1),
        "cores_at_30_fps": round(fmean(processors) * min(FPS, per_s), 2),
        "faces_shown": round(fmean(faces), 1),
    }


def stillness(recognizer: EmotionRecognizer, heads: list[Sprite]) -> dict[str, float]:
    """Return how often the label of a face that does not move changes, by camera noise alone."""
    changes, labelled_s = 0, 0.0
    for seed, head in enumerate(heads):
        actor = Actor(1, head, lambda time_s: Pose(320, 240, 150))
        reader = recognizer.reader("live")
        shown: list[str | None] = []
        for frame in film(Scene("still", (640, 480), _STILL_S, [actor], seed)):
            found = list(reader.read(frame.image_bgr, frame.time_s).faces)
            near = [face for face in found if _holds(face.box, (320, 240))]
            if near:
                shown.append(near[0].emotion)
        shown = shown[len(shown) // 10 :]  # what a label is at first is no change
        changes += sum(one != other for one, other in pairwise(shown))
        labelled_s += _STILL_S * 0.9 if shown else 0.0
    return {
        "faces": len(heads),
        "seconds": round(labelled_s, 1),
        "label_changes": changes,
        "label_changes_per_minute": round(60 * changes / labelled_s, 2),
    }


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    lines = [
        "| picture and faces | frames read a second | cores at a 30-fps camera | faces shown |",
        "|---|--:|--:|--:|",
    ]
    for name, row in report["cost"].items():
        size, _, faces = name.partition("-")
        lines.append(
            f"| {size.replace('x', '×')}, {faces} | {row['analyses_per_s']} |"
            f" {row['cores_at_30_fps']} | {row['faces_shown']} |"
        )
    still = report["still"]
    lines += [
        "",
        (
            f"Still faces with camera noise: {still['faces']} faces, {still['seconds']:.0f} s,"
            f" {still['label_changes']} changes of a label, {still['label_changes_per_minute']} a"
            " minute."
        ),
    ]
    return "\n".join(lines)


def draw(report: dict[str, Any], file: Path) -> None:
    """Draw milliseconds a frame over faces, a line a size of picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    lines: dict[str, list[tuple[int, float]]] = {}
    for name, row in report["cost"].items():
        point = (row["faces"], 1000 / row["analyses_per_s"])
        lines.setdefault(name.partition("-")[0], []).append(point)
    for size, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=size.replace("x", "×"))
    axes.axhline(1000 / FPS, color="gray", linestyle=":", linewidth=1)
    axes.annotate("30 frames a second", (50, 1000 / FPS), ha="right", va="bottom", color="gray")
    axes.set(xlabel="faces", ylabel="ms a frame, mean", ylim=(0, None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(file, dpi=110)


def _holds(box: npt.ArrayLike, point: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = np.asarray(box)
    return bool(x1 <= point[0] < x2 and y1 <= point[1] < y2)


if __name__ == "__main__":
    main()
