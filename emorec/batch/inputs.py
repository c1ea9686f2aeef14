"""From the arguments of the command line to tasks: one video each, or a block of photos."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emorec.errors import EmorecError, ImageError
from emorec.media.files import VIDEO_SUFFIXES
from emorec.media.photo import SUFFIXES

Kind = Literal["video", "photo"]

PHOTOS = 64
"""Photos a task: at 0.1 s each, Dask's own cost of 1 ms a task does not count, and a worker that is
killed loses a few seconds."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file to read.

    Attributes:
        path: absolute, so that workers on other machines find it on a shared disk.
        size: in bytes; -1 if the file cannot be looked at.
    """

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker reads at a time.

    Attributes:
        kind: of its files.
        files: one video, or some photos.
        done: hashes of the files of these sizes that are done: a file with one is left out.
    """

    kind: Kind
    files: tuple[Input, ...]
    done: frozenset[str]


def found(given: Sequence[Path], out: Path) -> tuple[list[Path], list[EmorecError]]:
    """Return the files that the arguments name, sorted, and an error for each that names none.

    A folder stands for all videos and photos in it and in its folders; hidden ones are left out.

    Args:
        given: files and folders.
        out: the folder of the results, which is left out.
    """
    paths: dict[Path, None] = {}
    errors: list[EmorecError] = []
    for each in given:
        if not each.is_dir():
            paths[each.absolute()] = None
            continue
        inside = sorted(_inside(each.absolute(), out.absolute()))
        if not inside:
            errors.append(ImageError(f"{each}: no video and no photo is in this folder."))
        paths |= dict.fromkeys(inside)
    return list(paths), errors


def tasks(paths: Sequence[Path], done: Mapping[int, Collection[str]]) -> Iterator[Task]:
    """Yield the tasks: the videos first, as they take longest, the largest of them first.

    Args:
        paths: of the files.
        done: hashes of the files that are done, by their sizes.
    """
    photos = [path for path in paths if path.suffix.lower()[1:] in SUFFIXES]
    videos = [_input(path) for path in set(paths).difference(photos)]
    for video in sorted(videos, key=lambda each: (-each.size, each.path)):
        yield _task("video", [video], done)
    for start in range(0, len(photos), PHOTOS):
        yield _task("photo", [_input(path) for path in photos[start : start + PHOTOS]], done)


def alone(task: Task) -> Iterator[Task]:
    """Yield a task for each file of a task."""
    for file in task.files:
        yield Task(task.kind, (file,), task.done)


def _task(kind: Kind, files: Sequence[Input], done: Mapping[int, Collection[str]]) -> Task:
    hashes = frozenset(sha for each in files for sha in done.get(each.size, ()))
    return Task(kind, tuple(files), hashes)


def _input(path: Path) -> Input:
    try:
        return Input(path, path.stat().st_size)
    except OSError:  # the worker says why
        return Input(path, -1)


def _inside(folder: Path, out: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and Path(root, name) != out
        ]
        for name in names:
            suffix = Path(name).suffix.lower()[1:]
            if suffix in (*VIDEO_SUFFIXES, *SUFFIXES) and not name.startswith("."):
                yield Path(root, name)
