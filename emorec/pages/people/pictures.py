"""Pictures to enrol a person with: uploaded or taken here, checked at once, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.errors import EmorecError
from emorec.pages.parts import naming
from emorec.pages.parts.engine import recognizer
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.reading import candidate_of
from emorec.pages.parts.visit import State, visit
from emorec.words import _

if TYPE_CHECKING:  # they import packages of an extra that may not be installed
    from emorec.people.enrolment import Remark
    from emorec.people.gallery import Gallery

_ROW = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Checked:
    """The result of checking one picture.

    Attributes:
        preview: a small JPEG to show; None if the picture cannot be decoded.
        embedding: of its face, float32 of shape (128,); None if the picture is refused.
        reason: why it is refused; None if it is not.
        note: what of its file was not read; None if all was.
    """

    preview: bytes | None
    embedding: npt.NDArray[np.float32] | None
    reason: str | None
    note: str | None = None


@dataclass
class Form(State):
    """The form that people are enrolled with.

    Attributes:
        number: part of the keys of its controls; another number makes new, empty controls.
        checked: the result of each picture by its SHA-256.
        shots: SHA-256 and name of each shot.
    """

    number: int = 0
    checked: dict[str, _Checked] = field(default_factory=dict)
    shots: list[tuple[str, str]] = field(default_factory=list)


def gather(gallery: Gallery, person_id: int | None) -> list[npt.NDArray[np.float32]]:
    """Let the visitor add pictures, show whether each is good, and return the good ones.

    Args:
        gallery: the people already enrolled.
        person_id: the person that the pictures are added to; None: a new person.

    Returns:
        Embeddings of the good pictures, float32 of shape (128,) each, at most ten.
    """
    from emorec.people.enrolment import MOST_PICTURES, Remark, remarks

    form = visit().state(Form)
    files = st.file_uploader(
        _("Pictures of this one person: one to {n}").format(n=MOST_PICTURES),
        accept_multiple_files=True,
        key=f"people files {form.number}",
    )
    # The browser asks for permission as soon as the page shows the camera, so the visitor switches
    # it on first.
    if st.toggle(_("Take them with the camera"), key="people camera"):
        # A new widget for each shot: in the same widget the next shot would replace the last one.
        shot = st.camera_input(
            _("Shot {n}: turn the head a little from one to the next").format(
                n=len(form.shots) + 1
            ),
            key=f"people shot {form.number} {len(form.shots)}",
            disabled=len(files) + len(form.shots) >= MOST_PICTURES,
        )
        if shot is not None:
            digest = sha256(shot.getvalue()).hexdigest()
            form.checked[digest] = _check(shot)
            form.shots.append((digest, _("Shot {n}").format(n=len(form.shots) + 1)))
            st.rerun()
    given = list(form.shots)
    for file in files:
        digest = sha256(file.getvalue()).hexdigest()
        if digest not in form.checked:
            with st.spinner(_("Looking at {name}…").format(name=plain(file.name))):
                form.checked[digest] = _check(file)
        given.append((digest, file.name))
    given = list(dict(given).items())  # a picture that was given twice counts once
    form.checked = {digest: form.checked[digest] for digest, _name in given}
    if len(given) > MOST_PICTURES:
        st.warning(
            _("Only the first {most} of {n} pictures count.").format(
                most=MOST_PICTURES, n=len(given)
            )
        )
        given = given[:MOST_PICTURES]
    found = [form.checked[digest] for digest, _name in given]
    good = [picture.embedding for picture in found if picture.embedding is not None]
    of_good = iter(remarks(good, gallery, person_id))
    of_all = [
        Remark(picture.reason or "", refused=True) if picture.embedding is None else next(of_good)
        for picture in found
    ]
    _show([name for _digest, name in given], found, of_all)
    if form.shots and st.button(_("Take the shots away"), icon=":material/undo:"):
        form.shots = []
        st.rerun()
    return [
        picture.embedding
        for picture, remark in zip(found, of_all, strict=True)
        if picture.embedding is not None and not (remark and remark.refused)
    ]


def form_number() -> int:
    """Return the form's number, which is part of its controls' keys and rises with `forget`."""
    return visit().state(Form).number


def forget() -> None:
    """Empty the form and drop all its pictures."""
    form = visit().state(Form)
    form.number, form.checked, form.shots = form.number + 1, {}, []


def _check(file: UploadedFile) -> _Checked:
    from emorec.people.rule import mean_direction

    try:
        found = candidate_of(file, recognizer())
        if found.crops is None:
            return _Checked(found.preview, None, found.reason, found.note)
        embedding = mean_direction(naming.embedder().embed_crops(found.crops))[0]
        return _Checked(found.preview, embedding, None, found.note)
    except EmorecError as error:
        return _Checked(None, None, str(error))


def _show(names: Sequence[str], found: Sequence[_Checked], of_all: Sequence[Remark | None]) -> None:
    """Show a preview of each picture with its remark; None: it is good."""
    cells = list(zip(names, found, of_all, strict=True))
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
                    st.caption(_("This file holds {what}").format(what=picture.note))
