"""The process that reads one uploaded video: ``python -m emorec.jobs.worker``.

It reads an order from its standard input, a line of JSON (`emorec.jobs.job.Order`), and tells how
far it is on its standard output, in lines of JSON; there it also asks who a face is
(`emorec.jobs.gallery`). It ends as soon as its standard input is closed, so it never outlives the
app. What comes from a stranger is decoded here, in a process of low
priority that has no secrets of the deployment, so that neither a hostile video nor a long one
harms the live visitors.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from emorec.calibration.baseline import Baselines
from emorec.errors import EmorecError
from emorec.jobs.gallery import AskedGallery
from emorec.jobs.results import base, write_session
from emorec.media.files import ResultFolder
from emorec.media.video import Video
from emorec.people.matching import Matcher
from emorec.pipeline.schedule import READINGS_PER_S
from emorec.recognizer import EmotionRecognizer
from emorec.records import FrameResult
from emorec.rows import Pace, header, json_line, to_json
from emorec.sessions import group
from emorec.sessions.downloads import write
from emorec.settings import Settings
from emorec.videos.names import VideoNames
from emorec.videos.overlap import InThread
from emorec.videos.reading import VideoReport, read_video, session_of_file
from emorec.videos.results import REPORT, VideoResults
from emorec.videos.session import report_on
from emorec.words import _, ask

_STEP_S = 0.5  # of the chart's finest steps
_TELL_S = 0.5
_DECODERS = 2  # each holds frames: at 7680 × 4320 pixels the process took 1.8 GB at its peak
_NICE = 19  # the lowest priority: live visitors come first
_MEMORY_BYTES = 4 * 2**30  # 8192 × 8192 pixels take 100 MB a frame, and decoders keep up to 16


class Curve:
    """A sink for the chart: the mean probabilities of all faces in view, twice a second.

    Args:
        least: moments in which fewer faces were read are left out.
    """

    def __init__(self, least: int = 1) -> None:
        self.new: list[list[float]] = []
        self._least = least
        self._pace = Pace(1 / READINGS_PER_S)
        self._step = -1
        self._probs: list[npt.NDArray[np.float32]] = []

    def __enter__(self) -> Self:
        return self

    def add(self, image_bgr: npt.NDArray[np.uint8], result: FrameResult) -> None:
        """Take the readings of one frame."""
        step = int(result.time_s / _STEP_S)
        if step != self._step:
            self._close_step()
            self._step = step
        probs = [face.probs for face in self._pace.due(result).faces if face.classified]
        if len(probs) >= self._least:
            self._probs += probs

    def __exit__(self, *why: object) -> None:
        self._close_step()

    def _close_step(self) -> None:
        if self._probs:
            self.new.append([self._step * _STEP_S, *np.mean(self._probs, axis=0).tolist()])
        self._probs = []


def main() -> int:
    """Read the video of the order, and return the exit code: 0 even if it cannot be read."""
    _be_modest()
    order = json.loads(sys.stdin.readline())
    ask(lambda: str(order["language"]))
    answers = SimpleQueue[str]()
    threading.Thread(target=_listen, args=(answers,), daemon=True).start()
    gallery = AskedGallery(lambda faces: _tell(match=faces), answers.get)
    source = Path(order["source"])
    try:
        _tell(done=_read(order, source, gallery))
    except EmorecError as error:
        _tell(error=str(error).replace(f"{source.parent}{os.sep}", ""))
    except OSError as error:  # of a table, for example on a full disk
        says = _("the results cannot be written ({why}).")
        _tell(error=says.format(why=error.strerror or error))
    return 0


def _read(order: dict[str, Any], source: Path, gallery: Matcher) -> dict[str, Any]:
    """Read the video, write the results beside it, and return the report as JSON holds it."""
    group_only = order["group_only"]
    with Video(source) as video:  # before the model is loaded: many files are no videos
        duration_s = video.duration_s
    recognizer = EmotionRecognizer(Path(order["model"]), Settings(**order["settings"]))
    about = header(recognizer.model, recognizer.settings) | {"baseline": True}
    curve = Curve(group.LEAST if group_only else 1)
    written = None
    if not group_only:
        folder = ResultFolder(source.parent, [source])
        written = VideoResults(folder, source, order["show"], 1 / READINGS_PER_S, about)
    timeline = written.timeline if written else session_of_file()
    told_s = monotonic()

    def progress(time_s: float) -> None:
        nonlocal told_s
        if monotonic() - told_s >= _TELL_S:
            told_s = monotonic()
            _tell(time_s=time_s, duration_s=duration_s, curve=curve.new)
            curve.new = []

    report = read_video(
        source,
        recognizer.reader("file", names=_names(order, gallery), calibrate=Baselines()),
        [curve, InThread(written)] if written else [curve],
        progress=progress,
        threads=_DECODERS,
        overlap=True,
        timeline=timeline,
    )
    report = replace(report, file=source.name)
    _tell(time_s=report.duration_s, duration_s=report.duration_s, curve=curve.new)
    session = report_on(timeline, source.name, about, group_only)
    write_session(source, session)
    if written is None:
        report = _totals(report)
        base(source).with_suffix(".json").write_text(to_json(about, video=report), encoding="utf-8")
        base(source).with_suffix(f".{REPORT}").write_bytes(write(session, REPORT))
        return {"report": json.loads(json_line(report)), "moments": [], "notes": []}
    notes = [line.replace(f"{source.parent}{os.sep}", "") for line in written.finish(report)]
    told = {"report": report, "moments": written.moments, "notes": notes}
    whole: dict[str, Any] = json.loads(json_line(told))
    return whole


def _names(order: dict[str, Any], gallery: Matcher) -> VideoNames | None:
    """Return what names the faces, where that is wanted and neither blur nor Group only forbids."""
    if not order["names"] or order["show"] == "blur" or order["group_only"]:
        return None
    from emorec.people.embedding import FaceEmbedder

    return VideoNames(FaceEmbedder(), gallery)


def _totals(report: VideoReport) -> VideoReport:
    """Return the report without the figures that would say what a single face shows."""
    summary = report.summary
    if summary.most_at_once >= group.LEAST:
        return report
    nothing = dict.fromkeys(summary.shares, 0.0)
    return replace(
        report, summary=replace(summary, shares=nothing, mean_valence=None, dominant=None)
    )


def _tell(**what: object) -> None:
    print(json_line(what), flush=True)  # noqa: T201 (the app reads it)


def _be_modest() -> None:
    """Take the lowest priority, and no more memory than a video needs."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    if hasattr(os, "SCHED_IDLE"):
        # A live visitor's thread that wakes takes the core at once, not after a time slice.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


def _listen(answers: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        answers.put(line)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
