"""One kept session: its title and notes, its report, its deletion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from emorec.errors import EmorecError
from emorec.pages.parts import report as parts
from emorec.pages.parts.markdown import plain
from emorec.pages.sessions.state import SOURCES, show_list
from emorec.sessions.kept import Stored
from emorec.sessions.report import of_stored
from emorec.sessions.store import SessionStore
from emorec.sessions.texts import NOTES_MOST, TITLE_MOST
from emorec.words import _


def show(store: SessionStore, id_: int, seen: str | None) -> None:
    """Show a session.

    Args:
        store: of the sessions.
        id_: of the session.
        seen: whose sessions this visitor sees; None: all.

    Raises:
        EmorecError: there is no such session, or the store does not answer.
    """
    stored = store.session(id_, seen)
    st.button(
        _("All sessions"), icon=":material/arrow_back:", key="all sessions", on_click=show_list
    )
    st.title(plain(stored.name))
    st.caption(plain(_facts(stored)))
    _edit(store, stored, seen)
    report = of_stored(store, id_, seen)
    if report.summary.mean_valence is None:
        st.info(_("No face was read in what is kept."), icon=":material/person_off:")
        return
    st.header(_("Report"))
    parts.show(report, f"session {id_}", partial(_change_marker, store, id_, seen))


def _facts(stored: Stored) -> str:
    facts = [
        f"{stored.started_at:%Y-%m-%d %H:%M} UTC",
        _("Kept for: {purpose}").format(purpose=_(stored.purpose)),
    ]
    if stored.source in SOURCES:
        facts.insert(0, _(SOURCES[stored.source]))
    if stored.delete_after is not None:
        facts.append(_("until {date}").format(date=f"{stored.delete_after:%Y-%m-%d}"))
    if stored.group_only:
        facts.append(_("Group only"))
    if not stored.ended:
        facts.append(_("the program ended before the session did, or it still runs"))
    return " · ".join(facts)


def _edit(store: SessionStore, stored: Stored, seen: str | None) -> None:
    with st.container(horizontal=True):
        with st.popover(_("Title and notes"), icon=":material/edit:", width="content"):
            title = st.text_input(
                _("Title"), stored.title, max_chars=TITLE_MOST, key=f"title {stored.id}"
            )
            notes = st.text_area(
                _("Notes"), stored.notes, max_chars=NOTES_MOST, key=f"notes {stored.id}"
            )
            if st.button(_("Save"), type="primary", key=f"save {stored.id}"):

                def save() -> None:
                    store.rename(stored.id, title, seen)
                    store.note(stored.id, notes, seen)

                _change(save)
        with st.popover(_("Delete"), icon=":material/delete:", width="content"):
            st.markdown(
                _("**{name}** is deleted, for good, at once.").format(name=plain(stored.name))
            )
            if st.button(_("Delete for good"), type="primary", key=f"delete {stored.id}"):

                def delete() -> None:
                    store.delete(stored.id, seen)
                    show_list()

                _change(delete)
    if stored.notes:
        st.text(stored.notes)


def _change(change: Callable[[], None]) -> None:
    """Make a change and show the page again; or show the error."""
    try:
        change()
    except EmorecError as error:
        st.error(plain(str(error)))
    else:
        st.rerun()


def _change_marker(
    store: SessionStore, id_: int, seen: str | None, number: int, label: str | None
) -> None:
    markers = store.markers(id_, seen)
    if label is None:
        store.set_markers(id_, [each for each in markers if each.id != number])
    else:
        store.set_markers(
            id_, [replace(each, label=label) if each.id == number else each for each in markers]
        )
