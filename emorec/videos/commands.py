"""`emorec video FILE…`: annotated videos and tables; nothing heavy is loaded before it runs."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from emorec.errors import EmorecError, ImageError
from emorec.options import add_detector, chosen_settings
from emorec.percent import percent
from emorec.pipeline.schedule import READINGS_PER_S
from emorec.terminal import plain, print_error, print_line

if TYPE_CHECKING:
    from emorec.drawing.overlay import Show
    from emorec.reading import Sink
    from emorec.videos.reading import VideoReport


def add_parser(commands: Any) -> None:
    """Add ``video`` to the object that ``add_subparsers`` returned."""
    add = commands.add_parser("video", help="read the faces of some videos")
    add.add_argument("videos", nargs="+", type=Path, metavar="FILE")
    add.add_argument(
        "--out", type=Path, metavar="DIR", help="write annotated videos and tables there"
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
    add.add_argument(
        "--blur", action="store_true", help="make all faces of the annotated video unrecognisable"
    )
    add_detector(add)
    add.set_defaults(command=video, wrong=add.error)


def video(args: argparse.Namespace) -> int:
    """Read the faces of videos; a video that cannot be read does not stop the others."""
    if (args.blur or args.overwrite) and not args.out:
        args.wrong("--blur and --overwrite need --out DIR")
    if args.to is not None and args.to <= args.start:
        args.wrong("--to must be later than --from")
    from emorec.drawing.video import AnnotatedVideo
    from emorec.media.files import ResultFolder
    from emorec.recognizer import EmotionRecognizer
    from emorec.rows import CsvSink, header, json_line, to_json
    from emorec.videos.reading import read_video

    results = ResultFolder(args.out, args.videos, args.overwrite) if args.out else None
    settings = replace(chosen_settings(args), cautious=args.blur)
    recognizer = EmotionRecognizer(settings=settings)
    rate = 1000.0 if args.every_frame else READINGS_PER_S
    code = 0
    for path in args.videos:
        made: list[Path] = []
        report, whole = None, False
        try:
            with ExitStack() as files:
                sinks: list[Sink] = []
                if results:
                    made = results.reserve(path, "mp4", "csv", "json")
                    show: Show = "blur" if args.blur else "label"
                    table = made[1].open("w", encoding="utf-8", newline="")
                    sinks = [
                        AnnotatedVideo(made[0], show, path, args.start),
                        CsvSink(files.enter_context(table), 1 / rate),
                    ]
                report = read_video(
                    path,
                    recognizer.reader("file", readings_per_s=rate),
                    sinks,
                    args.start,
                    float("inf") if args.to is None else args.to,
                    _Progress(path),
                )
                if made:
                    about = header(recognizer.model, settings)
                    made[2].write_text(to_json(about, video=report), encoding="utf-8")
                whole = True
        except EmorecError as error:
            code = print_error(error)
        except OSError as error:  # of the table or its header, for example a full disk
            code = print_error(ImageError(f"{args.out}: cannot be written ({error.strerror})."))
        finally:
            if not whole:
                for file in made:
                    file.unlink(missing_ok=True)
        if report is None or not whole:
            continue
        if report.broken:
            print_line(f"{path}: {report.broken} broken parts of it were skipped.")
        print(json_line(report) if args.json else _video_in_words(report), flush=True)
    return code


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
    """Shows on a terminal, once a second, how far a video is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began_s = self._shown_s = monotonic()
        self._first_s: float | None = None
        self._shows = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, time_s: float) -> None:
        now_s = monotonic()
        self._first_s = time_s if self._first_s is None else self._first_s
        if self._shows and now_s - self._shown_s >= 1:
            self._shown_s = now_s
            speed = (time_s - self._first_s) / (now_s - self._began_s)
            line = f"{self._path}: {time_s:.0f} s read, {speed:.1f} times as fast as it plays"
            sys.stderr.write(f"\r{plain(line)}\r")
            sys.stderr.flush()


def _video_in_words(report: VideoReport) -> str:
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
