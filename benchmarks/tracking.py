"""Quality of tracking on the standard films, measured on the boxes that the live page would draw.

    python -m benchmarks.tracking [--seeds 3] [--scenes crossing mover] [--out FILE]
    python -m benchmarks.tracking --show FILE

`Pipeline.update` reads each film frame by frame. A frame is read while the next one is shown, so
the boxes of one frame are moved to the next, as on the live page, and counted there. That includes
the boxes of faces that were not seen in this frame. `motmetrics` computes MOTA, IDF1 and id
switches. How often the picture is searched depends on the cost of a search: here that is its
processor time, so that other programs on the machine change little.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.machine import machine, versions
from benchmarks.report import add_options, deliver
from emorec import EmotionRecognizer
from testkit.scenes import FPS
from testkit.scoring import Watched, summary, watch
from testkit.standard import standard_scenes

_PACKAGES = ["ai-edge-litert", "motmetrics", "numpy", "opencv-python-headless"]


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
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
                films[scene.name].append(
                    watch(scene, recognizer.reader("live", clock=process_time))
                )
    return {
        "command": f"python -m benchmarks.tracking --seeds {seeds}",
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": versions(Path(sys.executable), _PACKAGES),
        "fps": FPS,
        "scenes": {name: summary(watched) for name, watched in films.items()},
        "all": summary([watched for own in films.values() for watched in own]),
    }


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
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


if __name__ == "__main__":
    main()
