"""What the session was, once it is over: its numbers, its chart, and both to take away."""

from __future__ import annotations

from typing import Any

import streamlit as st

from emorec import rows
from emorec.drawing import charts
from emorec.percent import percent
from emorec.sessions import group
from emorec.sessions.summary import summarize
from emorec.sessions.timeline import Timeline


def show(timeline: Timeline, made_with: dict[str, Any], group_only: bool = False) -> None:
    """Show what the session was, once it is over.

    Args:
        timeline: of the session.
        made_with: the header of its rows.
        group_only: whether totals alone are shown and taken away: no row of a single face.
    """
    summary = summarize(timeline)
    st.subheader("Your session")
    length, seen, most = st.columns(3)
    length.metric("Length", f"{summary.duration_s:.0f} s")
    seen.metric("Faces seen", summary.faces_seen)
    most.metric("At once", summary.most_at_once)
    if next(iter(timeline), None) is None:
        st.info("No face was read in this session.", icon=":material/person_off:")
        return
    readings = timeline.readings()
    if group_only:
        readings = group.of_groups(*readings)
        if timeline.most_at_once < group.LEAST or not len(readings[0]):
            st.info(group.TOO_FEW, icon=":material/groups:")
            return
    if summary.dominant is not None:
        share = summary.shares[summary.dominant]
        st.markdown(f"Most often **{summary.dominant}**: {percent(share)} of the time.")
    st.vega_lite_chart(*charts.mood(*readings, timeline.span_s), key="session")
    csv, json = st.columns(2)
    if not group_only:
        csv.download_button(
            "CSV",
            # Written when the visitor asks for it: a long session takes seconds.
            lambda: rows.to_csv(timeline, rows.columns(wall_clock=True)),
            "emorec_session.csv",
            "text/csv",
            width="stretch",
            on_click="ignore",
        )
    json.download_button(
        "JSON",
        lambda: rows.to_json(made_with, None if group_only else timeline, summary=summary),
        "emorec_session.json",
        "application/json",
        width="stretch",
        on_click="ignore",
    )
    st.caption("Kept in memory until the next START or until this tab is closed; on disk, nothing.")
