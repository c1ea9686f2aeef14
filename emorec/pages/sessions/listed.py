"""The list of kept sessions: search, open, choose to compare, delete all."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import streamlit as st

from emorec.clock import clock
from emorec.drawing.axes import LINE, TEXT
from emorec.pages.parts import keeping
from emorec.pages.parts.disk import disk
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import visit
from emorec.pages.sessions.state import SOURCES, Shown, choose, compare_chosen, open_session
from emorec.sessions.kept import Stored
from emorec.sessions.store import SessionStore
from emorec.words import _, ngettext

_A_PAGE = 20  # sessions shown at once: a thousand would take seconds
_SEARCH_FROM = 5
_MOST = 0.5  # mood at the upper and lower end of a thumbnail

_STYLE = """
<style>
.st-key-sessions img { width: 8rem; height: 2.5rem; display: block; }
.st-key-sessions [data-testid="stButton"] button { min-height: 1.75rem; padding-block: 0; }
.st-key-sessions [data-testid="stButton"] p { font-weight: 600; }
.st-key-sessions [data-testid="stCaptionContainer"] { margin-bottom: 0; }
.st-key-sessions [data-testid="stCaptionContainer"] p { margin: 0; }
</style>
"""


def show(store: SessionStore, seen: str | None) -> None:
    """Show the list.

    Args:
        store: of the sessions.
        seen: whose sessions this visitor sees; None: all.
    """
    st.title(_("Sessions"))
    st.caption(_whose(seen))
    store.delete_expired()
    every = store.sessions(seen)
    own = visit().state(Shown)
    own.chosen &= {each.id for each in every}
    if not every:
        st.info(f"{_('No session is kept.')} {_how_to_keep()}", icon=":material/inbox:")
        return
    found: Sequence[Stored] = every
    if len(every) >= _SEARCH_FROM:
        word = st.text_input(
            _("Search"),
            key="search sessions",
            placeholder=_("Title, notes, purpose or marker"),
        )
        found = store.sessions(seen, word) if word.strip() else every
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Compare ({n})").format(n=len(own.chosen)),
            icon=":material/stacked_line_chart:",
            key="compare sessions",
            disabled=len(own.chosen) < 2,
            help=_("Choose two or more."),
            on_click=compare_chosen,
        )
        _delete_all(store, seen, len(every))
    pages = max(1, -(-len(found) // _A_PAGE))
    own.page = min(own.page, pages - 1)
    st.html(_STYLE)
    with st.container(key="sessions", gap="small"):
        for each in found[own.page * _A_PAGE : (own.page + 1) * _A_PAGE]:
            _row(each)
    if not found:
        st.info(_("No session has this in it."), icon=":material/search_off:")
    if pages > 1:
        _turn(own, pages)


def _whose(seen: str | None) -> str:
    days = _("Each is deleted after {days} days.").format(days=keeping.days())
    if seen is None:
        return f"{_('Kept sessions of all visitors.')} {days}"
    if keeping.by_login():
        return f"{_('The sessions that you kept.')} {days}"
    return _(
        "The sessions kept from this browser, which a random id in a cookie identifies. {days} "
        "Without the cookie they can no longer be opened here."
    ).format(days=days)


def _row(stored: Stored) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<img alt="" src="{_thumbnail(stored.thumbnail)}">', width="content")
        with st.container(gap="xxsmall", width="stretch"):
            st.button(
                plain(stored.name),
                type="tertiary",
                key=f"open session {stored.id}",
                on_click=open_session,
                args=(stored.id,),
            )
            st.caption(plain(_facts(stored)))
        choose(stored.id)


def _facts(stored: Stored) -> str:
    faces = ngettext("{n} face", "{n} faces", stored.faces_seen).format(n=stored.faces_seen)
    facts = [clock(stored.duration_s), faces, _(stored.purpose)]
    if stored.title:
        facts.insert(0, f"{stored.started_at:%Y-%m-%d %H:%M} UTC")
    if stored.source in SOURCES:
        facts.insert(0, _(SOURCES[stored.source]))
    if not stored.ended:
        facts.append(_("not ended"))
    return " · ".join(facts)


def _thumbnail(mood: npt.NDArray[np.float32]) -> str:
    """Return the mood line as the address of a drawing; where it is not known it is interrupted."""
    step = 100 / max(1, len(mood) - 1)
    lines: list[list[str]] = [[]]
    for place, value in enumerate(mood.tolist()):
        if math.isnan(value):
            lines.append([])
            continue
        y = 20 - 18 * max(-_MOST, min(_MOST, value)) / _MOST
        lines[-1].append(f"{place * step:.1f},{y:.1f}")
    drawn = "".join(f'<polyline points="{" ".join(line)}"/>' for line in lines if line)
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40" width="128" height="40" '
        'preserveAspectRatio="none" fill="none">'
        f'<path d="M0 20H100" stroke="{TEXT}" stroke-dasharray="2 3"/>'
        f'<g stroke="{LINE}" stroke-width="1.5">{drawn}</g></svg>'
    )
    # Streamlit takes drawings out of a page's HTML, but not pictures.
    return f"data:image/svg+xml;base64,{b64encode(picture.encode()).decode()}"


def _turn(own: Shown, pages: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Newer"),
            key="newer sessions",
            disabled=own.page == 0,
            on_click=partial(_to_page, own, own.page - 1),
        )
        st.markdown(_("Page {n} of {all}").format(n=own.page + 1, all=pages), width="content")
        st.button(
            _("Older"),
            key="older sessions",
            disabled=own.page == pages - 1,
            on_click=partial(_to_page, own, own.page + 1),
        )


def _how_to_keep() -> str:
    """Say where on this server a session is kept."""
    if keeping.from_start():
        live = _("On the Live page each session is kept, from START on.")
    else:
        live = _("**Keep** on the Live page keeps one.")
    if disk() is None:
        return live
    return f"{live} {_('**Keep this session** on the Video page keeps what a video showed.')}"


def _to_page(own: Shown, page: int) -> None:
    own.page = page


def _delete_all(store: SessionStore, seen: str | None, count: int) -> None:
    with st.popover(_("Delete all"), icon=":material/delete_forever:", width="content"):
        says = ngettext(
            "**{n}** session is deleted, for good, at once.",
            "**{n}** sessions are deleted, for good, at once.",
            count,
        )
        st.markdown(says.format(n=count))
        if st.button(_("Delete all for good"), type="primary", key="delete all sessions"):
            store.delete_all(seen)
            st.rerun()
