"""The faces of an opened photo: one component that shows picture, crops, details and table.

The browser alone knows which face is chosen: a choice runs no script on the server.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from emorec.emotions import COLORS, EMOTIONS
from emorec.pages.parts import totals
from emorec.percent import percent
from emorec.photos.reading import ReadPhoto
from emorec.records import Face
from emorec.words import N_, _

_FOLDER = Path(__file__).parent
_WORDS = {
    "face": N_("Face {number}"),
    "named": N_("{name} (face {number})"),
    "faces": N_("Faces"),
    "table": N_("Table of the faces"),
    "number": N_("face"),
    "name": N_("name"),
    "expression": N_("expression"),
    "confidence": N_("confidence (%)"),
    "left": N_("left (px)"),
    "top": N_("top (px)"),
    "width": N_("width (px)"),
    "height": N_("height (px)"),
}
"""What faces.js says."""


def show(key: str, photo: ReadPhoto) -> None:
    """Show a photo with faces, and let the visitor choose one of them.

    Args:
        key: of the photo on this page.
        photo: with at least one face.
    """
    component = st.components.v2.component(
        "emorec_faces", css=_source("faces.css"), js=_source("faces.js")
    )
    component(key=f"{key} faces", data=data_of(key, photo))


def alt(photo: ReadPhoto, group_only: bool = False) -> str:
    """Return what the picture shows, in words for those who cannot see it."""
    faces = photo.result.faces
    if not faces:
        return _("Photo, no face")
    kind = _("Group photo") if len(faces) > 1 else _("Photo")
    return f"{kind}, {totals.said(faces, group_only)}"


def data_of(key: str, photo: ReadPhoto) -> dict[str, Any]:
    """Return what faces.js shows."""
    return {
        "key": key,
        "words": {name: _(text) for name, text in _WORDS.items()},
        "alt": alt(photo),
        "size_wh": list(photo.result.size_wh),
        "shown": b64encode(photo.shown).decode(),
        "faces": [
            _face(face) | {"crop": b64encode(crop).decode()}
            for face, crop in zip(photo.result.faces, photo.crops, strict=True)
        ],
    }


def _face(face: Face) -> dict[str, Any]:
    shares = []
    if face.classified:
        shares = [
            (_(emotion), round(share, 4), percent(min(share, 1.0)), COLORS[emotion])
            for emotion, share in zip(EMOTIONS, face.probs.tolist(), strict=True)
        ]
    return {
        "number": face.track_id,
        "name": face.name,
        "says": face.says,
        "share": percent(face.confidence) if face.classified else "",
        "color": totals.color(totals.label(face)),
        "box": list(face.box),
        "shares": shares,
    }


@cache
def _source(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
