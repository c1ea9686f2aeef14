"""The files that a command-line argument names, and the folder that results are written to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from glob import glob
from pathlib import Path

from emorec.errors import ImageError
from emorec.media.photo import SUFFIXES

VIDEO_SUFFIXES = (
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv", "asf"),
    *("flv", "3gp", "3g2", "ogv", "mxf", "mjpeg", "mjpg"),
)

_NAME_BYTES = 255 - len("_emorec_99999.png")  # most file systems allow names of 255 bytes


def picture_files(given: Path) -> list[Path]:
    """Return the pictures that an argument names, sorted; `_files` says which.

    Raises:
        ImageError: no picture was found, or the folder cannot be read.
    """
    return _files(given, SUFFIXES, "picture")


def video_files(given: Path) -> list[Path]:
    """Return the videos that an argument names, sorted; `_files` says which.

    Raises:
        ImageError: no video was found, or the folder cannot be read.
    """
    return _files(given, VIDEO_SUFFIXES, "video")


def _files(given: Path, suffixes: Sequence[str], kind: str) -> list[Path]:
    """Return the files of one kind that an argument names, sorted.

    A folder stands for the files of the kind directly inside it. A pattern stands for the files it
    matches, unless a file has exactly that name (on Windows the shell expands no patterns).
    Anything else stands for itself, even if the file is missing.
    """
    try:
        if given.is_dir():
            found = [path for path in given.iterdir() if path.suffix.lower()[1:] in suffixes]
            found = [path for path in found if not path.name.startswith(".") and path.is_file()]
        elif _glob_like(given) and not given.exists():
            # Path.glob refuses absolute patterns.
            names = glob(str(given))  # noqa: PTH207
            found = [path for path in map(Path, names) if path.is_file()]
        else:
            return [given]
    except OSError as error:
        raise ImageError(f"{given}: cannot be read ({error.strerror or error}).") from None
    if not found and given.is_dir():
        raise ImageError(f"{given}: no {kind} is in this folder ({', '.join(suffixes)}).")
    if not found:
        raise ImageError(f"{given}: no file has such a name.")
    return sorted(found)


def _glob_like(path: Path) -> bool:
    """Return whether a path contains wildcards."""
    return any(wildcard in str(path) for wildcard in "*?[")


class ResultFolder:
    """A folder that receives the results of each input; existing files are not overwritten.

    ``NAME.jpg`` gives ``NAME_emorec.png``; if that exists, ``NAME_emorec_2.png`` and so on.

    Args:
        folder: is made if it is missing.
        inputs: the files that are read; they are never overwritten.
        overwrite: True: results of earlier runs are overwritten.

    Raises:
        ImageError: the folder cannot be made.
    """

    def __init__(self, folder: Path, inputs: Iterable[Path], overwrite: bool = False) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from None
        self._folder = folder
        self._inputs = {_identity(path) for path in inputs}
        self._mode = "wb" if overwrite else "xb"
        self._tried: Counter[str] = Counter()

    def write(self, picture: Path, data: bytes) -> Path:
        """Write the PNG of a picture and return its path.

        Raises:
            ImageError: it cannot be written; no partial file is left.
        """
        (path,) = self.reserve(picture, "png")
        try:
            with path.open("wb") as file:
                file.write(data)
        except OSError as error:  # for example a full disk
            path.unlink(missing_ok=True)
            raise _unwritable(path, error) from None
        return path

    def reserve(self, source: Path, *suffixes: str) -> list[Path]:
        """Make an empty file for each suffix, all under one name, and return them.

        Raises:
            ImageError: one cannot be made; none of them is left.
        """
        stem = _shortened("standard-input" if str(source) == "-" else source.stem)
        while True:
            # A and a share one count: on macOS and Windows A.png and a.png are the same file.
            self._tried[stem.casefold()] += 1
            number = self._tried[stem.casefold()]
            name = f"{stem}_emorec{f'_{number}' if number > 1 else ''}"
            paths = [self._folder / f"{name}.{suffix}" for suffix in suffixes]
            if not self._inputs.isdisjoint(map(_identity, paths)):
                continue
            made: list[Path] = []
            try:
                for path in paths:
                    # "x" makes the file only if it does not exist, in one step: another run of
                    # EmoRec may write to the same folder.
                    path.open(self._mode).close()
                    made.append(path)
            except OSError as error:
                for other in made:
                    other.unlink(missing_ok=True)
                if not isinstance(error, FileExistsError):
                    raise _unwritable(path, error) from None
                continue
            return paths


def _identity(path: Path) -> str:
    # Path.resolve() raises for symbolic links that form a loop.
    return os.path.realpath(path).casefold()


def _shortened(stem: str) -> str:
    while len(os.fsencode(stem)) > _NAME_BYTES:
        stem = stem[:-1]
    return stem


def _unwritable(path: Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: cannot be written ({error.strerror or error}).")
