"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emorec.errors import TrainingError


def replace_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Write a file so that a crash or a full disk leaves the previous one as it was.

    Args:
        file: to replace.
        write: takes a path beside it, of the same suffix, and writes there. It must write by
            Python's own files: HDF5's library crashes the process some time after a full disk.

    Raises:
        TrainingError: it cannot be written.
    """
    part = file.with_name(f"part.{file.name}")
    try:
        write(part)
        with part.open("r+b") as done:
            os.fsync(done.fileno())
        part.replace(file)
    except OSError as error:
        raise TrainingError(
            f"{file}: cannot be written ({error.strerror or error}); the one before it is kept."
            " A run goes on from there with --resume."
        ) from error
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def arrays_of(file: Path) -> Iterator[Mapping[str, npt.NDArray]]:
    """Open the arrays of an ``.npz`` file.

    Raises:
        TrainingError: it is missing, damaged, or lacks what is asked of it.
    """
    try:
        with np.load(file) as arrays:
            yield arrays
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{file}: cannot be read ({error}).") from error
