"""How fast `emorec video` reads video files, beside the package `fer`; and its peak memory.

    python -m benchmarks.video --only films [--fer-python PATH] [--seconds 3] --out FILE
    python -m benchmarks.video --only analyze --out FILE
    python -m benchmarks.video --only memory [--hours 2] --out FILE
    python -m benchmarks.video --show FILE

Each call measures all films, some of them, or the memory, and adds the numbers to FILE. A film
shows copies of one portrait (`testkit.frames`) at 30 frames a second, as H.264. Each program reads
it in a process of its own, once to write an annotated video and once without one. With it, EmoRec
writes all that `emorec video --out DIR` does; without it, nothing, as `emorec video` does. `fer`
runs its `Video.analyze`, without the JPEG file of every frame, over the first 15 frames: a frame
takes it the same time throughout; it writes a CSV file each time. Before the clock starts, each
program has read the first frames once, so that all that it needs is loaded. The real-time factor is
the length of what was read over the time until the last result. `fer` searches and reads every face
in every frame; EmoRec follows faces from frame to frame and reads each five times a second, its
default. A call without --fer-python keeps what FILE says of `fer`, so that EmoRec alone can be
measured again.

``analyze`` measures the processor time of a worker of `emorec analyze`, which has one thread and
writes no video, on the same films.

The memory is the peak resident size of the process that reads a film of ``--hours``, beside that of
a minute of the same film: 320×240, 2 frames a second, one face, all results written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, peak_mb, run, versions
from benchmarks.report import add_options, deliver, kept

_MEMORY_FPS = 2
_FER_FRAMES = 15
_WARM_S, _WARM_FRAMES = 0.5, 3  # of a film, read before the clock starts
_PACKAGES = ["av", "opencv-python-headless", "ai-edge-litert", "numpy"]
_FER_PACKAGES = ["fer", "tensorflow-cpu", "opencv-contrib-python-headless", "numpy"]
_GRIDS = {1: ((1, 1), 150), 9: ((3, 3), 120), 25: ((5, 5), 74)}
_SIZES = ((1280, 720), (1920, 1080))
FILMS = {
    f"{width}x{height}-{faces}": ((width, height), grid, round(side * height / 720))
    for width, height in _SIZES
    for faces, (grid, side) in _GRIDS.items()
}
"""By name: the picture's size, columns and rows of faces, the faces' side in pixels."""


def main() -> None:
    """Measure one part, print and, with ``--out``, keep all parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*FILMS, "films", "analyze", "memory"),
        help="the parts to measure; films: all of them",
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a film")
    parser.add_argument("--hours", type=float, default=2.0, help="of the film for the memory")
    parser.add_argument("--films", type=Path, metavar="DIR", help="keep the films there")
    parser.add_argument("--fer-python", type=Path, metavar="PATH", help="Python that has fer")
    add_options(parser)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(WORKERS[args.worker[0]](Path(args.worker[1]))))
        return
    if args.only is None and args.show is None:
        parser.error("name the parts to measure: --only")
    deliver(args, lambda: measure(args), tables)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure some parts, and return them with those that the file has already."""
    report: dict[str, Any] = {
        "command": f"python -m benchmarks.video --only PART --seconds {args.seconds:g}"
        f" --hours {args.hours:g} --fer-python PYTHON",
        "packages": {"EmoRec": versions(Path(sys.executable), _PACKAGES)},
        "films": {},
    } | kept(args)
    if args.fer_python:
        report["packages"]["fer"] = versions(args.fer_python, _FER_PACKAGES)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.films or Path(temporary)
        for part in FILMS if "films" in args.only else args.only:
            where = machine()
            if part == "analyze":
                report["analyze"] = where | measure_analyze(folder, args.seconds)
            elif part == "memory":
                report["memory"] = where | measure_memory(folder / "memory.mp4", args.hours)
            else:
                known = report["films"].get(part, {})
                made = measure_film(folder, part, args.seconds, args.fer_python)
                report["films"][part] = known | where | made
    report["films"] = {name: report["films"][name] for name in FILMS if name in report["films"]}
    return report


def measure_film(
    folder: Path, name: str, seconds: float, fer_python: Path | None
) -> dict[str, Any]:
    """Return what each program takes for a film, with an annotated video and without one."""
    path = film_in(folder, name, seconds)
    made: dict[str, Any] = {}
    for program, python in (("EmoRec", Path(sys.executable)), ("fer", fer_python)):
        if python is not None:
            made[program] = worker(python, program, path)
            made[f"{program} without video"] = worker(python, f"{program} without video", path)
    return {"load_after": [round(load, 2) for load in os.getloadavg()]} | made


def film_in(folder: Path, name: str, seconds: float) -> Path:
    """Return one of `FILMS`, written there unless it is there."""
    path = folder / f"{name}.mp4"
    return path if path.exists() else write_film(path, name, seconds)


def write_film(path: Path, name: str, seconds: float) -> Path:
    """Write one of `FILMS`."""
    from testkit.frames import FPS, Workload

    return write(path, Workload(name, *FILMS[name]), seconds, FPS)


def write(path: Path, workload: Any, seconds: float, fps: int) -> Path:
    """Write a film of this workload and length, its first two seconds again and again."""
    from emorec.media.video_writer import VideoWriter
    from testkit.frames import FPS, sequence

    frames, _ = sequence(workload, 2 * FPS)
    with VideoWriter(path) as writer:
        for number, frame in enumerate(islice(cycle(frames), round(seconds * fps))):
            writer.write(frame, number / fps)
    return path


def worker(python: Path, name: str, film: Path) -> dict[str, Any]:
    """Read a film by a program in a process of its own."""
    told: dict[str, Any] = json.loads(
        run(python, ["-m", "benchmarks.video", "--worker", name, str(film)])
    )
    return told


def emorec_worker(film: Path, annotated: bool) -> dict[str, Any]:
    """Do to a film what `emorec video` does, with ``--out DIR`` if annotated."""
    from emorec import EmotionRecognizer
    from emorec.calibration.baseline import Baselines
    from emorec.media.files import ResultFolder
    from emorec.pipeline.schedule import READINGS_PER_S
    from emorec.rows import header
    from emorec.videos.overlap import InThread
    from emorec.videos.reading import VideoReport, read_video
    from emorec.videos.results import VideoResults

    recognizer = EmotionRecognizer()
    about = header(recognizer.model, recognizer.settings)

    def read(out: Path, end_s: float) -> VideoReport:
        reader = recognizer.reader("file", calibrate=Baselines())
        if not annotated:
            return read_video(film, reader, end_s=end_s, overlap=True)
        folder = ResultFolder(out, [film])
        results = VideoResults(folder, film, "label", 1 / READINGS_PER_S, about)
        sinks = [InThread(results)]
        report = read_video(
            film, reader, sinks, end_s=end_s, overlap=True, timeline=results.timeline
        )
        if failures := results.finish(report):
            raise SystemExit(failures[0])
        return report

    with tempfile.TemporaryDirectory() as out:
        read(Path(out), _WARM_S)
        began_s, spent_s = time.monotonic(), time.process_time()
        report = read(Path(out), float("inf"))
        took_s, spent_s = time.monotonic() - began_s, time.process_time() - spent_s
    return told(took_s, spent_s, report.frames, report.summary.most_at_once)


def fer_worker(film: Path, annotated: bool) -> dict[str, Any]:
    """Read a film by `fer`."""
    import contextlib

    import cv2
    from fer.classes import Video
    from fer.fer import FER

    # It asks for a key after every frame, which OpenCV without windows refuses.
    cv2.waitKey = lambda delay=0: -1
    cv2.destroyAllWindows = lambda: None
    detector = FER()

    def read(out: str, frames: int) -> list[dict[str, Any]]:
        return Video(str(film), outdir=out).analyze(
            detector,
            display=False,
            save_frames=False,
            save_video=annotated,
            annotate_frames=annotated,
            zip_images=False,
            max_results=frames,
        )

    with (
        tempfile.TemporaryDirectory() as out,
        contextlib.chdir(out),  # it writes data.csv there
        contextlib.redirect_stdout(sys.stderr),
    ):
        read(out, _WARM_FRAMES)
        began_s, spent_s = time.monotonic(), time.process_time()
        rows = read(out, _FER_FRAMES)
        took_s, spent_s = time.monotonic() - began_s, time.process_time() - spent_s
        faces = max(sum(name.startswith("box") for name in row) for row in rows)
    return told(took_s, spent_s, len(rows), faces)


def analyze_worker(film: Path) -> dict[str, Any]:
    """Do to a film what a worker of `emorec analyze` does with its second video."""
    from emorec import Settings
    from emorec.batch.inputs import tasks
    from emorec.batch.store import Store
    from emorec.batch.work import Job, work
    from emorec.pipeline.schedule import READINGS_PER_S

    (task,) = tasks([film], {})
    for _ in range(2):  # the first loads the network
        with tempfile.TemporaryDirectory() as out:
            Store(Path(out)).open({}, resume=False)
            job = Job(Path(out), Settings(), READINGS_PER_S, float("inf"))
            began_s, spent_s = time.monotonic(), time.process_time()
            outcome = work(task, job)
            took_s, spent_s = time.monotonic() - began_s, time.process_time() - spent_s
            if outcome.read != 1:
                raise SystemExit(f"{film}: {outcome}")
            (record,) = Store(Path(out)).done()
    return told(took_s, spent_s, record["frames"], record["most_at_once"])


WORKERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "EmoRec": partial(emorec_worker, annotated=True),
    "EmoRec without video": partial(emorec_worker, annotated=False),
    "fer": partial(fer_worker, annotated=True),
    "fer without video": partial(fer_worker, annotated=False),
    "analyze": analyze_worker,
}


def told(took_s: float, spent_s: float, frames: int, faces: int) -> dict[str, Any]:
    """Return what is kept of a film that was read."""
    length_s = frames / 30  # `testkit.frames.FPS`
    return {
        "real_time_factor": round(length_s / took_s, 3),
        "processor_s_a_second": round(spent_s / length_s, 3),
        "frames": frames,
        "faces": faces,
        "peak_mb": round(peak_mb()),
    }


def measure_analyze(folder: Path, seconds: float) -> dict[str, Any]:
    """Return the processor seconds of a worker for each second of the films."""
    made = {}
    for name in FILMS:
        path = film_in(folder, name, seconds)
        made[name] = worker(Path(sys.executable), "analyze", path)["processor_s_a_second"]
    return {"processor_s_a_second": made}


def measure_memory(film: Path, hours: float) -> dict[str, Any]:
    """Return the peak memory over a minute and over some hours."""
    from testkit.frames import Workload

    workload = Workload("320x240-1", (320, 240), (1, 1), 100)
    peaks = {}
    for seconds in (60.0, 3600 * hours):
        write(film, workload, seconds, _MEMORY_FPS)
        made = worker(Path(sys.executable), "EmoRec", film)
        peaks[f"{seconds:g}"] = {name: made[name] for name in ("frames", "peak_mb")}
    return {"size": list(workload.size_wh), "fps": _MEMORY_FPS, "peaks_by_seconds": peaks}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    heads = ["picture and faces", "annotated video", "EmoRec, times as fast as it plays"]
    heads += ["processor seconds a second", "most faces", "`fer`", "processor seconds a second"]
    heads += ["most faces", "EmoRec / `fer`"]
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'--:|' * 7}"]
    for name, film in report["films"].items():
        for said, ending in (("yes", ""), ("no", " without video")):
            own, fer = film.get(f"EmoRec{ending}"), film.get(f"fer{ending}")
            if own is None:
                continue
            cells = [said, *_figures(own), *(_figures(fer) if fer else ["", "", ""])]
            ratio = own["real_time_factor"] / fer["real_time_factor"] if fer else None
            cells.append(f"{ratio:.1f}" if ratio else "")
            lines.append(f"| {name} | {' | '.join(cells)} |")
    if analyze := report.get("analyze"):
        spent = " · ".join(f"{n}: {s:.2f}" for n, s in analyze["processor_s_a_second"].items())
        lines += ["", f"A worker of `emorec analyze`, processor seconds a second: {spent}."]
    if memory := report.get("memory"):
        peaks = " · ".join(
            f"{float(s) / 60:g} min: {peak['peak_mb']} MB"
            for s, peak in memory["peaks_by_seconds"].items()
        )
        width, height = memory["size"]
        lines += ["", f"Peak memory, film of {width}×{height}, {memory['fps']} frames/s: {peaks}."]
    return "\n".join(lines)


def _figures(made: dict[str, Any]) -> list[str]:
    spent = f"{made['processor_s_a_second']:.2f}"
    return [f"{made['real_time_factor']:.2f}", spent, str(made["faces"])]


if __name__ == "__main__":
    main()
