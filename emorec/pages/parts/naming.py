"""Names of faces on the pages: their switch, and the gallery and embedder of all visitors."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING

import streamlit as st

from emorec.errors import EmorecError
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import State, visit
from emorec.people import extra
from emorec.records import Face
from emorec.words import N_, _

if TYPE_CHECKING:  # what they import is an extra that may not be installed
    from emorec.people.embedding import FaceEmbedder
    from emorec.people.gallery import Gallery

_BIOMETRIC = N_(
    ":material/fingerprint: Names come from biometric data "
    "([GDPR, Art. 9](https://eur-lex.europa.eu/eli/reg/2016/679/oj)): every face in view is "
    "measured to tell who it is, so use them only where everyone in view agreed."
)


@dataclass
class NamesSwitch(State):
    """Part of the switch's key: once it is forgotten, the switch is a new one, and off."""

    token: str = field(default_factory=lambda: token_hex(4))


def allowed() -> bool:
    """Return whether the deployer lets visitors see and manage the people in the gallery.

    There is one gallery for all visitors, so it is off unless ``EMOREC_PEOPLE`` switches it on.
    `emorec run` does so, since it serves its own computer only.
    """
    return deployment().people


@st.cache_resource(show_spinner=False)
def gallery() -> Gallery:
    """Return the people of this deployment.

    Raises:
        EmorecError: the store or its key cannot be used; the next call tries again.
    """
    from emorec.people.gallery import open_gallery

    return open_gallery(deployment())


@st.cache_resource(show_spinner=False)
def embedder() -> FaceEmbedder:
    """Return what turns faces into numbers.

    Raises:
        EmorecError: its packages or files are missing; the next call tries again.
    """
    from emorec.people.embedding import FaceEmbedder

    return FaceEmbedder()


def offered() -> bool:
    """Return whether faces can be named here: allowed, installed, and somebody is enrolled.

    Raises:
        EmorecError: the store or its key cannot be used.
    """
    return allowed() and not extra.missing() and bool(len(gallery().embeddings()[0]))


def choose(key: str, off: bool = False) -> bool:
    """Let the visitor switch names on where people are enrolled; return whether they are on.

    Args:
        key: of the control.
        off: whether the control is locked, because faces are blurred.
    """
    try:
        if not offered():
            return False
    except EmorecError as error:
        no_names = _("No names: {why}").format(why=plain(str(error)))
        st.caption(f":material/person_off: {no_names}")
        return False
    on = st.toggle(
        _("Names"),
        key=f"{key} {visit().state(NamesSwitch).token}",
        persist_state="session",
        disabled=off,
        help=_("Who it is, of the people enrolled."),
    )
    if on and not off:
        st.caption(_(_BIOMETRIC))
    return on and not off


def stamp(names: bool) -> str:
    """Return a digest that changes with every person enrolled, renamed or deleted; "" if off."""
    return sha256(repr(gallery().people()).encode()).hexdigest() if names else ""


def called(face: Face) -> str:
    """Return what a page calls a face, as Markdown: its person's name, and always its number."""
    if face.name is None:
        return _("**Face {number}**").format(number=face.track_id)
    return _("**{name}** (face {number})").format(name=plain(face.name), number=face.track_id)
