"""The Photo page: a gallery of what was read, and one photo opened."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from emorec.errors import EmorecError
from emorec.pages.parts import naming, opened, reading, totals
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.detector import choose_detector
from emorec.pages.parts.engine import recognizer
from emorec.pages.parts.example import EXAMPLE_ALT, example_picture
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.reading import How
from emorec.pages.photo import downloads
from emorec.pages.photo.gallery import AT_ONCE, Gallery, Given, Tiles, gallery, open_photo
from emorec.photos.reading import ReadPhoto
from emorec.recognizer import EmotionRecognizer
from emorec.rows import header
from emorec.words import _, ngettext

_ALONE = "<style>.st-key-giving { display: none; }</style>"
"""One photo needs the whole height. The uploader is hidden only: else it would forget its files."""


def render() -> None:
    """Show the page."""
    st.title(_("Photo"))
    st.caption(
        _(
            "Reads the **apparent expression** of every face, not inner feeling. "
            "Nothing is stored: pictures are read in memory and forgotten."
        )
    )
    own = gallery()
    try:
        engine = recognizer()
    except EmorecError as error:
        st.error(plain(str(error)))
        return
    new_uploader = st.session_state.get(own.key) is None
    with st.container(key="giving"):
        files = st.file_uploader(
            _("Photos: up to {n} at once").format(n=AT_ONCE),
            accept_multiple_files=True,
            key=own.key,
        )
        how, shot = _choices(engine, own)
    own.take([*files, *([shot] if shot else [])], new_uploader)
    given = own.shown()
    if len(own.given) > len(given):
        st.warning(
            _(
                "Only the first {most} of {n} pictures are read. Remove some to read the others."
            ).format(most=AT_ONCE, n=len(own.given)),
            icon=":material/photo_library:",
        )
    reading.keep("photo", [how.key(one.digest) for one in given])
    if not given:
        st.image(example_picture(), width=720, alt=_(EXAMPLE_ALT))
        st.caption(_("An example: what a photo looks like once it is read."))
        return
    _show(own, given, how)
    st.button(_("Remove all photos"), type="tertiary", icon=":material/delete:", on_click=own.clear)


def _choices(engine: EmotionRecognizer, own: Gallery) -> tuple[How, UploadedFile | None]:
    """Return how photos are read, and the shot that was taken with the camera."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    # The browser asks for the camera as soon as the page shows it: not before it is wanted.
    camera = row.toggle(_("Take a shot with the camera"), key="photo camera")
    with row.popover(_("Settings"), icon=":material/tune:"):
        detector = choose_detector(engine, "photo detector")
    group_only = deployment().group_only
    names = not group_only and naming.choose("photo names")
    shot = None
    if camera:
        shot = st.camera_input(_("Shot"), key="photo shot", label_visibility="collapsed")
    return How(engine, detector, names, group_only), shot


def _show(own: Gallery, given: Sequence[Given], how: How) -> None:
    """Show the photos as tiles, or the one that is opened; read those that are not read yet."""
    places = {one.id: place for place, one in enumerate(given)}
    if len(given) > 1 and own.opened in places:
        _opened(given, places[own.opened], how)
    elif len(given) > 1:
        _tiles(given, how)
    else:
        photo = _read(given[0], how)
        _one(given[0], photo, how)
        _take_away([(given[0], photo)], how)


def _tiles(given: Sequence[Given], how: How) -> None:
    summary, actions = st.empty(), st.container()
    tiles = Tiles(given, how.group_only)
    waiting = [one for one in given if not reading.is_read(one.digest, how)]
    # What is read already is there at once, before the others are read one after the other.
    photos = {one.id: _read(one, how) for one in given if one not in waiting}
    for one in given:
        if one.id in photos:
            tiles.show(one, photos[one.id])
    for count, one in enumerate(waiting, start=len(photos) + 1):
        said = _("Reading {name}: {n} of {all}").format(
            name=plain(one.file.name), n=count, all=len(given)
        )
        summary.progress((count - 1) / len(given), said)
        photos[one.id] = reading.read(one.file, one.digest, how)
        tiles.show(one, photos[one.id])
    found = [photo for one in given if isinstance(photo := photos[one.id], ReadPhoto)]
    with summary.container():
        _totals(found, len(given), how)
    with actions:
        _take_away([(one, photos[one.id]) for one in given], how)


def _opened(given: Sequence[Given], place: int, how: How) -> None:
    one = given[place]
    st.html(_ALONE)
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.button(_("All photos"), icon=":material/arrow_back:", on_click=open_photo, args=(None,))
    for label, icon, other in (
        (_("Previous"), ":material/chevron_left:", place - 1),
        (_("Next"), ":material/chevron_right:", place + 1),
    ):
        inside = 0 <= other < len(given)
        id_ = given[other].id if inside else None
        row.button(label, icon=icon, disabled=not inside, on_click=open_photo, args=(id_,))
    row.caption(_("{n} of {all}").format(n=place + 1, all=len(given)))
    _one(one, _read(one, how), how)


def _one(one: Given, photo: ReadPhoto | str, how: How) -> None:
    if isinstance(photo, str):
        st.error(opened.broken(one.file.name, photo), icon=":material/broken_image:")
        return
    st.header(f"{plain(one.file.name)}: {totals.said(photo.result.faces, how.group_only)}")
    opened.show(f"photo {one.id}", one.file, photo, how.group_only)


def _read(one: Given, how: How) -> ReadPhoto | str:
    if reading.is_read(one.digest, how):
        return reading.read(one.file, one.digest, how)
    with st.spinner(_("Reading {name}").format(name=plain(one.file.name))):
        return reading.read(one.file, one.digest, how)


def _totals(photos: Sequence[ReadPhoto], given: int, how: How) -> None:
    """Show what all photos together show."""
    faces = [face for photo in photos for face in photo.result.faces]
    if how.group_only:
        # Photos of fewer faces do not count: the total of all, less the others, would tell of them.
        faces = [
            face
            for photo in photos
            if totals.told(photo.result.faces, group_only=True)
            for face in photo.result.faces
        ]
    said = _("{n} photos").format(n=given)
    said = f"**{said}, {totals.count(faces) if faces else _('no face')}**"
    if given > len(photos):
        broken = given - len(photos)
        said += ngettext(
            "; {n} file could not be read", "; {n} files could not be read", broken
        ).format(n=broken)
    st.markdown(said)
    if faces:
        opened.share_bar(totals.totals(faces))


def _take_away(read: Sequence[tuple[Given, ReadPhoto | str]], how: How) -> None:
    photos = [(one.file.name, photo) for one, photo in read if isinstance(photo, ReadPhoto)]
    if any(photo.result.faces for _name, photo in photos):
        made_with = header(how.recognizer.model, how.engine.settings)
        downloads.show(downloads.Export(photos, made_with, how.names, how.group_only))
