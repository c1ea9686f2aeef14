"""Kept sessions compared: one measure of each on one time axis, and the difference of two spans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from emorec.clock import clock
from emorec.errors import EmorecError
from emorec.pages.parts.language import worded
from emorec.pages.parts.markdown import plain
from emorec.pages.sessions.state import show_list
from emorec.percent import signed
from emorec.sessions.compare import MEASURES, Difference, Span, compare, line, part
from emorec.sessions.downsample import min_max
from emorec.sessions.kept import Stored
from emorec.sessions.report import MOST_POINTS
from emorec.sessions.room import measures
from emorec.sessions.seconds import Table
from emorec.sessions.store import SessionStore
from emorec.sessions.timeline import Marker
from emorec.words import N_, _

_NAMES = {
    "mood": N_("Mood"),
    "smile": N_("Smile share"),
    "synchrony": N_("Synchrony"),
    "unreadable": N_("Unreadable share"),
}
_ACROSS = 4  # choices beside each other
_START = 0  # in place of a marker's number, which is 1 or more


@dataclass(frozen=True, slots=True, eq=False)
class _Session:
    """A session that is compared.

    Attributes:
        name: as it is called here; tells it from the others.
        seconds: all that is kept of the room.
    """

    stored: Stored
    name: str
    seconds: Table
    markers: tuple[Marker, ...]


def show(store: SessionStore, ids: Sequence[int], seen: str | None) -> None:
    """Compare sessions.

    Args:
        store: of the sessions.
        ids: of two sessions or more.
        seen: whose sessions this visitor sees; None: all.

    Raises:
        EmorecError: a session is gone, or the store does not answer.
    """
    sessions = [_read(store, id_, seen) for id_ in ids]
    st.button(
        _("All sessions"), icon=":material/arrow_back:", key="all sessions", on_click=show_list
    )
    st.title(_("Sessions compared"))
    choices = st.columns(min(1 + len(sessions), _ACROSS))
    with choices[0]:
        measure = st.selectbox(
            _("What"),
            MEASURES,
            format_func=lambda name: _(_NAMES.get(name) or name),
            key=worded("measure"),
        )
    starts_s = []
    for place, each in enumerate(sessions, start=1):
        with choices[place % len(choices)]:
            starts_s.append(_aligned_at(each))
    _chart(sessions, measure, starts_s)
    st.header(_("The difference of two spans"))
    left, right = st.columns(2)
    with left:
        first = _span(sessions, _("First span"), 0)
    with right:
        second = _span(sessions, _("Second span"), 1)
    try:
        told = compare(part(*first), part(*second), measure)
    except EmorecError as error:
        st.info(plain(str(error)))
    else:
        _difference(told)


def _read(store: SessionStore, id_: int, seen: str | None) -> _Session:
    stored = store.session(id_, seen)
    name = _("{name} (no. {number})").format(name=stored.name, number=id_)
    return _Session(stored, name, store.seconds(id_, seen), store.markers(id_, seen))


def _aligned_at(session: _Session) -> float:
    """Let the visitor choose the moment that becomes 0, where there are markers; return it."""
    if not session.markers:
        return session.stored.first_s
    names = {_START: _("Start")} | {m.id: f"{clock(m.time_s)} {m.label}" for m in session.markers}
    chosen = st.selectbox(
        _("Align {session} at").format(session=plain(session.name)),
        list(names),
        format_func=names.__getitem__,
        key=worded(f"align {session.stored.id}"),
    )
    moments = {m.id: m.time_s for m in session.markers}
    return moments.get(chosen, session.stored.first_s)


def _chart(sessions: Sequence[_Session], measure: str, starts_s: Sequence[float]) -> None:
    from emorec.drawing.session_charts import compared, on_page

    lines = {}
    for each, start_s in zip(sessions, starts_s, strict=True):
        told = measures(each.seconds)
        lines[each.name] = min_max(told.time_s - start_s, line(told, measure), MOST_POINTS)
    ends = [
        float(x) for times, _values in lines.values() if len(times) for x in (times[0], times[-1])
    ]
    span_s = (min(ends, default=0.0), max(ends, default=1.0))
    if measure in _NAMES:
        name = _(_NAMES[measure])
    else:
        name = _("share of {emotion}").format(emotion=_(measure))
    st.altair_chart(
        on_page(compared(lines, name, span_s)),
        key="compared",
        alt=_("{measure} of {n} sessions over time").format(measure=name, n=len(sessions)),
    )


def _span(sessions: Sequence[_Session], title: str, place: int) -> tuple[Table, Span]:
    """Let the visitor choose a span of a session; return the session's seconds and the span."""
    st.markdown(f"**{title}**")
    chosen = st.selectbox(
        _("Session"),
        range(len(sessions)),
        format_func=lambda at: sessions[at].name,
        key=worded(f"span session {place}", min(place, len(sessions) - 1)),
    )
    session = sessions[chosen]
    first_s = int(session.stored.first_s)
    last_s = max(first_s + 1, int(session.stored.last_s) + 1)
    start_s, end_s = st.select_slider(
        _("From, to"),
        range(first_s, last_s + 1),
        (first_s, last_s),
        format_func=clock,
        key=f"span {place} {session.stored.id}",
    )
    return session.seconds, Span(start_s, max(end_s, start_s + 1))


def _difference(told: Difference) -> None:
    """Say what the difference is, and whether it may be chance."""
    with st.container(horizontal=True, gap="large"):
        st.metric(_("First"), signed(told.first), width="content")
        st.metric(_("Second"), signed(told.second), width="content")
        st.metric(_("Second less first"), signed(told.difference), width="content")
    if told.clear:
        says = _("The interval leaves out 0.")
    else:
        says = _("The interval holds 0: it may be chance.")
    interval = _("95 % interval of the difference: **{low} to {high}**.").format(
        low=signed(told.low), high=signed(told.high)
    )
    st.markdown(f"{interval} {says}")
    st.caption(
        _(
            "Means over {first} and {second} seconds that have a value; moving-block bootstrap. It"
            " says nothing of why they differ."
        ).format(first=told.seconds[0], second=told.seconds[1])
    )
