"""Photos that a visitor gives: worker processes read them, each content once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from typing import TypeVar

from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.errors import EmorecError
from emorec.media.photo import one_picture
from emorec.media.workers import Workers
from emorec.pages.parts import naming
from emorec.pages.parts.visit import State, visit
from emorec.photos import reading as photos
from emorec.photos.reading import Candidate, Engine, ReadPhoto
from emorec.recognizer import EmotionRecognizer
from emorec.records import FrameResult
from emorec.words import language, said_in

Result = TypeVar("Result")


@dataclass
class Readings(State):
    """What was read of a visitor's photos, or why one could not be read.

    Attributes:
        by_key: by the content's SHA-256 and how it was read. The error lines are without the
            file's name, since another file may have the same content.
        kept: the keys that each place shows.
    """

    by_key: dict[str, ReadPhoto | str] = field(default_factory=dict)
    kept: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class How:
    """How photos are read.

    Attributes:
        recognizer: of the model that the visitor chose.
        detector: what finds the faces, one of ``DETECTORS``.
        names: whether to say whose faces they are.
        group_only: whether nothing of a single face may be shown.
    """

    recognizer: EmotionRecognizer
    detector: str
    names: bool
    group_only: bool

    @property
    def engine(self) -> Engine:
        settings = replace(self.recognizer.settings, detector=self.detector)
        return Engine(self.recognizer.model.file, settings)

    def key(self, digest: str) -> str:
        """Return the key of a content in `Readings`; it changes with all that changes a result."""
        stamp = naming.stamp(self.names)
        return f"{digest} {self.engine} {stamp} {self.group_only} {language()}"


@cache
def workers() -> Workers:
    """Return the processes that read photos, for all visitors."""
    return Workers(photos.prepare)


@contextmanager
def one_job(file: UploadedFile) -> Iterator[None]:
    """Turn every error of a job on this file into an EmorecError without the file's name."""
    try:
        with one_picture(file.name):
            yield
    except EmorecError as error:
        raise EmorecError(str(error).removeprefix(f"{file.name}: ")) from error


def digest_of(file: UploadedFile) -> str:
    """Return the SHA-256 of a file's content."""
    return sha256(file.getbuffer()).hexdigest()


def read(file: UploadedFile, digest: str, how: How) -> ReadPhoto | str:
    """Return what was read from a photo, or why it cannot be read.

    A content that was read in the same way before is not read again.

    Args:
        file: as the browser sent it.
        digest: as `digest_of` returns it.
        how: it is read.
    """
    readings = visit().state(Readings).by_key
    key = how.key(digest)
    if key not in readings:
        try:
            with one_job(file):
                readings[key] = _read(file, how)
        except EmorecError as error:
            readings[key] = str(error)
    return readings[key]


def is_read(digest: str, how: How) -> bool:
    """Return whether a content was read in this way already."""
    return how.key(digest) in visit().state(Readings).by_key


def keep(place: str, keys: Iterable[str]) -> None:
    """Forget what no place shows any more.

    Args:
        place: tells this place from the others that show photos.
        keys: of what it shows, as `How.key` returns them.
    """
    readings = visit().state(Readings)
    readings.kept[place] = set(keys)
    wanted = set[str]().union(*readings.kept.values())
    readings.by_key = {key: one for key, one in readings.by_key.items() if key in wanted}


def annotated_png(file: UploadedFile, result: FrameResult, group_only: bool) -> bytes:
    """Return the photo with its faces drawn on it, as large as it is read.

    The file is decoded again: to keep every drawing would take much memory.

    Raises:
        EmorecError: the picture cannot be read any more; one line.
    """
    with one_job(file):
        data = file.getvalue()
        return _run(photos.annotated, data, file.name, result, group_only, True)


def candidate_of(file: UploadedFile, recognizer: EmotionRecognizer) -> Candidate:
    """Return what a picture is worth for enrolling a person.

    Raises:
        EmorecError: the picture or the model cannot be read; one line without the file's name.
    """
    engine = Engine(recognizer.model.file, recognizer.settings)
    with one_job(file):
        return _run(photos.candidate, file.getvalue(), file.name, engine)


def _run(job: Callable[..., Result], *args: object) -> Result:
    """Have a process do a job for this visitor, with words in the visitor's language."""
    return workers().run(visit(), said_in, language(), job, *args)


def _read(file: UploadedFile, how: How) -> ReadPhoto:
    data = file.getvalue()
    job = (photos.read, data, file.name, how.engine, how.names, how.group_only)
    photo = _run(*job)
    if photo.for_names is None:
        return photo
    from emorec.people.matching import with_names

    embeddings = naming.embedder().embed_crops(photo.for_names)
    result = with_names(photo.result, embeddings, naming.gallery())
    shown = photo.shown
    if any(face.name is not None for face in result.faces):
        shown = _run(photos.annotated, data, file.name, result, how.group_only, False)
    return replace(photo, result=result, shown=shown, for_names=None)
