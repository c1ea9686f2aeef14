"""Pictures that a visitor gives: each is read once, shown with its faces, and to be taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import PurePath
from threading import Lock
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.drawing import charts
from emorec.drawing.overlay import draw_faces
from emorec.drawing.viewer import shrunk
from emorec.errors import EmorecError
from emorec.geometry import clip, square
from emorec.media.photo import (
    ImageBGR,
    Photo,
    encode_jpeg,
    encode_png,
    one_picture,
    open_photo,
    read_photo,
)
from emorec.pages.parts import naming
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import State, visit
from emorec.pipeline.quality import READABLE_PX
from emorec.pipeline.smallest import notes
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box, Face, FrameResult
from emorec.rows import columns, face_rows, header, picture_object, to_csv, to_json

_PREVIEW_PX = 1600
_CROP_PX = 160
_MARGIN = 1.3  # side of a crop, in faces
_CARDS = 4  # in a row
# Columns of the table beside a picture; one in which nothing stands is left out.
_SHOWN = (
    "track_id",
    "name",
    "emotion",
    "confidence",
    "unreadable",
    "x1_px",
    "y1_px",
    "x2_px",
    "y2_px",
)
_WHOLE = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class ReadPicture:
    """What a page keeps of a picture: what was read, and small JPEGs to show it.

    ``note`` says what of its file was not read.
    """

    result: FrameResult
    preview: bytes
    crops: tuple[bytes, ...]
    note: str | None


@dataclass
class ReadPictures(State):
    """What was read of the pictures that a visitor gave, or why they could not be read.

    Attributes:
        by_place: the key of the place that shows them, then of each picture what it was read by and
            its content's SHA-256.
    """

    by_place: dict[str, dict[str, ReadPicture | str]] = field(default_factory=dict)


def single_shot(key: str, engine: EmotionRecognizer, detector: str, names: bool = False) -> None:
    """Offer a shot with the visitor's camera, and show what is read from it.

    Args:
        key: tells this place from the others that offer one.
        engine: reads it.
        detector: what finds the faces, one of ``DETECTORS``.
        names: whether to say whose faces they are.
    """
    # The browser asks for the camera as soon as the page shows it: not before the visitor wants it.
    if st.toggle("Take a shot with the camera", key=f"{key} camera"):
        shot = st.camera_input("Shot", key=f"{key} shot", label_visibility="collapsed")
        show(f"{key} shot", [] if shot is None else [shot], engine, detector, names)


def show(
    key: str, files: Sequence[UploadedFile], engine: EmotionRecognizer, detector: str, names: bool
) -> None:
    """Read these files, each content once, and show every picture with its faces.

    Args:
        key: tells this place from the others that show pictures.
        files: as the browser sent them.
        engine: reads them.
        detector: what finds the faces, one of ``DETECTORS``.
        names: whether to say whose faces they are.
    """
    photos = _read_all(key, files, engine, detector, names)
    results = [
        (file.name, photo.result)
        for file, photo in zip(files, photos, strict=True)
        if isinstance(photo, ReadPicture)
    ]
    if any(result.faces for _, result in results):
        settings = replace(engine.settings, detector=detector)
        _downloads(key, results, header(engine.model, settings), names)
    for number, (file, photo) in enumerate(zip(files, photos, strict=True)):
        if isinstance(photo, ReadPicture):
            _picture(f"{key} {number}", file, photo)
        else:
            st.error(plain(f"{file.name}: {photo}"), icon=":material/broken_image:")


def _read_all(
    key: str, files: Sequence[UploadedFile], engine: EmotionRecognizer, detector: str, names: bool
) -> list[ReadPicture | str]:
    """Return what was read from each file, or why it could not be, without the file's name.

    Each content is read once by a detector, and with names once for the people enrolled.
    """
    how = f"{detector} {naming.stamp(names)}"
    digests = [f"{how} {sha256(file.getvalue()).hexdigest()}" for file in files]
    read = visit().state(ReadPictures)
    known = read.by_place.get(key, {})
    kept = {digest: known[digest] for digest in digests if digest in known}
    new = {digest: file for digest, file in zip(digests, files, strict=True) if digest not in known}
    bar = st.progress(0.0) if len(new) > 1 else None
    for count, (digest, file) in enumerate(new.items()):
        if bar:
            bar.progress(count / len(new), f"Reading {plain(file.name)}: {count + 1} of {len(new)}")
        try:
            kept[digest] = _read(file, engine, detector, names)
        except EmorecError as error:
            # Without the name: another file may have the same content.
            kept[digest] = str(error).removeprefix(f"{file.name}: ")
    if bar:
        bar.empty()
    read.by_place[key] = kept
    return [kept[digest] for digest in digests]


def _read(file: UploadedFile, engine: EmotionRecognizer, detector: str, names: bool) -> ReadPicture:
    with whole_picture(file.getvalue(), file.name) as photo:
        image_bgr = photo.image_bgr
        settings = replace(engine.settings, detector=detector)
        whose = naming.photo_names() if names else None
        result = engine.reader("picture", settings, names=whose).read(image_bgr)
        crops = [encode_jpeg(shrunk(_crop(image_bgr, face.box), _CROP_PX)) for face in result.faces]
        preview = encode_jpeg(shrunk(draw_faces(image_bgr, result.faces), _PREVIEW_PX))
    return ReadPicture(result, preview, tuple(crops), photo.note)


@contextmanager
def whole_picture(data: bytes, name: str) -> Iterator[Photo]:
    """Open a picture; one at a time over all visitors: fifty megapixels take half a gigabyte.

    Args:
        data: the file's content.
        name: what errors call it.

    Raises:
        EmorecError: the picture cannot be opened, or what is done with it fails; one line.
    """
    with _WHOLE, one_picture(name):
        yield open_photo(data, name)


def _annotated(file: UploadedFile, faces: Sequence[Face]) -> bytes:
    """Return the whole annotated picture, decoded again: keeping it would take the most memory."""
    with _WHOLE:
        return encode_png(draw_faces(read_photo(file.getvalue(), file.name), faces))


def _crop(image_bgr: ImageBGR, box: Box) -> ImageBGR:
    size_wh = (image_bgr.shape[1], image_bgr.shape[0])
    x1, y1, x2, y2 = clip(square(box, _MARGIN), size_wh)[0].astype(int)
    return image_bgr[y1:y2, x1:x2]


def _downloads(
    key: str, results: list[tuple[str, FrameResult]], made_with: dict[str, Any], names: bool
) -> None:
    rows = [row for file, result in results for row in face_rows(result, file=file)]
    photos = [picture_object(file, result, names) for file, result in results]
    row = st.container(horizontal=True)
    row.download_button(
        "CSV of all faces",
        to_csv(rows, columns(file=True)),
        "emorec_photos.csv",
        "text/csv",
        key=f"{key} csv",
        on_click="ignore",
        icon=":material/table:",
    )
    row.download_button(
        "JSON of all faces",
        to_json(made_with, photos=photos),
        "emorec_photos.json",
        "application/json",
        key=f"{key} json",
        on_click="ignore",
        icon=":material/data_object:",
    )


def _picture(key: str, file: UploadedFile, photo: ReadPicture) -> None:
    faces = photo.result.faces
    with st.container(border=True):
        st.markdown(f"**{plain(file.name)}**")
        if photo.note:
            st.caption(f"This file holds {photo.note}")
        for note in notes(photo.result):
            st.caption(note)
        if not faces:
            smallest = max(photo.result.smallest_px, READABLE_PX)
            st.image(photo.preview)
            st.info(
                "**No face found.** Try a picture in which faces look towards the camera, upright, "
                f"evenly lit and at least {smallest:.0f} pixels wide; a hand, a mask or large "
                "glasses may hide one. A face that fills the picture from eyes to chin is "
                "**too close**: forehead and chin must be seen.",
                icon=":material/face_retouching_off:",
            )
            return
        left, right = st.columns([3, 2], gap="medium")
        left.image(photo.preview)
        right.dataframe(
            photo.result.to_dataframe()[list(_SHOWN)].dropna(axis="columns", how="all"),
            hide_index=True,
            column_config={
                "track_id": "face",
                "confidence": st.column_config.NumberColumn(format="percent"),
            },
        )
        right.download_button(
            "Annotated PNG",
            partial(_annotated, file, faces),
            f"{PurePath(file.name).stem}_emorec.png",
            "image/png",
            key=f"{key} png",
            on_click="ignore",
            icon=":material/image:",
        )
        for first in range(0, len(faces), _CARDS):
            row = list(zip(faces, photo.crops, strict=True))[first : first + _CARDS]
            for column, (face, crop) in zip(st.columns(_CARDS), row, strict=False):
                with column:
                    _card(key, face, crop)


def _card(key: str, face: Face, crop: bytes) -> None:
    st.image(crop)
    st.markdown(f"{naming.called(face)}: {face.says}")
    if face.classified:
        st.vega_lite_chart(*charts.bars(face), key=f"{key} bars {face.track_id}")
