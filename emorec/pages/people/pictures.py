"""Pictures to enrol a person with: uploaded or taken here, each judged at once, none stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from emorec.drawing.viewer import shrunk
from emorec.errors import EmorecError
from emorec.media.photo import SUFFIXES, encode_jpeg
from emorec.pages.parts import naming
from emorec.pages.parts.engine import recognizer
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.pictures import whole_picture
from emorec.pages.parts.visit import State, visit

if TYPE_CHECKING:  # what they import is an extra that may not be installed
    from emorec.people.enrolment import Remark
    from emorec.people.gallery import Gallery

_PREVIEW_PX = 240
_ROW = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """One picture: what to show of it, and its embedding or why it has none.

    ``note`` says what of its file was not read.
    """

    preview: bytes | None
    embedding: npt.NDArray[np.float32] | None
    reason: str | None
    note: str | None = None


@dataclass
class Form(State):
    """The form that people are enrolled with.

    Attributes:
        number: part of the keys of its controls: another number gives empty ones.
        judged: by a picture's SHA-256, whether it is good.
        shots: of each shot its SHA-256 and its name.
    """

    number: int = 0
    judged: dict[str, _Judged] = field(default_factory=dict)
    shots: list[tuple[str, str]] = field(default_factory=list)


def gather(gallery: Gallery, person_id: int | None) -> list[npt.NDArray[np.float32]]:
    """Let the visitor give pictures, show whether each is good, and return the good ones.

    Args:
        gallery: the people already enrolled.
        person_id: the person that the pictures are added to; None: a new person.

    Returns:
        Embeddings, float32 of shape (128,) each, at most ten.
    """
    from emorec.people.enrolment import MOST_PICTURES, Remark, remarks

    form = visit().state(Form)
    files = st.file_uploader(
        f"Pictures of this one person: one to {MOST_PICTURES}",
        type=list(SUFFIXES),
        accept_multiple_files=True,
        key=f"people files {form.number}",
    )
    # The browser asks for the camera as soon as the page shows it: not before the visitor wants it.
    if st.toggle("Take them with the camera", key="people camera"):
        # A widget of its own for each shot: the next shot does not replace the last one.
        shot = st.camera_input(
            f"Shot {len(form.shots) + 1}: turn the head a little from one to the next",
            key=f"people shot {form.number} {len(form.shots)}",
            disabled=len(files) + len(form.shots) >= MOST_PICTURES,
        )
        if shot is not None:
            digest = sha256(shot.getvalue()).hexdigest()
            form.judged[digest] = _judge(shot.getvalue(), "Shot")
            form.shots.append((digest, f"Shot {len(form.shots) + 1}"))
            st.rerun()
    given = list(form.shots)
    for file in files:
        digest = sha256(file.getvalue()).hexdigest()
        if digest not in form.judged:
            with st.spinner(f"Looking at {plain(file.name)}…"):
                form.judged[digest] = _judge(file.getvalue(), file.name)
        given.append((digest, file.name))
    given = list(dict(given).items())  # the same picture twice says nothing new
    form.judged = {digest: form.judged[digest] for digest, _ in given}
    if len(given) > MOST_PICTURES:
        st.warning(f"Only the first {MOST_PICTURES} of {len(given)} pictures count.")
        given = given[:MOST_PICTURES]
    found = [form.judged[digest] for digest, _ in given]
    good = [picture.embedding for picture in found if picture.embedding is not None]
    against = iter(remarks(good, gallery, person_id))
    said = [
        Remark(picture.reason or "", refused=True) if picture.embedding is None else next(against)
        for picture in found
    ]
    _show([name for _, name in given], found, said)
    if form.shots and st.button("Take the shots away", icon=":material/undo:"):
        form.shots = []
        st.rerun()
    return [
        picture.embedding
        for picture, remark in zip(found, said, strict=True)
        if picture.embedding is not None and not (remark and remark.refused)
    ]


def form_number() -> int:
    """Return what changes whenever the form is emptied: part of its controls' keys."""
    return visit().state(Form).number


def forget() -> None:
    """Empty the form, and forget all pictures given."""
    form = visit().state(Form)
    form.number, form.judged, form.shots = form.number + 1, {}, []


def _judge(data: bytes, name: str) -> _Judged:
    from emorec.people.enrolment import look_at

    preview = None
    try:
        with whole_picture(data, name) as photo:
            preview = encode_jpeg(shrunk(photo.image_bgr, _PREVIEW_PX))
            found = look_at(photo.image_bgr, recognizer(), naming.embedder())
            return _Judged(preview, found, None, photo.note)
    except EmorecError as error:
        return _Judged(preview, None, str(error).removeprefix(f"{name}: "))


def _show(names: Sequence[str], found: Sequence[_Judged], said: Sequence[Remark | None]) -> None:
    cells = list(zip(names, found, said, strict=True))
    for first in range(0, len(cells), _ROW):
        row = cells[first : first + _ROW]
        for column, (name, picture, remark) in zip(st.columns(_ROW), row, strict=False):
            with column:
                if picture.preview is not None:
                    st.image(picture.preview)
                if remark is None:
                    st.markdown(f":green[:material/check_circle:] {plain(name)}")
                else:
                    mark = (
                        ":red[:material/cancel:]"
                        if remark.refused
                        else ":orange[:material/warning:]"
                    )
                    st.markdown(f"{mark} **{plain(name)}**: {plain(remark.text)}")
                if picture.note:
                    st.caption(f"This file holds {picture.note}")
