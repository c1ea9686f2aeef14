"""One photo, opened: what was read from it, to look at and to take away."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.pages.parts import faces, reading, totals
from emorec.pages.parts.markdown import plain
from emorec.photos.reading import ReadPhoto
from emorec.pipeline.quality import READABLE_PX
from emorec.pipeline.smallest import notes
from emorec.sessions.room import LEAST_FACES
from emorec.words import _

_BAR = """
<style>
.emorec-share { display: flex; gap: 2px; height: 1.75rem; max-width: 46rem; }
.emorec-share b {
  min-width: 1.4rem; overflow: hidden; line-height: 1.75rem; text-align: center; color: #101010;
  border-radius: 0.3rem;
}
.emorec-share-words { margin: 0.4rem 0 0; }
.emorec-share-words span { white-space: nowrap; }
.emorec-share-words i {
  display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.3rem;
  border-radius: 0.35rem;
}
</style>
"""


def show(key: str, file: UploadedFile, photo: ReadPhoto, group_only: bool) -> None:
    """Show a photo.

    Args:
        key: of the photo on this page.
        file: that it was read from.
        photo: what was read from it.
        group_only: whether nothing of a single face may be shown.
    """
    if photo.note:
        st.caption(_("This file holds {what}").format(what=photo.note))
    for note in notes(photo.result):
        st.caption(note)
    found = photo.result.faces
    if not found:
        _no_face(photo)
        return
    if group_only:
        st.image(photo.shown, width="content", alt=faces.alt(photo, group_only))
    else:
        faces.show(key, photo)
    show_totals(photo, group_only)
    st.container(horizontal=True).download_button(
        _("Annotated picture (PNG)"),
        partial(reading.annotated_png, file, photo.result, group_only),
        f"{PurePath(file.name).stem}_emorec.png",
        "image/png",
        key=f"{key} png",
        on_click="ignore",
        icon=":material/image:",
    )


def show_totals(photo: ReadPhoto, group_only: bool) -> None:
    """Show how many faces show what, where there are several."""
    found = photo.result.faces
    if not totals.told(found, group_only):
        st.info(
            _(
                "**{count}.** With Group only nothing is shown of fewer than {least} faces, as"
                " totals would tell what a single face shows."
            ).format(count=totals.count(found), least=LEAST_FACES),
            icon=":material/groups:",
        )
    elif len(found) > 1:
        share_bar(totals.totals(found))


def share_bar(counts: dict[str, int]) -> None:
    """Show how many faces show each label as one bar, and in words."""
    st.html(_BAR + totals.bar(counts))


def _no_face(photo: ReadPhoto) -> None:
    smallest = max(photo.result.smallest_px, READABLE_PX)
    st.image(photo.shown, alt=faces.alt(photo))
    st.info(
        _(
            "**No face found.** Try a picture in which faces look towards the camera, upright, "
            "evenly lit and at least {side} pixels wide; a hand, a mask or large "
            "glasses may hide one. A face that fills the picture from eyes to chin is "
            "**too close**: forehead and chin must be seen."
        ).format(side=f"{smallest:.0f}"),
        icon=":material/face_retouching_off:",
    )


def broken(name: str, why: str) -> str:
    """Return the line about a file that could not be read, as Markdown."""
    return plain(f"{name}: {why}")
