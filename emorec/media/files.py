"""Which files an argument names, and where what was made from them goes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from glob import glob
from pathlib import Path

from emorec.errors import ImageError
from emorec.media.photo import SUFFIXES

_NAME_BYTES = 255 - len("_emorec_99999.png")  # of 255, which most file systems allow


def picture_files(given: Path) -> list[Path]:
    """Return the files that an argument names, sorted.

    A folder names the pictures directly inside. A pattern names what it matches, where no file is
    called so: on Windows no shell expands it. Anything else names itself, even where it is missing.

    Raises:
        ImageError: there is none, or the folder cannot be read.
    """
    try:
        if given.is_dir():
            found = [path for path in given.iterdir() if path.suffix.lower()[1:] in SUFFIXES]
            found = [path for path in found if not path.name.startswith(".") and path.is_file()]
        elif _glob_like(given) and not given.exists():
            # Path.glob takes no pattern that begins at the root.
            names = glob(str(given))  # noqa: PTH207
            found = [path for path in map(Path, names) if path.is_file()]
        else:
            return [given]
    except OSError as error:
        raise ImageError(f"{given}: cannot be read ({error.strerror or error}).") from None
    if not found and given.is_dir():
        raise ImageError(f"{given}: no picture is in this folder ({', '.join(SUFFIXES)}).")
    if not found:
        raise ImageError(f"{given}: no file has such a name.")
    return sorted(found)


def _glob_like(path: Path) -> bool:
    """Return whether a path holds what a shell would expand."""
    return any(sign in str(path) for sign in "*?[")


class ResultFolder:
    """A folder that receives what is made of each input; nothing that was there is lost.

    ``NAME.jpg`` gives ``NAME_emorec.png``, or where that is taken ``NAME_emorec_2.png`` and so on.

    Args:
        folder: is made where it is missing.
        inputs: the files that are read: never overwritten.
        overwrite: whether results of former runs are.

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
        """Write the PNG of a picture and return where.

        Raises:
            ImageError: it cannot be written; nothing of it is left.
        """
        (path,) = self.reserve(picture, "png")
        try:
            with path.open("wb") as file:
                file.write(data)
        except OSError as error:  # a full disk, say
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
            # One count for A and a: macOS and Windows take A.png and a.png for one file.
            self._tried[stem.casefold()] += 1
            number = self._tried[stem.casefold()]
            name = f"{stem}_emorec{f'_{number}' if number > 1 else ''}"
            paths = [self._folder / f"{name}.{suffix}" for suffix in suffixes]
            if not self._inputs.isdisjoint(map(_identity, paths)):
                continue
            made: list[Path] = []
            try:
                for path in paths:
                    # Made in one step, or refused: another run may write here too.
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
    # Path.resolve() raises where links go in a circle.
    return os.path.realpath(path).casefold()


def _shortened(stem: str) -> str:
    while len(os.fsencode(stem)) > _NAME_BYTES:
        stem = stem[:-1]
    return stem


def _unwritable(path: Path, error: OSError) -> ImageError:
    return ImageError(f"{path}: cannot be written ({error.strerror or error}).")
