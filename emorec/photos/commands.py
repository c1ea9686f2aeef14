"""`emorec photo IMAGE…`: lines or JSON, and annotated pictures; nothing heavy is loaded before."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from emorec.errors import EmorecError
from emorec.options import add_detector, chosen_settings
from emorec.percent import percent
from emorec.terminal import output_lost, plain, print_error, print_line

if TYPE_CHECKING:
    from emorec.people.matching import PhotoNames
    from emorec.records import Face, FrameResult

_DASH = Path("-")


def add_parser(commands: Any) -> None:
    """Add ``photo`` to the object that ``add_subparsers`` returned."""
    add = commands.add_parser("photo", help="read the faces of some pictures")
    add.add_argument(
        "images",
        nargs="*",
        type=Path,
        metavar="IMAGE",
        help="a file, a folder of pictures, a pattern as '*.jpg', or - for standard input",
    )
    add.add_argument("--out", type=Path, metavar="DIR", help="write the annotated pictures there")
    add.add_argument(
        "--overwrite",
        action="store_true",
        help="replace existing results in DIR; otherwise a new name gets a number",
    )
    add.add_argument(
        "--bars",
        action="store_true",
        help="draw the seven probabilities too, beside each face where there is room",
    )
    add.add_argument(
        "--json", action="store_true", help="print one JSON object per picture and line"
    )
    add.add_argument("--names", action="store_true", help="show the names of people enrolled")
    add_detector(add)
    add.set_defaults(command=photo, wrong=add.error)


def photo(args: argparse.Namespace) -> int:
    """Read the faces of pictures; a picture that cannot be read does not stop the others."""
    if not args.images:
        args.wrong("name the pictures to read, as in `emorec photo me.jpg`, a folder of them, or -")
    if args.overwrite and not args.out:
        args.wrong("--overwrite needs --out DIR")
    if args.bars and not args.out:
        args.wrong("--bars needs --out DIR")
    from emorec.drawing.overlay import draw_faces
    from emorec.media.files import ResultFolder
    from emorec.media.photo import encode_png, one_picture, open_photo
    from emorec.pipeline.smallest import notes
    from emorec.recognizer import EmotionRecognizer
    from emorec.rows import picture_object

    paths, code = _pictures(args.images)
    results = ResultFolder(args.out, paths, args.overwrite) if args.out else None
    settings = chosen_settings(args)
    names = _names() if args.names else None
    reader = EmotionRecognizer(settings=settings).reader("picture", names=names)
    for path in paths:
        title = "standard input" if path == _DASH else str(path)
        try:
            with one_picture(title):
                picture = open_photo(_standard_input() if path == _DASH else path, title)
                result = reader.read(picture.image_bgr)
            if picture.note:
                print_line(f"{title}: holds {picture.note}")
            for note in notes(result):
                print_line(f"{title}: {note}")
            if args.json:
                text = json.dumps(picture_object(str(path), result, args.names), allow_nan=False)
            else:
                text = _readable(str(path), result)
            try:
                print(text, flush=True)
            except OSError as error:
                if results is None:
                    raise
                code = max(code, output_lost(error))  # go on: the pictures are still written
            if results:
                with one_picture(title):
                    drawn = draw_faces(
                        picture.image_bgr, result.faces, "all" if args.bars else "label"
                    )
                    results.write(path, encode_png(drawn))
        except EmorecError as error:
            code = print_error(error)
    return code


def _standard_input() -> BinaryIO | bytes:
    return b"" if sys.stdin is None else sys.stdin.buffer  # None: it is closed


def _pictures(given: Sequence[Path]) -> tuple[list[Path], int]:
    """Return the files that the arguments name, and the exit code so far."""
    from emorec.media.files import picture_files

    paths, code = [], 0
    for path in given:
        try:
            paths += [path] if path == _DASH else picture_files(path)
        except EmorecError as error:
            code = print_error(error)
    return paths, code


def _readable(file: str, result: FrameResult) -> str:
    """Return one line for each face of a photo, or one line that says there is no face."""
    file = plain(file)
    if not result.faces:
        return f"{file}: no face found"
    return "\n".join(
        f"{file}: face {face.track_id}, {_described(face)}, at {', '.join(map(str, face.box))}"
        for face in result.faces
    )


def _described(face: Face) -> str:
    name = f"{face.name}, " if face.name else ""
    says = f"{name}{face.says}"
    return f"{says} {percent(face.confidence)}" if face.classified else says


def _names() -> PhotoNames:
    """Return the object that names the faces of photos."""
    from emorec.people.commands import recognition
    from emorec.people.matching import PhotoNames

    return PhotoNames(*recognition())
