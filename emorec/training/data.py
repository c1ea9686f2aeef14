"""Reads labelled faces, FER2013 and similar data, from a CSV file or a folder of images."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import DataError
from emorec.model.network import FACE_SIDE
from emorec.model.shown import FERPLUS_COLUMNS
from emorec.training.folders import Labelled, read_folder

log = logging.getLogger(__name__)

SPLITS = ("Training", "PublicTest", "PrivateTest")
_VOTE_COLUMNS = len(FERPLUS_EMOTIONS) + 2  # and "unknown", "NF" (no face)


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Faces of one split with what was said of them.

    Attributes:
        faces: uint8 of shape (n, 48, 48), grey.
        labels: int64 of shape (n,), indices into ``EMOTIONS``.
        votes: int64 of shape (n, 10), how many people chose each class of ``FERPLUS_EMOTIONS``,
            "unknown" and "no face"; None where there are no votes.
        taught: float32 of shape (n, views, 15), what teachers say of several views of each face:
            FER2013's probabilities, then FER+'s; None where there are no teachers.
        framings: float32 of shape (n, views, 4), where these views are cut
            (`emorec.training.distill`).
        people: text of shape (n,), whose face each is; None where that is not known of every face.
    """

    faces: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64] | None = None
    taught: npt.NDArray[np.float32] | None = None
    framings: npt.NDArray[np.float32] | None = None
    people: npt.NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray) -> FaceSet:
        """Return the faces of these rows (indices or a mask), in that order."""
        votes = None if self.votes is None else self.votes[rows]
        taught = None if self.taught is None else self.taught[rows]
        framings = None if self.framings is None else self.framings[rows]
        people = None if self.people is None else self.people[rows]
        return FaceSet(self.faces[rows], self.labels[rows], votes, taught, framings, people)

    @property
    def missing(self) -> list[str]:
        """The emotions of which there is no face."""
        return [name for i, name in enumerate(EMOTIONS) if not (self.labels == i).any()]

    def ferplus_labels(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return what most people said: indices into ``FERPLUS_EMOTIONS``, and a mask.

        The mask is False where the most votes went to "unknown" or "no face", or were shared:
        there the majority names no class. (E. Barsoum et al., ICMI 2016, "majority" protocol,
        with ties left out.)
        """
        if self.votes is None:
            raise DataError("These faces carry no FER+ votes: give the file fer2013new.csv.")
        top = self.votes.argmax(axis=1)
        shared = (self.votes == self.votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
        return top, (top < len(FERPLUS_EMOTIONS)) & ~shared

    def people_labels(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return what most people said as indices into ``EMOTIONS``, and a mask.

        The mask is False also where most said "contempt", which is none of them.
        """
        top, counted = self.ferplus_labels()
        place = np.full(_VOTE_COLUMNS, -1)
        place[list(FERPLUS_COLUMNS)] = range(len(EMOTIONS))
        return place[top], counted & (place[top] >= 0)


def load(
    path: Path, ferplus: Path | None = None, say: Callable[[str], None] = log.warning
) -> dict[str, FaceSet]:
    """Read labelled faces.

    Args:
        path: a CSV file with the columns ``emotion``, ``pixels`` and perhaps ``Usage`` and
            ``person``, or a folder as `emorec.training.folders` reads it.
        ferplus: FER+'s ``fer2013new.csv``, row for row in the order of the CSV file.
        say: takes a line on what a folder holds that was skipped.

    Returns:
        The splits that are there, keyed by names of ``SPLITS``.

    Raises:
        DataError: nothing usable is there, or a row is broken; says which.
    """
    if path.is_dir():
        if ferplus is not None:
            raise DataError("FER+ votes belong to the rows of fer2013.csv, not to a folder.")
        return _load_folder(path, say)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder.")
    splits = _load_csv(path)
    return splits if ferplus is None else _with_votes(splits, ferplus)


def joined(splits: Mapping[str, FaceSet]) -> FaceSet:
    """Return the faces of all splits as one set, without what teachers say of them."""
    parts = list(splits.values())
    votes = [part.votes for part in parts if part.votes is not None]
    people = [part.people for part in parts if part.people is not None]
    return FaceSet(
        np.concatenate([part.faces for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate(votes) if len(votes) == len(parts) else None,
        people=np.concatenate(people) if len(people) == len(parts) else None,
    )


def without_faces_of(training: FaceSet, *tests: FaceSet) -> FaceSet:
    """Drop every training face that stands pixel for pixel in one of the tests."""
    seen = {face.tobytes() for test in tests for face in test.faces}
    return training.take(np.array([face.tobytes() not in seen for face in training.faces], bool))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with its line's number and stripped, lower-case column names."""
    csv.field_size_limit(1 << 24)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as CSV ({error}).") from error


def _load_csv(path: Path) -> dict[str, FaceSet]:
    faces: dict[str, list] = {split: [] for split in SPLITS}
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    people: dict[str, list[str]] = {split: [] for split in SPLITS}
    for line, row in _rows(path):
        missing = {"emotion", "pixels"} - row.keys()
        if missing:
            raise DataError(
                f"{path}: expected the columns emotion, pixels (and Usage). "
                f"Missing: {', '.join(sorted(missing))}."
            )
        split = (row.get("usage") or "Training").strip()
        if split not in faces:
            raise DataError(f"{path}, row {line}: Usage is {split!r}, not one of {SPLITS}.")
        label = (row["emotion"] or "").strip()
        if label not in set("0123456"):
            raise DataError(f"{path}, row {line}: emotion is {label!r}, expected 0 to 6.")
        try:
            pixels = np.array((row["pixels"] or "").split(), dtype=np.uint8)
        except (ValueError, OverflowError) as error:
            raise DataError(
                f"{path}, row {line}: pixels must be whole numbers from 0 to 255."
            ) from error
        if pixels.size != FACE_SIDE**2:
            raise DataError(f"{path}, row {line}: {pixels.size} pixels, expected {FACE_SIDE**2}.")
        faces[split].append(pixels.reshape(FACE_SIDE, FACE_SIDE))
        labels[split].append(int(label))
        people[split].append((row.get("person") or row.get("subject") or "").strip())
    return _as_sets(path, faces, labels, people)


def _with_votes(splits: dict[str, FaceSet], ferplus: Path) -> dict[str, FaceSet]:
    votes: dict[str, list[npt.NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for line, row in _rows(ferplus):
        try:
            split = row["usage"].strip()
            counts = np.array([int(row[name]) for name in list(row)[2:][:_VOTE_COLUMNS]], np.int64)
            if len(counts) < _VOTE_COLUMNS or counts.min() < 0:
                raise ValueError(counts)
            votes[split].append(counts)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DataError(
                f"{ferplus}, row {line}: expected Usage, Image name and {_VOTE_COLUMNS} votes."
            ) from error
    for split, faces in splits.items():
        if len(votes[split]) != len(faces):
            raise DataError(
                f"{ferplus}: {len(votes[split])} rows of votes for {len(faces)} faces of {split}; "
                "the file must stand row for row beside fer2013.csv."
            )
    return {
        split: replace(faces, votes=np.array(votes[split], dtype=np.int64))
        for split, faces in splits.items()
    }


def _load_folder(path: Path, say: Callable[[str], None]) -> dict[str, FaceSet]:
    found: dict[str, list[Labelled]] = {split: [] for split in SPLITS}
    for face in read_folder(path, say):
        found[face.split or "Training"].append(face)
    return _as_sets(
        path,
        {split: [each.face for each in faces] for split, faces in found.items()},
        {split: [EMOTIONS.index(each.emotion) for each in faces] for split, faces in found.items()},
        {split: [each.person for each in faces] for split, faces in found.items()},
    )


def _as_sets(
    path: Path, faces: dict[str, list], labels: dict[str, list[int]], people: dict[str, list[str]]
) -> dict[str, FaceSet]:
    splits = {
        split: FaceSet(
            np.stack(faces[split]),
            np.array(labels[split], dtype=np.int64),
            people=np.array(people[split]) if all(people[split]) else None,
        )
        for split in SPLITS
        if labels[split]
    }
    if not splits:
        raise DataError(f"{path}: no labelled face in it.")
    return splits
