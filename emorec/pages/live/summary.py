"""What the session was, once it is over: its numbers, its chart, and both to take away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from emorec import rows
from emorec.drawing import charts
from emorec.live.stream import LiveStream
from emorec.pages.live.state import LivePicture
from emorec.percent import percent
from emorec.sessions import group
from emorec.sessions.room import groups_only
from emorec.sessions.seconds import mean_probabilities
from emorec.sessions.summary import summarize
from emorec.sessions.timeline import Timeline


def identity(stream: LiveStream) -> str | None:
    """Return what tells the last session from those before it; None: there is none."""
    return stream.timeline.clock_start.isoformat() if stream.timeline else None


def show(stream: LiveStream, made_with: dict[str, Any], own: LivePicture) -> None:
    """Show what the session was, once it is over, and ask whether to keep or discard it.

    Args:
        stream: what read it.
        made_with: the header of its rows.
        own: says whether it was an example, and whether totals alone are shown and taken away: no
            row of a single face.
    """
    timeline = stream.timeline
    assert timeline is not None, "only a session that has begun is shown"
    st.header("The example" if own.is_example else "Your session")
    _report(timeline, made_with, own.group_only or stream.view.group_only)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if own.is_example:
            st.button("Back to the start", type="primary", on_click=stream.discard)
            return
        # Keeping a session on the server, once there is a store, belongs here.
        st.button(
            "Discard this session",
            icon=":material/delete:",
            key="discard",
            on_click=stream.discard,
        )
        st.markdown(
            "**Keep or discard?** A new session takes the place of this one. It is kept in memory "
            "until you discard it or close this tab; on disk, nothing."
        )


def _report(timeline: Timeline, made_with: dict[str, Any], group_only: bool) -> None:
    summary = summarize(timeline)
    length, seen, most = st.columns(3)
    length.metric("Length", f"{summary.duration_s:.0f} s")
    seen.metric("Faces seen", summary.faces_seen)
    most.metric("At once", summary.most_at_once)
    if next(iter(timeline), None) is None:
        st.info("No face was read in this session.", icon=":material/person_off:")
        return
    seconds = timeline.seconds()
    if group_only:
        seconds = groups_only(seconds)
        if not len(seconds):
            st.info(group.TOO_FEW, icon=":material/groups:")
            return
    if summary.dominant is not None:
        share = summary.shares[summary.dominant]
        st.markdown(f"Most often **{summary.dominant}**: {percent(share)} of the time.")
    st.vega_lite_chart(*charts.mood(*mean_probabilities(seconds), timeline.span_s), key="session")
    name = f"emorec_{timeline.clock_start:%Y-%m-%d_%H%M}_session"
    csv, json = st.columns(2)
    if not group_only:
        csv.download_button(
            "CSV",
            # Written when the visitor asks for it: a long session takes seconds.
            lambda: rows.to_csv(timeline, rows.columns(wall_clock=True)),
            f"{name}.csv",
            "text/csv",
            width="stretch",
            on_click="ignore",
        )
    json.download_button(
        "JSON",
        lambda: rows.to_json(made_with, None if group_only else timeline, summary=summary),
        f"{name}.json",
        "application/json",
        width="stretch",
        on_click="ignore",
    )
    if not (timeline.complete or group_only):
        st.caption("The session was long: CSV and JSON hold single faces of its last minutes.")
