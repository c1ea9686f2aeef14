"""The photos that a visitor gave, from the first visit of the page on, and their tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.pages.parts import faces, reading, totals
from emorec.pages.parts.visit import State, visit
from emorec.photos.reading import ReadPhoto
from emorec.words import _

AT_ONCE = 20
_TILE_PX = 170  # least width: two tiles beside each other on a phone

_STYLE = """
<style>
[class*="st-key-tile"] { position: relative; }
[class*="st-key-tile"] img, .emorec-tile {
  width: 100%; aspect-ratio: 4 / 3; border-radius: 0.5rem;
}
/* The whole picture: what a tile cut off was often the top of a head. */
[class*="st-key-tile"] img { object-fit: contain; background: rgb(128 128 128 / 0.15); }
.emorec-tile {
  display: grid; place-content: center; gap: 0.3rem; padding: 0.75rem; text-align: center;
  overflow: hidden; border: 1px dashed color-mix(in srgb, currentColor 35%, transparent);
}
.emorec-tile, .emorec-tile p, p.emorec-name { margin: 0; font-size: 0.85rem; line-height: 1.3; }
.emorec-tile p { max-height: 6.5em; overflow: auto; }
p.emorec-name {
  padding-top: 0.35rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
}
[class*="st-key-tile"] button {
  justify-content: start; min-height: 0; padding: 0; text-align: left;
}
[class*="st-key-tile"] [data-testid="stButton"] p { font-weight: 600; }
[class*="st-key-tile"] [data-testid="stButton"] button::after {
  content: ""; position: absolute; inset: 0; z-index: 1;
}
[class*="st-key-tile"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-tile"]:hover img { filter: brightness(1.06); }
[class*="st-key-tile"]:focus-within img {
  outline: 3px solid var(--st-primary-color, #2a6f73); outline-offset: 2px;
}
</style>
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A photo that the visitor gave.

    Attributes:
        file: as the browser sent it.
        digest: of its content.
    """

    file: UploadedFile
    digest: str

    @property
    def id(self) -> str:
        return str(self.file.file_id)


@dataclass
class Gallery(State):
    """The photos that a visitor gave; they stay when the visitor opens another page.

    Attributes:
        given: by the file's id, in their order.
        listed: the ids that the uploader lists; it forgets them on another page.
        number: part of the uploader's key; another number makes a new, empty one.
        opened: the id of the photo that is shown alone; None: all are shown as tiles.
    """

    given: dict[str, Given] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    number: int = 0
    opened: str | None = None

    @property
    def key(self) -> str:
        """The uploader's key."""
        return f"photo files {self.number}"

    def take(self, files: Sequence[UploadedFile], new_uploader: bool) -> None:
        """Take in what the uploader lists, and drop what the visitor has removed from it.

        Args:
            files: those that the uploader and the camera hold now.
            new_uploader: whether it was not on the page before, so that it has forgotten all.
        """
        known = self.given
        now = {str(file.file_id): file for file in files}
        gone = set() if new_uploader else self.listed - now.keys()
        # Those of an earlier visit stay first; the others are in the order of the uploader's list.
        self.given = {id_: one for id_, one in known.items() if id_ not in gone | now.keys()}
        for id_, file in now.items():
            self.given[id_] = known.get(id_) or Given(file, reading.digest_of(file))
        self.listed = set(now)

    def shown(self) -> list[Given]:
        """Return the photos that are read and shown."""
        return list(self.given.values())[:AT_ONCE]

    def clear(self) -> None:
        """Forget all photos, here and where Streamlit keeps them."""
        context = get_script_run_ctx()
        manager = context.uploaded_file_mgr if context else None
        if context and isinstance(manager, MemoryUploadedFileManager):
            for id_ in self.given:
                manager.remove_file(context.session_id, id_)
        self.given, self.listed, self.opened = {}, set(), None
        self.number += 1


def gallery() -> Gallery:
    """Return this visitor's gallery."""
    return visit().state(Gallery)


def open_photo(id_: str | None) -> None:
    """Show one photo alone; None: all as tiles."""
    gallery().opened = id_


class Tiles:
    """The tiles of photos: each waits until its photo is read."""

    def __init__(self, given: Sequence[Given], group_only: bool) -> None:
        st.html(_STYLE)
        grid = st.grid(min_column_width=_TILE_PX, gap=(20, 12), key="all tiles")
        self._group_only = group_only
        self._places: dict[str, Any] = {}
        for number, one in enumerate(given):
            with grid:
                place = st.container(key=f"tile {number}", gap=None)
            self._places[one.id] = place.empty()
            self._places[one.id].html(_waiting(one.file.name))

    def show(self, one: Given, photo: ReadPhoto | str) -> None:
        """Show a photo that was read, or why it could not be."""
        place = self._places[one.id]
        if isinstance(photo, str):
            place.html(_broken(one.file.name, photo))
            return
        with place.container(gap=None):
            st.image(photo.thumb, width="stretch", alt=faces.alt(photo, self._group_only))
            st.html(f'<p class="emorec-name">{escape(one.file.name)}</p>')
            st.button(
                totals.said(photo.result.faces, self._group_only),
                key=f"open {one.id}",
                type="tertiary",
                on_click=open_photo,
                args=(one.id,),
            )


def _waiting(name: str) -> str:
    return (
        f'<div class="emorec-tile" role="status">{_("Waiting …")}</div>'
        f'<p class="emorec-name">{escape(name)}</p>'
    )


def _broken(name: str, why: str) -> str:
    return (
        f'<div class="emorec-tile"><b>{_("Not read")}</b><p>{escape(why)}</p></div>'
        f'<p class="emorec-name" title="{escape(name, quote=True)}">{escape(name)}</p>'
    )
