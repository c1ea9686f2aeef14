"""The photo page: pictures in, what their faces show out; to look at and to take away."""

from __future__ import annotations

import streamlit as st

from emorec.errors import EmorecError
from emorec.media.photo import SUFFIXES
from emorec.pages.parts import naming, pictures
from emorec.pages.parts.detector import choose_detector
from emorec.pages.parts.engine import recognizer
from emorec.pages.parts.markdown import plain

_AT_ONCE = 20


def render() -> None:
    """Show the page."""
    st.title("Photo")
    st.caption(
        "Reads the **apparent expression** of every face, not inner feeling. "
        "Nothing is stored: pictures are read in memory and forgotten."
    )
    files = st.file_uploader(
        f"Pictures of faces: up to {_AT_ONCE} at once",
        type=list(SUFFIXES),
        accept_multiple_files=True,
    )
    try:
        engine = recognizer()
    except EmorecError as error:
        st.error(plain(str(error)))
        return
    detector = choose_detector(engine, "photo detector")
    names = naming.choose("photo names")
    pictures.single_shot("photo", engine, detector, names)
    if len(files) > _AT_ONCE:
        st.warning(
            f"Only the first {_AT_ONCE} of {len(files)} pictures are read. Remove some to read the "
            "others.",
            icon=":material/photo_library:",
        )
    pictures.show("files", files[:_AT_ONCE], engine, detector, names)
