"""How well faces are followed on the standard films: by the boxes that the live page would draw.

    python -m benchmarks.tracking [--seeds 3] [--scenes crossing mover] [--out FILE]
    python -m benchmarks.tracking --show FILE

Each film goes through `Pipeline.update` frame by frame. A frame is read while the next one is
shown, so the boxes of one frame are moved to the next, as the live page moves them, and counted
there: also those of faces that are only remembered. MOTA, IDF1 and id switches are `motmetrics`'.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

import motmetrics
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver
from emorec import EmotionRecognizer
from emorec.drawing.overlay import moved
from emorec.geometry import Boxes, as_boxes, clip, iou
from emorec.reading import Reader
from emorec.records import FrameResult
from testkit.scenes import FPS, Scene, Truth, film
from testkit.standard import standard_scenes

MATCH = 0.5
"""IoU from which a box is a face's."""
_VISIBLE = 0.5  # share of a face that must be seen for its box to be asked for
_MEASURES = ("mota", "idf1", "num_switches", "num_misses", "num_false_positives", "num_objects")
_PACKAGES = ["ai-edge-litert", "motmetrics", "numpy", "opencv-python-headless"]


def main() -> None:
    """Measure, print and, with ``--out``, keep; or show what was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [scene.name for scene in standard_scenes()]
    parser.add_argument("--seeds", type=int, default=3, help="films of each scene")
    parser.add_argument("--scenes", nargs="+", choices=names, default=names, help="only these")
    add_options(parser)
    args = parser.parse_args()
    deliver(args, lambda: measure(args.seeds, args.scenes), table)


def measure(seeds: int, names: Sequence[str]) -> dict[str, Any]:
    """Follow the faces of so many films of each of these scenes."""
    where = machine()
    recognizer = EmotionRecognizer()
    films: dict[str, list[Watched]] = {name: [] for name in names}
    for seed in range(seeds):
        for scene in standard_scenes(seed):
            if scene.name in films:
                films[scene.name].append(watch(scene, recognizer.reader("live")))
    return {
        "command": f"python -m benchmarks.tracking --seeds {seeds}",
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": versions(Path(sys.executable), _PACKAGES),
        "fps": FPS,
        "scenes": {name: summary(watched) for name, watched in films.items()},
        "all": summary([watched for own in films.values() for watched in own]),
    }


@dataclass(frozen=True)
class Watched:
    """What a film showed, frame by frame, and what was read from it."""

    truths: list[tuple[Truth, ...]]
    results: list[FrameResult]

    def drawn(self, late: int) -> list[tuple[list[int], Boxes]]:
        """Return ids and boxes on each frame after the first ones, read so many frames before."""
        shown = []
        for old, new in zip(self.results, self.results[late:], strict=False):
            faces = moved(old.faces, new.time_s - old.time_s, new.size_wh)
            faces = tuple(face for face in faces if face.box.width > 0 and face.box.height > 0)
            boxes = as_boxes([tuple(face.box) for face in faces])
            shown.append(([face.track_id for face in faces], boxes))
        return shown


def watch(scene: Scene, reader: Reader) -> Watched:
    """Film a scene and read every frame of it."""
    watched = Watched([], [])
    for frame in film(scene):
        watched.truths.append(frame.truths)
        watched.results.append(reader.read(frame.image_bgr, frame.time_s))
    return watched


def score(watched: Watched, late: int = 1) -> motmetrics.MOTAccumulator:
    """Return the events of a film, its boxes drawn so many frames late.

    A face of which less than half is seen, behind another or at the border, may have its box but
    need not.
    """
    events = motmetrics.MOTAccumulator(auto_id=True)
    size_wh = watched.results[0].size_wh
    for truths, (ids, boxes) in zip(watched.truths[late:], watched.drawn(late), strict=True):
        wanted = [truth for truth in truths if truth.visible >= _VISIBLE]
        spare = [truth for truth in truths if truth.visible < _VISIBLE]
        kept = _without_spare(
            iou(_inside(wanted, size_wh), boxes), iou(_inside(spare, size_wh), boxes)
        )
        overlap = iou(_inside(wanted, size_wh), boxes[kept])
        events.update(
            [truth.face_id for truth in wanted],
            [ids[number] for number in kept],
            np.where(overlap >= MATCH, 1 - overlap, np.nan),
        )
    return events


def drawn_iou(watched: Watched, late: int) -> list[float]:
    """Return the overlap of every face with the box drawn nearest to it; 0 where there is none."""
    size_wh = watched.results[0].size_wh
    overlaps: list[float] = []
    for truths, (_, boxes) in zip(watched.truths[late:], watched.drawn(late), strict=True):
        wanted = [truth for truth in truths if truth.visible >= _VISIBLE]
        overlaps += iou(_inside(wanted, size_wh), boxes).max(axis=1, initial=0).tolist()
    return overlaps


def summary(films: Sequence[Watched]) -> dict[str, Any]:
    """Return the measures over some films together; ids of two films have nothing in common."""
    counted = motmetrics.metrics.create().compute_many(
        [score(one) for one in films],
        names=range(len(films)),
        metrics=_MEASURES,
        generate_overall=True,
    )
    total = counted.loc["OVERALL"]
    searched = [result.detector_ran for one in films for result in one.results]
    return {
        "films": len(films),
        "frames": len(searched),
        "faces": int(total["num_objects"]),
        "mota": round(float(total["mota"]), 4),
        "idf1": round(float(total["idf1"]), 4),
        "id_switches": int(total["num_switches"]),
        "missed": int(total["num_misses"]),
        "false": int(total["num_false_positives"]),
        "iou_1_late": round(fmean(v for one in films for v in drawn_iou(one, 1)), 3),
        "iou_2_late": round(fmean(v for one in films for v in drawn_iou(one, 2)), 3),
        "whole_searches": round(fmean(searched), 3),
        "median_ms": round(
            median(sum(result.stage_ms.values()) for one in films for result in one.results), 2
        ),
    }


def table(report: dict[str, Any]) -> str:
    """Return a kept report as Markdown."""
    columns = {
        "frames": "frames",
        "faces": "faces in them",
        "mota": "MOTA",
        "idf1": "IDF1",
        "id_switches": "id switches",
        "missed": "missed",
        "false": "false",
        "iou_1_late": "IoU, 1 frame late",
        "iou_2_late": "IoU, 2 frames late",
        "whole_searches": "whole searches",
        "median_ms": "ms, median",
    }
    lines = [f"| scene | {' | '.join(columns.values())} |", "|---|" + "--:|" * len(columns)]
    for name, done in [*report["scenes"].items(), ("all", report["all"])]:
        lines.append(f"| {name} | {' | '.join(str(done[key]) for key in columns)} |")
    return "\n".join(lines)


def _inside(truths: Sequence[Truth], size_wh: tuple[int, int]) -> Boxes:
    return clip([truth.box_xyxy for truth in truths], size_wh)


def _without_spare(
    wanted: npt.NDArray[np.float64], spare: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return which boxes count: all but those that go best to a face that need not have one.

    Args:
        wanted: overlaps of shape (faces that are asked for, boxes).
        spare: overlaps of shape (other faces, boxes).
    """
    overlap = np.vstack([wanted, spare])
    # A face that is asked for comes first, whatever else its box lies upon.
    worth = np.where(overlap >= MATCH, overlap, 0)
    worth[: len(wanted)] += worth[: len(wanted)] >= MATCH
    rows, columns = linear_sum_assignment(worth, maximize=True)
    dropped = columns[(rows >= len(wanted)) & (worth[rows, columns] > 0)]
    return np.setdiff1d(np.arange(overlap.shape[1]), dropped)


if __name__ == "__main__":
    main()
