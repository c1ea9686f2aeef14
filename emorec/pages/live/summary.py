"""What the session was, once it is over: its numbers, its chart, and both to take away."""

from __future__ import annotations

import streamlit as st

from emorec.drawing import charts
from emorec.sessions.summary import summarize, to_csv, to_json
from emorec.sessions.timeline import Timeline


def show(timeline: Timeline) -> None:
    """Show what the session was, once it is over."""
    summary, rows = summarize(timeline), timeline.rows()
    st.subheader("Your session")
    length, seen, most = st.columns(3)
    length.metric("Length", f"{summary.duration_s:.0f} s")
    seen.metric("Faces seen", summary.faces_seen)
    most.metric("At once", summary.most_at_once)
    if not rows:
        st.info("No face was read in this session.", icon=":material/person_off:")
        return
    if summary.dominant is not None:
        share = summary.shares[summary.dominant]
        st.markdown(f"Most often **{summary.dominant}**: {share:.0%} of the time.")
    st.vega_lite_chart(*charts.mood(*timeline.readings(), timeline.span_s), key="session")
    csv, json = st.columns(2)
    csv.download_button(
        "CSV", to_csv(rows), "emorec_session.csv", "text/csv", width="stretch", on_click="ignore"
    )
    json.download_button(
        "JSON",
        to_json(summary, rows),
        "emorec_session.json",
        "application/json",
        width="stretch",
        on_click="ignore",
    )
    st.caption("Kept in memory until the next START or until this tab is closed; on disk, nothing.")
