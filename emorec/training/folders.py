"""Labelled faces in folders: finds the pictures, reads them, and tells what it left out.

Layouts: ``EMOTION/picture``; ``PERSON/EMOTION/picture``; and each of the two inside folders that
are named like splits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.errors import DataError, EmorecError
from emorec.media.photo import SUFFIXES, one_picture, read_photo
from emorec.model.network import FACE_SIDE

LAYOUT = (
    "expected a folder for each emotion with its pictures inside (EMOTION/picture.png), or one for"
    " each person with such folders inside (PERSON/EMOTION/picture.png), perhaps in folders named"
    " Training, PublicTest and PrivateTest"
)

_SYNONYMS = {
    **{emotion: emotion for emotion in EMOTIONS},
    **{"anger": "angry", "disgusted": "disgust", "fearful": "fear", "afraid": "fear"},
    **{"happiness": "happy", "joy": "happy", "sadness": "sad", "surprised": "surprise"},
}
_SPLITS = (
    dict.fromkeys(("train", "training"), "Training")
    | dict.fromkeys(("validation", "valid", "val", "dev", "publictest", "public"), "PublicTest")
    | dict.fromkeys(("test", "testing", "privatetest", "private"), "PrivateTest")
)
_NAMED = 3  # of what is skipped for one reason, so many are named


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One face of a folder.

    Attributes:
        face: uint8 of shape (48, 48), grey.
        emotion: one of ``EMOTIONS``.
        split: of ``emorec.training.data.SPLITS``; None: no folder names one.
        person: name of the person's folder; empty: there is none.
    """

    face: npt.NDArray[np.uint8]
    emotion: str
    split: str | None
    person: str


def read_folder(path: Path, say: Callable[[str], None]) -> list[Labelled]:
    """Read every labelled picture below a folder.

    Args:
        path: of the folder.
        say: takes one line that names what was skipped, by reason, if anything was.

    Raises:
        DataError: the folder cannot be read, or no labelled picture is in it.
    """
    reader = _Reader()
    faces = list(reader.read(path))
    if reader.skipped:
        say(f"{path}: skipped {reader.in_words()}.")
    if not faces:
        raise DataError(f"{path}: no labelled face in it: {LAYOUT}.")
    return faces


def split_name(text: str) -> str | None:
    """Return the split that a name stands for, such as "Public_Test" or "val"; None: none."""
    return _SPLITS.get("".join(char for char in text.lower() if char.isalnum()))


def emotion_name(text: str) -> str | None:
    """Return the emotion that a name stands for, such as "Anger"; None: none."""
    return _SYNONYMS.get(text.strip().lower())


def face_of(file: Path) -> npt.NDArray[np.uint8]:
    """Return a picture file as a grey face, uint8 of shape (48, 48).

    Raises:
        EmorecError: it cannot be read; says why.
    """
    with one_picture(str(file)):
        face = cv2.cvtColor(read_photo(file), cv2.COLOR_BGR2GRAY)
        if face.shape != (FACE_SIDE, FACE_SIDE):
            face = cv2.resize(face, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(face, np.uint8)


class _Reader:
    def __init__(self) -> None:
        self.skipped: defaultdict[str, list[str]] = defaultdict(list)

    def in_words(self) -> str:
        """Return what was skipped: for each reason how many, and the first few by name."""
        parts = []
        for reason, names in self.skipped.items():
            named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
            parts.append(f"{len(names)} {reason} ({named})")
        return "; ".join(parts)

    def read(self, root: Path, split: str | None = None, person: str = "") -> Iterator[Labelled]:
        for path in self._visible(root):
            emotion = emotion_name(path.name)
            if not path.is_dir():
                if path.suffix.lower()[1:] in SUFFIXES:
                    self.skipped["outside an emotion's folder"].append(path.name)
                else:
                    self.skipped["no pictures"].append(path.name)
            elif emotion is not None:
                yield from self._pictures(path, emotion, split, person)
            elif person:
                self.skipped["folders that name no emotion"].append(f"{person}/{path.name}")
            elif split is None and (named := split_name(path.name)):
                yield from self.read(path, named)
            elif any(emotion_name(child.name) for child in _content(path) if child.is_dir()):
                yield from self.read(path, split, path.name)
            else:
                self.skipped["folders that name no emotion"].append(path.name)

    def _pictures(
        self, folder: Path, emotion: str, split: str | None, person: str
    ) -> Iterator[Labelled]:
        for path in self._visible(folder):
            name = f"{folder.name}/{path.name}"
            if path.is_dir():
                self.skipped["folders inside an emotion's folder"].append(name)
            elif path.suffix.lower()[1:] not in SUFFIXES:
                self.skipped["no pictures"].append(name)
            else:
                try:
                    yield Labelled(face_of(path), emotion, split, person)
                except EmorecError as error:
                    why = str(error).removeprefix(f"{path}: ")
                    self.skipped["unreadable"].append(f"{name}: {why.rstrip('.')}")

    def _visible(self, folder: Path) -> Iterator[Path]:
        for path in _content(folder):
            if path.name.startswith("."):
                self.skipped["hidden"].append(path.name)
            elif path.is_symlink() and not _exists(path):
                self.skipped["dangling links"].append(path.name)
            else:
                yield path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a loop of links
        return False


def _content(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}).") from None
