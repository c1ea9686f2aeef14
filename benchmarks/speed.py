"""Speed of EmoRec, compared with the package `fer` on the same frames.

    python -m benchmarks.speed --fer-python fer-venv/bin/python [--repeats 40] [--out FILE]
    python -m benchmarks.speed --show FILE

`fer` needs its own virtual environment: benchmarks/README.md describes how to make it. Without
``--fer-python`` only EmoRec is timed. Every start and every run is a new process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

from benchmarks.machine import machine, percentile_95, run, versions
from benchmarks.report import add_options, deliver

STARTS = 5
WARM_UP = 5

# In these nothing is imported but what is timed.
_START = """
import json, sys, time
began = time.perf_counter()
{load}
imported = time.perf_counter()
engine = {make}
ready = time.perf_counter()
import numpy as np, psutil
{read}(np.load(sys.argv[1])[0])
names = {{name.split(".")[0] for name in sys.modules}}
print(json.dumps({{
    "import_s": imported - began,
    "construct_s": ready - imported,
    "resident_mb": psutil.Process().memory_info().rss / 1e6,
    "tensorflow": "tensorflow" in names,
}}))
"""
_EMOREC = _START.format(
    load="import emorec", make="emorec.EmotionRecognizer()", read="engine.analyze"
)
_FER = _START.format(load="from fer.fer import FER", make="FER()", read="engine.detect_emotions")

FER_VARIANTS: dict[str, dict[str, bool]] = {
    "FER()": {},
    "FER(use_tflite=False)": {"use_tflite": False},
    "FER(mtcnn=True)": {"mtcnn": True},
}


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fer-python", type=Path, metavar="PATH", help="Python that has fer")
    parser.add_argument("--repeats", type=int, default=40, help="frames of each run")
    add_options(parser)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(WORKERS[args.worker[0]](Path(args.worker[1]))))
        return
    deliver(args, lambda: measure(args), tables)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Time everything, one thing after the other."""
    import numpy as np

    from testkit.frames import FPS, WORKLOADS, sequence

    own, fer = Path(sys.executable), args.fer_python
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        for workload in WORKLOADS:
            film, truth = sequence(workload, max(args.repeats, 2 * FPS) + WARM_UP)
            np.save(Path(folder) / f"{workload.name}.frames.npy", film)
            np.save(Path(folder) / f"{workload.name}.truth.npy", truth)
            np.save(Path(folder) / f"{workload.name}.short.npy", film[: args.repeats + WARM_UP])
        first = f"{folder}/{WORKLOADS[0].name}.short.npy"
        start = {"EmoRec": starts(own, _EMOREC, first)}
        packages = {"EmoRec": versions(own, ["ai-edge-litert", "numpy", "opencv-python-headless"])}
        if fer:
            start["fer"] = starts(fer, _FER, first)
            packages["fer"] = versions(
                fer, ["fer", "numpy", "opencv-contrib-python-headless", "tensorflow-cpu", "torch"]
            )
        workloads = {}
        for workload in WORKLOADS:
            base = Path(folder) / workload.name
            runs = worker(own, "emorec", base)
            if fer:
                runs |= worker(fer, "fer", base)
            workloads[workload.name] = {
                "size": list(workload.size_wh),
                "faces": workload.grid_wh[0] * workload.grid_wh[1],
                "face_px": workload.face_px,
                "runs": runs,
            }
    return {
        "command": f"python -m benchmarks.speed --fer-python PYTHON --repeats {args.repeats}",
        **where,
        "load_after": [round(load, 2) for load in os.getloadavg()],
        "packages": packages,
        "start": start,
        "workloads": workloads,
    }


def starts(python: Path, code: str, frames: str) -> dict[str, Any]:
    """Start afresh some times; the medians, without the first start, which fills the disk cache."""
    told = [json.loads(run(python, ["-c", code, frames])) for _ in range(STARTS + 1)][1:]
    return {
        key: told[0][key] if key == "tensorflow" else round(median(one[key] for one in told), 3)
        for key in told[0]
    }


def worker(python: Path, name: str, base: Path) -> dict[str, Any]:
    """Run one worker in a process of its own."""
    told: dict[str, Any] = json.loads(
        run(python, ["-m", "benchmarks.speed", "--worker", name, str(base)])
    )
    return told


def emorec_worker(base: Path) -> dict[str, Any]:
    """Time single pictures, then the same scene as a live picture."""
    import numpy as np

    from emorec import EmotionRecognizer
    from emorec.model.choice import for_live
    from emorec.model.store import path_of
    from testkit.frames import FPS

    truth = np.load(f"{base}.truth.npy")
    recognizer = EmotionRecognizer()
    of_live = EmotionRecognizer(path_of(for_live(recognizer.model)))
    pictures = np.load(f"{base}.short.npy")
    single = timed(recognizer.analyze, pictures)
    reader = of_live.reader("live")
    clock = count()
    live = timed(lambda frame: reader.read(frame, next(clock) / FPS), np.load(f"{base}.frames.npy"))
    report = {}
    engines = {"analyze": recognizer, "live": of_live}
    for name, (results, all_ms) in {"analyze": single, "live": live}.items():
        contract = engines[name].model.contract
        boxes = [[tuple(face.box) for face in result.faces] for result in results]
        # A face whose label comes from an earlier frame costs nothing, so it does not count.
        read = [
            sum(not np.isnan(face.probs_raw).any() for face in result.faces) for result in results
        ]
        stages = {
            stage: [result.stage_ms[stage] for result in results] for stage in results[0].stage_ms
        }
        report[f"EmoRec {name}"] = {
            **summary(all_ms, boxes, truth[WARM_UP:], read),
            "model": {"name": contract.name, "sha256": contract.files["tflite"]["sha256"]},
            "stage_ms": {
                stage: {"median": round(median(ms), 3), "p95": percentile_95(ms)}
                for stage, ms in stages.items()
            },
        }
        if name == "live":
            report["EmoRec live"]["whole_searches"] = round(
                mean(result.detector_ran for result in results), 3
            )
    return report


def fer_worker(base: Path) -> dict[str, Any]:
    """Time every way of `fer` to look at a picture; one that cannot run says why."""
    import numpy as np
    from fer.fer import FER

    pictures, truth = np.load(f"{base}.short.npy"), np.load(f"{base}.truth.npy")
    report: dict[str, Any] = {}
    for name, options in FER_VARIANTS.items():
        try:
            engine = FER(**options)
        except Exception as error:  # noqa: BLE001 (an optional part of another's package)
            report[name] = {"not_run": " ".join(str(error).split())[:80]}
            continue
        results, all_ms = timed(engine.detect_emotions, pictures)
        boxes = [
            [(x, y, x + w, y + h) for x, y, w, h in (face["box"] for face in result)]
            for result in results
        ]
        report[name] = summary(all_ms, boxes, truth[WARM_UP:], [len(own) for own in boxes])
    return report


WORKERS = {"emorec": emorec_worker, "fer": fer_worker}


def timed(read: Callable[[Any], Any], frames: Any) -> tuple[list[Any], list[float]]:
    """Return the results and the milliseconds of every frame after the warm-up."""
    results, all_ms = [], []
    for frame in frames:
        began = perf_counter()
        results.append(read(frame))
        all_ms.append((perf_counter() - began) * 1000)
    return results[WARM_UP:], all_ms[WARM_UP:]


def summary(
    all_ms: list[float], boxes: list[list[Any]], truth: Any, read: list[int]
) -> dict[str, Any]:
    """Return the time a frame takes and what became of its faces; counts are means over frames.

    Args:
        all_ms: of each frame.
        boxes: shown in each frame.
        truth: where the faces are, of shape (frames, faces, 4).
        read: faces that were classified from each frame itself.
    """
    found = [hits(own, faces) for own, faces in zip(boxes, truth, strict=False)]
    return {
        "frames": len(all_ms),
        "median_ms": round(median(all_ms), 2),
        "p95_ms": percentile_95(all_ms),
        "analyses_per_s": round(1000 / mean(all_ms), 2),
        "faces_read": round(mean(read), 2),
        "faces_read_per_s": round(1000 * sum(read) / sum(all_ms), 1),
        "faces_found": round(mean(found), 2),
        "false_faces": round(mean(len(own) for own in boxes) - mean(found), 2),
    }


def hits(boxes: list[Any], truth: Any) -> int:
    """Count the true faces whose middle half lies in a box no more than twice as large."""
    return sum(
        any(
            x1 <= (3 * t1 + t3) / 4
            and y1 <= (3 * t2 + t4) / 4
            and x2 >= (t1 + 3 * t3) / 4
            and y2 >= (t2 + 3 * t4) / 4
            and x2 - x1 <= 2 * (t3 - t1)
            for x1, y1, x2, y2 in boxes
        )
        for t1, t2, t3, t4 in truth.tolist()
    )


def tables(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    columns = {
        "median_ms": "ms, median",
        "p95_ms": "ms, p95",
        "analyses_per_s": "frames a second",
        "faces_read": "faces read a frame",
        "faces_read_per_s": "faces read a second",
        "faces_found": "true faces shown",
        "false_faces": "false faces",
    }
    lines = [
        f"| scene | program | {' | '.join(columns.values())} |",
        "|---|---|" + "--:|" * len(columns),
    ]
    for workload in report["workloads"].values():
        size = "×".join(map(str, workload["size"]))
        scene = f"{size}, {workload['faces']} face{'s' if workload['faces'] > 1 else ''}"
        for name, done in workload["runs"].items():
            cells = [done.get(key, "not run") for key in columns]
            lines.append(f"| {scene} | {name} | {' | '.join(map(str, cells))} |")
    lines += [
        "",
        "| start | import, s | construct, s | resident, MB | loads TensorFlow |",
        "|---|--:|--:|--:|---|",
    ]
    for name, begun in report["start"].items():
        cells = [begun["import_s"], begun["construct_s"], round(begun["resident_mb"])]
        yes = "yes" if begun["tensorflow"] else "no"
        lines.append(f"| {name} | {' | '.join(map(str, cells))} | {yes} |")
    lines += [
        "",
        "| stage of EmoRec, ms (median / p95) |"
        + "|".join(
            f" {name} {kind} " for name in report["workloads"] for kind in ("analyze", "live")
        )
        + "|",
        "|---|" + "--:|" * 2 * len(report["workloads"]),
    ]
    for stage in ("follow", "detect", "track", "crop", "classify", "smooth"):
        cells = []
        for workload in report["workloads"].values():
            for kind in ("analyze", "live"):
                ms = workload["runs"][f"EmoRec {kind}"]["stage_ms"].get(stage)
                cells.append(f"{ms['median']:.2f} / {ms['p95']:.2f}" if ms else "")
        lines.append(f"| {stage} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
