"""How fast `emorec video` reads video files, beside the package `fer`; and its peak memory.

    python -m benchmarks.video --only 1280x720-9 [--fer-python PATH] [--seconds 3] --out FILE
    python -m benchmarks.video --only analyze --out FILE
    python -m benchmarks.video --only memory [--hours 2] --out FILE
    python -m benchmarks.video --show FILE

Each call measures one film, or the memory, and adds the numbers to FILE: so each is short enough to
have the machine to itself. A film shows copies of one portrait (`testkit.frames`) at 30 frames a
second, as H.264. Each program reads it in its own process and writes an annotated video. EmoRec
also writes all else that `emorec video --out DIR` does; `fer` runs its `Video.analyze`, without the
JPEG file of every frame, over the first 15 frames: a frame takes it the same time throughout. The
real-time factor is the length of what was read over the time from the opened program, its network
loaded, to its last result. `fer` searches and reads every face in every frame; EmoRec follows faces
from frame to frame and reads each five times a second, its default. A call without --fer-python
keeps what FILE says of `fer`, so that EmoRec alone can be measured again.

``analyze`` measures the processor time of a worker of `emorec analyze`, which has one thread and
writes no video, on the films of 1280×720.

The memory is the peak resident size of the process that reads a film of ``--hours``, beside that of
a minute of the same film: 320×240, 2 frames a second, one face, all results written.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks.machine import machine, run, versions
from benchmarks.report import add_options, deliver, kept

_MEMORY_FPS = 2
_FER_FRAMES = 15
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
    parser.add_argument("--only", choices=(*FILMS, "analyze", "memory"), help="the part to measure")
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
        parser.error("name the part to measure: --only")
    deliver(args, lambda: measure(args), tables)


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure one part, and return it with the parts that the file has already."""
    report = kept(args)
    where = machine()
    report = {
        "command": f"python -m benchmarks.video --only PART --seconds {args.seconds:g}"
        f" --hours {args.hours:g} --fer-python PYTHON",
        "packages": {"EmoRec": versions(Path(sys.executable), _PACKAGES)},
        "films": {},
    } | report
    if args.only == "analyze":
        report["analyze"] = where | measure_analyze(args.films, args.seconds)
        return report
    with tempfile.TemporaryDirectory() as folder:
        path = (args.films or Path(folder)) / f"{args.only}.mp4"
        if args.only == "memory":
            report["memory"] = where | measure_memory(path, args.hours)
            return report
        if not path.exists():
            write_film(path, args.only, args.seconds)
        known_film = report["films"].get(args.only, {})
        made = {"EmoRec": worker(Path(sys.executable), "emorec", path)}
        made |= {name: known_film[name] for name in ("fer",) if name in known_film}
        if args.fer_python:
            made["fer"] = worker(args.fer_python, "fer", path)
            report["packages"]["fer"] = versions(args.fer_python, _FER_PACKAGES)
    load_after = [round(load, 2) for load in os.getloadavg()]
    report["films"][args.only] = where | {"load_after": load_after} | made
    report["films"] = {name: report["films"][name] for name in FILMS if name in report["films"]}
    return report


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


def emorec_worker(film: Path) -> dict[str, Any]:
    """Do to a film what `emorec video --out DIR` does once the network is loaded."""
    from emorec import EmotionRecognizer
    from emorec.calibration.baseline import Baselines
    from emorec.media.files import ResultFolder
    from emorec.pipeline.schedule import READINGS_PER_S
    from emorec.rows import header
    from emorec.videos.overlap import InThread
    from emorec.videos.reading import read_video
    from emorec.videos.results import VideoResults

    recognizer = EmotionRecognizer()
    about = header(recognizer.model, recognizer.settings)
    with tempfile.TemporaryDirectory() as out:
        began_s, spent_s = time.monotonic(), time.process_time()
        folder = ResultFolder(Path(out), [film])
        results = VideoResults(folder, film, "label", 1 / READINGS_PER_S, about)
        reader = recognizer.reader("file", calibrate=Baselines())
        report = read_video(film, reader, [InThread(results)], ahead=True)
        if failures := results.finish(report):
            raise SystemExit(failures[0])
        took_s, spent_s = time.monotonic() - began_s, time.process_time() - spent_s
    return told(took_s, spent_s, report.frames, report.summary.most_at_once)


def fer_worker(film: Path) -> dict[str, Any]:
    """Read a film by `fer`."""
    import contextlib

    import cv2
    from fer.classes import Video
    from fer.fer import FER

    # It asks for a key after every frame, which OpenCV without windows refuses.
    cv2.waitKey = lambda delay=0: -1
    cv2.destroyAllWindows = lambda: None
    detector = FER()
    with (
        tempfile.TemporaryDirectory() as out,
        contextlib.chdir(out),  # it writes data.csv there
        contextlib.redirect_stdout(sys.stderr),
    ):
        video = Video(str(film), outdir=out)
        began_s, spent_s = time.monotonic(), time.process_time()
        rows = video.analyze(
            detector, display=False, save_frames=False, zip_images=False, max_results=_FER_FRAMES
        )
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


WORKERS = {"emorec": emorec_worker, "fer": fer_worker, "analyze": analyze_worker}


def told(took_s: float, spent_s: float, frames: int, faces: int) -> dict[str, Any]:
    """Return what is kept of a film that was read."""
    length_s = frames / 30  # `testkit.frames.FPS`
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "real_time_factor": round(length_s / took_s, 3),
        "processor_s_a_second": round(spent_s / length_s, 3),
        "frames": frames,
        "faces": faces,
        "peak_mb": round(peak_kb / 1024),
    }


def measure_analyze(films: Path | None, seconds: float) -> dict[str, Any]:
    """Return the processor seconds of a worker for each second of the films of 1280×720."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in FILMS:
            if name.startswith("1280x720"):
                path = (films or Path(folder)) / f"{name}.mp4"
                if not path.exists():
                    write_film(path, name, seconds)
                made[name] = worker(Path(sys.executable), "analyze", path)["processor_s_a_second"]
    return {"processor_s_a_second": made}


def measure_memory(film: Path, hours: float) -> dict[str, Any]:
    """Return the peak memory over a minute and over some hours."""
    from testkit.frames import Workload

    workload = Workload("320x240-1", (320, 240), (1, 1), 100)
    peaks = {}
    for seconds in (60.0, 3600 * hours):
        write(film, workload, seconds, _MEMORY_FPS)
        made = worker(Path(sys.executable), "emorec", film)
        peaks[f"{seconds:g}"] = {name: made[name] for name in ("frames", "peak_mb")}
    return {"size": list(workload.size_wh), "fps": _MEMORY_FPS, "peaks_by_seconds": peaks}


def tables(report: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    heads = ["picture and faces", "EmoRec, times as fast as it plays"]
    heads += ["processor seconds a second", "most faces", "`fer`", "most faces", "EmoRec / `fer`"]
    lines = [f"| {' | '.join(heads)} |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, film in report["films"].items():
        own, fer = film["EmoRec"], film.get("fer")
        cells = [f"{own['real_time_factor']:.2f}", f"{own['processor_s_a_second']:.2f}"]
        cells.append(str(own["faces"]))
        if fer:
            ratio = own["real_time_factor"] / fer["real_time_factor"]
            cells += [f"{fer['real_time_factor']:.2f}", str(fer["faces"]), f"{ratio:.1f}"]
        else:
            cells += ["", "", ""]
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


if __name__ == "__main__":
    main()
