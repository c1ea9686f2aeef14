"""Scores of detectors and of trackers against scenes whose faces are known (`testkit.scenes`).

`count` and `total` compare the boxes found in single pictures with the true ones. `watch` reads a
film with a reader; `summary` scores the boxes as the live page would draw them: MOTA, IDF1 and
id switches are `motmetrics`'. Tests and benchmarks score with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import motmetrics
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from emorec.drawing.overlay import moved
from emorec.geometry import Boxes, as_boxes, clip, iou
from emorec.reading import Reader
from emorec.records import FrameResult
from testkit.scenes import Scene, Truth, film

MATCH = 0.5
"""IoU from which a box counts as a face's."""
_VISIBLE = 0.5  # share of a face that must be seen for its box to be required
_MEASURES = ("mota", "idf1", "num_switches", "num_misses", "num_false_positives", "num_objects")


def count(
    found: Sequence[Sequence[Sequence[float]]],
    truths: Sequence[Sequence[Sequence[float]]],
) -> dict[str, Any]:
    """Count over some pictures which faces have a box, and which boxes a face, one to one."""
    hits = 0
    for boxes, faces in zip(found, truths, strict=True):
        overlap = iou(as_boxes(faces), as_boxes(boxes))
        rows, columns = linear_sum_assignment(overlap >= MATCH, maximize=True)
        hits += int(np.count_nonzero(overlap[rows, columns] >= MATCH))
    return _rates(sum(map(len, truths)), sum(map(len, found)), hits)


def total(counted: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of several kinds of picture as those of one."""
    return _rates(*(sum(one[key] for one in counted) for key in ("faces", "boxes", "hits")))


def _rates(faces: int, boxes: int, hits: int) -> dict[str, Any]:
    return {
        "faces": faces,
        "boxes": boxes,
        "hits": hits,
        "recall": round(hits / faces, 4) if faces else None,
        "precision": round(hits / boxes, 4) if boxes else None,
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
