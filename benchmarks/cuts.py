"""Cuts that are missed, and cuts that are none: `emorec.pipeline.cut` on photographs and films.

    python -m benchmarks.cuts --photos DIR [--pairs 1000] [--out FILE]
    python -m benchmarks.cuts --show FILE

A cut leads from one photograph to another of the same size: in DIR are photographs of one main face
each, many of them framed alike. It is missed if the picture counts as the same. Between the frames
of the standard films (`testkit.standard`), at 25 frames a second and at fewer, and of the example
film within its scenes, there is no cut.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.machine import machine
from benchmarks.report import add_options, deliver
from emorec.pages.live.example import FILM
from emorec.pipeline.cut import Cuts
from emorec.pipeline.detect import Image
from testkit.example import FPS as EXAMPLE_FPS
from testkit.example import SCENES
from testkit.scenes import FPS, film
from testkit.standard import standard_scenes

STEPS = (1, 3, 6)
"""Every so many frames of a film are compared."""


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, metavar="DIR", help="of one main face each")
    parser.add_argument("--pairs", type=int, default=1000, help="of photographs")
    add_options(parser)
    args = parser.parse_args()
    if args.photos is None and args.show is None:
        parser.error("--photos is needed")
    deliver(args, lambda: measure(args.photos, args.pairs), table)


def measure(photos: Path, pairs: int) -> dict[str, Any]:
    """Count missed cuts between photographs, and false ones in films."""
    where = machine()
    report: dict[str, Any] = {
        "command": f"python -m benchmarks.cuts --photos DIR --pairs {pairs}",
        **where,
        "photographs": missed(photos, pairs),
        "films": {},
    }
    for scene in standard_scenes():
        frames = [cv2.cvtColor(one.image_bgr, cv2.COLOR_BGR2GRAY) for one in film(scene)]
        report["films"][scene.name] = false_cuts(frames, FPS)
    with av.open(str(FILM)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    for number, (*_, length_s) in enumerate(SCENES, start=1):
        length = round(length_s * EXAMPLE_FPS)
        own, frames = frames[:length], frames[length:]
        report["films"][f"example, scene {number}"] = false_cuts(own, EXAMPLE_FPS)
    return report


def missed(photos: Path, pairs: int) -> dict[str, int]:
    """Count the pairs of photographs of one size between which no cut is seen."""
    by_size: dict[tuple[int, ...], list[Image]] = defaultdict(list)
    for path in sorted(photos.rglob("*")):
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if image is not None:
            by_size[image.shape].append(np.asarray(image, np.uint8))
    alike = max(by_size.values(), key=len)
    rng = np.random.default_rng(0)
    chosen = [rng.choice(len(alike), 2, replace=False) for _ in range(pairs)]
    told = [told_cuts([alike[one], alike[other]], 1.0) for one, other in chosen]
    return {"of": len(alike), "pairs": pairs, "missed": told.count(0)}


def false_cuts(frames: list[Image], fps: float) -> dict[str, list[int]]:
    """Return for each step how many frames were compared, and how many cuts were seen."""
    return {
        f"{fps / step:.3g} frames/s": [len(own) - 1, told_cuts(own, fps / step)]
        for step in STEPS
        for own in [frames[::step]]
    }


def told_cuts(frames: list[Image], fps: float) -> int:
    """Return how many cuts are seen in these frames."""
    cuts = Cuts()
    return sum(cuts.update(frame, number / fps) for number, frame in enumerate(frames))


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    own = report["photographs"]
    pairs = f"{own['pairs']:,} cuts between {own['of']} photographs of one size"
    lines = [
        f"Of {pairs} {own['missed']} are missed.",
        "",
        "| film | frames a second: cuts seen, of so many frames |",
        "|---|---|",
    ]
    for name, told in report["films"].items():
        cells = [f"{rate}: {cuts} of {frames}" for rate, (frames, cuts) in told.items()]
        lines.append(f"| {name} | {'; '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
