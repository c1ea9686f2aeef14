"""Reads labelled faces, FER2013 and similar data, from a CSV file or a folder of images."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import DataError
from emorec.model.network import FACE_SIDE
from emorec.model.shown import FERPLUS_COLUMNS

SPLITS = ("Training", "PublicTest", "PrivateTest")
_VOTE_COLUMNS = len(FERPLUS_EMOTIONS) + 2  # and "unknown", "NF" (no face)

_SYNONYMS = {
    **{emotion: emotion for emotion in EMOTIONS},
    **{"anger": "angry", "disgusted": "disgust", "fearful": "fear", "afraid": "fear"},
    **{"happiness": "happy", "joy": "happy", "sadness": "sad", "surprised": "surprise"},
}
_FOLDERS = {"train": "Training", "validation": "PublicTest", "valid": "PublicTest"} | {
    "val": "PublicTest",
    "test": "PrivateTest",
}
_IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


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
    """

    faces: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    votes: npt.NDArray[np.int64] | None = None
    taught: npt.NDArray[np.float32] | None = None
    framings: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: npt.NDArray) -> FaceSet:
        """Return the faces of these rows (indices or a mask), in that order."""
        votes = None if self.votes is None else self.votes[rows]
        taught = None if self.taught is None else self.taught[rows]
        framings = None if self.framings is None else self.framings[rows]
        return FaceSet(self.faces[rows], self.labels[rows], votes, taught, framings)

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


def load(path: Path, ferplus: Path | None = None) -> dict[str, FaceSet]:
    """Read labelled faces.

    Args:
        path: a CSV file with the columns ``emotion``, ``pixels`` and perhaps ``Usage``, or a
            folder with one sub-folder an emotion, with or without ``train``, ``validation`` and
            ``test`` above.
        ferplus: FER+'s ``fer2013new.csv``, row for row in the order of the CSV file.

    Returns:
        The splits that are there, keyed by names of ``SPLITS``.

    Raises:
        DataError: nothing usable is there, or a row is broken; says which.
    """
    if path.is_dir():
        if ferplus is not None:
            raise DataError("FER+ votes belong to the rows of fer2013.csv, not to a folder.")
        return _load_folder(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder.")
    splits = _load_csv(path)
    return splits if ferplus is None else _with_votes(splits, ferplus)


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
    return _as_sets(path, faces, labels)


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
        split: FaceSet(faces.faces, faces.labels, np.array(votes[split], dtype=np.int64))
        for split, faces in splits.items()
    }


def _load_folder(path: Path) -> dict[str, FaceSet]:
    roots = {
        folder: _FOLDERS[folder.name.lower()]
        for folder in _content(path)
        if folder.is_dir() and folder.name.lower() in _FOLDERS
    } or {path: "Training"}
    faces: dict[str, list] = {split: [] for split in SPLITS}
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    for root, split in roots.items():
        for folder in (child for child in _content(root) if child.is_dir()):
            emotion = _SYNONYMS.get(folder.name.lower())
            if emotion is None:
                warnings.warn(f"{folder}: no emotion of {EMOTIONS}; skipped.", stacklevel=2)
                continue
            for file in _content(folder):
                if file.suffix.lower() not in _IMAGES or file.is_dir():
                    continue
                faces[split].append(_face(file))
                labels[split].append(EMOTIONS.index(emotion))
    return _as_sets(path, faces, labels)


def _content(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}).") from None


def _face(file: Path) -> npt.NDArray[np.uint8]:
    """Return an image file as a grey face, uint8 of shape (48, 48)."""
    import cv2

    try:
        data = np.fromfile(file, dtype=np.uint8)
        face = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except OSError as error:
        raise DataError(f"{file}: cannot be opened ({error.strerror or error}).") from None
    except cv2.error:  # it claims more pixels than OpenCV takes
        face = None
    if face is None:
        raise DataError(f"{file}: is no image that can be read.")
    if face.shape != (FACE_SIDE, FACE_SIDE):
        face = cv2.resize(face, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(face, np.uint8)


def _as_sets(
    path: Path, faces: dict[str, list], labels: dict[str, list[int]]
) -> dict[str, FaceSet]:
    splits = {
        split: FaceSet(np.stack(faces[split]), np.array(labels[split], dtype=np.int64))
        for split in SPLITS
        if labels[split]
    }
    if not splits:
        raise DataError(f"{path}: no labelled face in it.")
    return splits
