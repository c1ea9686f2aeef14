"""`emorec video FILE…`: annotated videos and tables; nothing heavy is loaded before it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from emorec.errors import EmorecError, ImageError
from emorec.options import add_detector, add_no_baseline, chosen_settings, frame_rate
from emorec.percent import percent
from emorec.pipeline.schedule import READINGS_PER_S
from emorec.terminal import plain, print_error, print_line

if TYPE_CHECKING:
    from emorec.drawing.overlay import Show
    from emorec.media.files import ResultFolder
    from emorec.recognizer import EmotionRecognizer
    from emorec.videos.names import VideoNames
    from emorec.videos.reading import VideoReport


def add_parser(commands: Any) -> None:
    """Add ``video`` to the object that ``add_subparsers`` returned."""
    add = commands.add_parser("video", help="read the faces of some videos")
    add.add_argument(
        "videos",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a file, a folder of videos, or a pattern as '*.mp4'",
    )
    add.add_argument(
        "--out", type=Path, metavar="DIR", help="write annotated videos, tables and pictures there"
    )
    add.add_argument(
        "--overwrite", action="store_true", help="there, instead of adding a number to a name"
    )
    add.add_argument("--json", action="store_true", help="one JSON object a video, one a line")
    add.add_argument(
        "--from",
        dest="start",
        type=_moment,
        default=0.0,
        metavar="TIME",
        help="where to begin, in seconds or as 1:30",
    )
    add.add_argument("--to", type=_moment, metavar="TIME", help="where to end")
    add.add_argument(
        "--every-frame",
        action="store_true",
        help=f"read each face in every frame, not {READINGS_PER_S:.0f} times a second",
    )
    add_no_baseline(add)
    add.add_argument(
        "--blur", action="store_true", help="make all faces of the annotated video unrecognisable"
    )
    add.add_argument("--names", action="store_true", help="show the names of people enrolled")
    add.add_argument("--fps", type=frame_rate, metavar="N", help="read at most N frames a second")
    add.add_argument(
        "--zip", action="store_true", help="put all results of a video into one ZIP file"
    )
    add_detector(add)
    add.set_defaults(command=video, wrong=add.error)


def video(args: argparse.Namespace) -> int:
    """Read the faces of videos; a video that cannot be read does not stop the others."""
    _check(args)
    from emorec.media.files import ResultFolder, video_files
    from emorec.media.photo import one_picture
    from emorec.recognizer import EmotionRecognizer
    from emorec.rows import json_line

    paths, code = [], 0
    for given in args.videos:
        try:
            paths += video_files(given)
        except EmorecError as error:
            code = print_error(error)
    folder = ResultFolder(args.out, paths, args.overwrite) if args.out else None
    make_names = _names_of_a_video() if args.names else None
    recognizer = EmotionRecognizer(settings=replace(chosen_settings(args), cautious=args.blur))
    for path in paths:
        try:
            with one_picture(str(path)):
                report, failures = _read(path, recognizer, folder, args, make_names)
        except EmorecError as error:
            code = print_error(error)
            continue
        if report.broken:
            print_line(f"{path}: {report.broken} broken parts of it were skipped.")
        if report.missing_s:
            failures.append(
                f"{path}: ends {report.missing_s:.1f} s before the length that it states; it may be"
                " cut off."
            )
        for line in failures:
            print_line(line)
            code = 2
        print(json_line(report) if args.json else _in_words(report), flush=True)
    return code


def _check(args: argparse.Namespace) -> None:
    if (args.blur or args.names or args.overwrite or args.zip) and not args.out:
        args.wrong("--blur, --names, --overwrite and --zip need --out DIR")
    if args.blur and args.names:
        args.wrong("--blur makes faces unrecognisable, so --names cannot be used with it")
    if args.to is not None and args.to <= args.start:
        args.wrong("--to must be later than --from")


def _names_of_a_video() -> Callable[[], VideoNames]:
    """Return what makes the object that names the faces of one video."""
    from emorec.people.commands import recognition
    from emorec.videos.names import VideoNames

    return partial(VideoNames, *recognition())


def _read(
    path: Path,
    recognizer: EmotionRecognizer,
    folder: ResultFolder | None,
    args: argparse.Namespace,
    make_names: Callable[[], VideoNames] | None,
) -> tuple[VideoReport, list[str]]:
    """Return the report on a video, and a line for each result that could not be written."""
    from emorec.calibration.baseline import Baselines
    from emorec.rows import header
    from emorec.videos.overlap import InThread
    from emorec.videos.reading import read_video
    from emorec.videos.results import VideoResults

    rate = 1000.0 if args.every_frame else READINGS_PER_S
    results = None
    try:
        if folder:
            about = header(recognizer.model, recognizer.settings)
            about |= {"baseline": not args.no_baseline}
            show: Show = "blur" if args.blur else "label"
            results = VideoResults(folder, path, show, 1 / rate, about, args.start, args.zip)
        report = read_video(
            path,
            recognizer.reader(
                "file",
                names=make_names() if make_names else None,
                calibrate=None if args.no_baseline else Baselines(),
                readings_per_s=rate,
            ),
            [InThread(results)] if results else [],
            args.start,
            float("inf") if args.to is None else args.to,
            float("inf") if args.fps is None else args.fps,
            _Progress(path),
            overlap=True,
            timeline=results.timeline if results else None,
        )
        return report, results.finish(report) if results else []
    except BaseException as error:
        if results:
            results.discard()
        if isinstance(error, OSError):  # of a table, for example a full disk
            why = error.strerror or error
            raise ImageError(f"{args.out}: cannot be written ({why}).") from None
        raise


def _moment(text: str) -> float:
    """Return the seconds of a time like 90, 1:30 or 0:01:30.5."""
    parts = text.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    seconds = sum(number * 60**power for power, number in enumerate(reversed(numbers)))
    if not 1 <= len(numbers) <= 3 or min(numbers) < 0 or not seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"Expected a time like 90 or 1:30. Received {text!r}.")
    return seconds


class _Progress:
    """Shows on a terminal, once a second, how far a video is read and how long the rest takes."""

    def __init__(self, path: Path) -> None:
        from emorec.media.video import Video

        self._path = path
        self._began_s = self._shown_s = monotonic()
        self._first_s: float | None = None
        self._duration_s: float | None = None
        self._shows = sys.stderr is not None and sys.stderr.isatty()
        if self._shows:
            with Video(path) as video:
                self._duration_s = video.duration_s

    def __call__(self, time_s: float) -> None:
        now_s = monotonic()
        self._first_s = time_s if self._first_s is None else self._first_s
        if self._shows and now_s - self._shown_s >= 1:
            self._shown_s = now_s
            speed = (time_s - self._first_s) / (now_s - self._began_s)
            line = f"{self._path}: {time_s:.0f} s read, {speed:.1f} times as fast as it plays"
            if self._duration_s and speed > 0:
                line += f", {max(self._duration_s - time_s, 0) / speed:.0f} s left"
            sys.stderr.write(f"\r\033[K{plain(line)}\r")
            sys.stderr.flush()


def _in_words(report: VideoReport) -> str:
    """Return one line about a video."""
    summary = report.summary
    file = plain(report.file)
    if not summary.faces_seen:
        return f"{file}: {report.duration_s:.1f} s, no face read"
    told = [f"{report.duration_s:.1f} s", f"faces: {summary.faces_seen}"]
    told.append(f"at most {summary.most_at_once} at once")
    if summary.dominant is not None:
        told.append(f"mostly {summary.dominant} ({percent(summary.shares[summary.dominant])})")
    return f"{file}: {', '.join(told)}"
