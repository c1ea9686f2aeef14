"""Ids of a room of different people when pictures come rarely, or not at all for a while.

    python -m benchmarks.stalls --photos DIR [--people 25] [--seconds 40] [--out FILE]
    python -m benchmarks.stalls --show FILE

The room is that of `benchmarks.room`, read by `Pipeline.update` without a browser. Each kind of
work costs a fixed time (`COSTS_S`, as on two cores with AVX2), so the result depends on the
pictures alone. After every five seconds no picture comes for a while. Where people change, five of
them are others after each stall: each of those should get a new id, and no other face.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from benchmarks.room import portraits, room
from emorec import EmotionRecognizer
from emorec.geometry import Boxes
from emorec.pipeline.detect import Detector, Image
from emorec.pipeline.pipeline import Pipeline
from emorec.pipeline.schedule import Schedule, for_files
from emorec.pipeline.tiles import Patch
from emorec.records import Detection
from emorec.settings import Settings
from testkit.scripted import Clock

COSTS_S = {"search": 0.01, "near": 0.003, "read": 0.0025}
SIZE_WH = (1280, 720)

_LOOP_S = 10
_FPS = 5
_EVERY_S = 5.0
_CHANGED = 5


class Kind(NamedTuple):
    """How pictures come, and how they are read."""

    name: str
    every_s: float
    stall_s: float = 0.0
    changes: bool = False
    file: bool = False


KINDS = (
    Kind("live, 5 a second", 0.2),
    Kind("live, 5 a second, stalls of 1 s", 0.2, 1.0),
    Kind("live, 5 a second, stalls of 2 s", 0.2, 2.0),
    Kind("live, 5 a second, stalls of 2 s, five others after each", 0.2, 2.0, changes=True),
    Kind("live, 1 a second", 1.0),
    Kind("file, 1 a second", 1.0, file=True),
)


class Costing:
    """A detector whose work costs a fixed time by a clock."""

    def __init__(self, detector: Detector, clock: Clock) -> None:
        self._detector = detector
        self._spend = clock.costing(**COSTS_S)
        self.detect, self.patches = detector.detect, detector.patches

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        self._spend("search", 1)
        return self._detector.search(image_bgr, patch)

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        self._spend("near", 2 * len(places))
        return self._detector.confirm(image_bgr, places, cautious)

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        self._spend("near", len(boxes_xyxy))
        return self._detector.detect_near(image_bgr, boxes_xyxy, tilts_deg, cautious)


class Unsure:
    """A classifier that costs a fixed time, for what it says does not count here."""

    def __init__(self, clock: Clock) -> None:
        self._spend = clock.costing(**COSTS_S)

    def classify(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self._spend("read", len(faces_gray))
        return np.full((len(faces_gray), 7), 1 / 7, np.float32)


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, metavar="DIR", help="of one face each, JPEG or PNG")
    parser.add_argument("--people", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=40, help="of each kind")
    add_options(parser)
    args = parser.parse_args()
    if args.photos is None and args.show is None:
        parser.error("--photos is needed")
    deliver(args, lambda: measure(args.photos, args.people, args.seconds), table)


def measure(photos: Path, people: int, seconds: float) -> dict[str, Any]:
    """Count ids and faces found for each kind."""
    where = machine()
    everyone = portraits(photos, 2 * people, False)
    films = [list(room(own, SIZE_WH, _LOOP_S * _FPS)) for own in (everyone[::2], everyone[1::2])]
    detector = EmotionRecognizer().detector("auto")
    return {
        "command": f"python -m benchmarks.stalls --photos DIR --people {people}"
        f" --seconds {seconds:g}",
        **where,
        "people": people,
        "kinds": {kind.name: counted(films, detector, people, kind, seconds) for kind in KINDS},
    }


def times(kind: Kind, seconds: float) -> Iterator[tuple[float, int]]:
    """Yield the time of each picture, and how many stalls there were before it."""
    time_s, next_s, stalls = 0.0, _EVERY_S, 0
    while time_s < seconds:
        yield time_s, stalls
        if kind.stall_s and time_s >= next_s:
            time_s += kind.stall_s
            next_s, stalls = time_s + _EVERY_S, stalls + 1
        else:
            time_s += kind.every_s


def counted(
    films: Sequence[Sequence[Image]], detector: Detector, people: int, kind: Kind, seconds: float
) -> dict[str, Any]:
    """Return ids, the ids there should be, and the faces found from the third second on."""
    clock = Clock()
    schedule = for_files() if kind.file else Schedule()
    pipeline = Pipeline(Costing(detector, clock), Unsure(clock), Settings(), 0.4, schedule, clock)
    rows = round(np.sqrt(people))
    columns = -(-people // rows)
    rng = np.random.default_rng(0)
    others: set[int] = set()
    ids: set[int] = set()
    found: list[int] = []
    before = 0
    for time_s, stalls in times(kind, seconds):
        if stalls != before and kind.changes:
            others ^= set(rng.permutation(people)[:_CHANGED].tolist())
        before = stalls
        number = int(time_s * _FPS) % len(films[0])
        image = films[0][number].copy()
        for place in others:
            row, column = divmod(place, columns)
            ys, xs = (
                slice(side * at // of, side * (at + 1) // of)
                for side, at, of in ((SIZE_WH[1], row, rows), (SIZE_WH[0], column, columns))
            )
            image[ys, xs] = films[1][number][ys, xs]
        faces = pipeline.update(image, time_s).faces
        ids |= {face.track_id for face in faces}
        if time_s >= 3:
            found.append(len(faces))
    return {
        "ids": len(ids),
        "people": people + _CHANGED * before * kind.changes,
        "found_mean": round(fmean(found), 2),
        "found_least": min(found),
    }


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    lines = ["| pictures | people | ids | found, mean | least |", "|---|--:|--:|--:|--:|"]
    for name, told in report["kinds"].items():
        cells = (told[key] for key in ("people", "ids", "found_mean", "found_least"))
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
