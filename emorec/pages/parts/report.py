"""A session's report on a page: figures, charts, markers, what limits it, and its downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from threading import Thread

import streamlit as st

from emorec.clock import clock
from emorec.errors import EmorecError
from emorec.pages.parts.markdown import plain
from emorec.percent import percent
from emorec.sessions.downloads import KINDS, file_name, write
from emorec.sessions.face_history import LEAST_BASELINE_S
from emorec.sessions.known_errors import known_errors
from emorec.sessions.report import NOTICE, Report, charts
from emorec.sessions.room import LEAST_FACES
from emorec.sessions.texts import LABEL_MOST
from emorec.sessions.timeline import Marker

_NAMES = {
    "html": "HTML",
    "png": "PNG",
    "xlsx": "XLSX",
    "csv": "CSV",
    "json": "JSON",
    "parquet": "Parquet",
    "faces-csv": "CSV of faces",
    "faces-parquet": "Parquet of faces",
}

ALTS = {
    "Mood": "The room's mood over time, with the markers",
    "Expressions": "Shares of the seven expressions over time",
    "Faces": "The likeliest expression of each face over time",
}

ChangeMarker = Callable[[int, str | None], None]
"""Gives the marker of this number a new label; None removes it. It raises an EmorecError where that
is not possible."""


_STYLE = """
<style>
.st-key-report-figures { row-gap: 0.75rem; }
.stMain h3 { font-size: 1.25rem; }
</style>
"""
"""Figures in two rows stand as one block, and a chart's heading is smaller than the report's."""


def show(report: Report, key: str, change_marker: ChangeMarker | None = None) -> None:
    """Show a report.

    Args:
        report: on a session in which at least one second is told.
        key: begins the keys of its elements; each report has its own.
        change_marker: called when the visitor renames or removes a marker; None: there are none.
    """
    st.html(_STYLE)
    _figures(report)
    if loading().is_alive():
        st.caption(":material/hourglass_top: The charts are drawn in a moment.")
        st.fragment(_wait, run_every=0.5)()
    else:
        _charts(report, key)
    if report.markers and change_marker:
        with st.expander(f"Markers ({len(report.markers)})", icon=":material/flag:"):
            edit_markers(report.markers, key, change_marker)
    _downloads(report, key)
    with st.expander("What this is, and what it is not", icon=":material/info:"):
        st.markdown(NOTICE)
        st.markdown("**What the model is known to get wrong**")
        st.markdown("\n".join(f"- {plain(line)}" for line in known_errors(report.made_with)))
        st.markdown(f"**Read by** EmoRec {plain(report.version)}, with these settings:")
        st.json(dict(report.made_with), expanded=False)


@cache
def loading() -> Thread:
    """Return the thread that loads what draws the charts; the first call starts it.

    Loading it takes seconds. A run that waited for it would show START, and all else that it takes
    away, until then.
    """
    thread = Thread(
        target=import_module, args=("emorec.drawing.session_charts",), name="emorec-charts"
    )
    thread.start()
    return thread


def _wait() -> None:
    if not loading().is_alive():
        st.rerun()


def _charts(report: Report, key: str) -> None:
    from emorec.drawing.session_charts import on_page

    drawn = charts(report)
    for heading, chart in drawn.items():
        st.subheader(heading)
        st.altair_chart(on_page(chart), key=f"{key} {heading}", alt=ALTS[heading])
    if "Mood" not in drawn:
        st.caption(
            f"A mood line needs {LEAST_FACES} faces or more at once, each read for "
            f"{LEAST_BASELINE_S:.0f} seconds."
        )


def _figures(report: Report) -> None:
    summary = report.summary
    with st.container(horizontal=True, gap="large", key="report figures"):
        st.metric("Length", clock(summary.duration_s), width="content")
        st.metric("Faces seen", summary.faces_seen, width="content")
        st.metric("At once", summary.most_at_once, width="content")
        st.metric("Not readable", percent(min(summary.unreadable, 1.0)), width="content")
        if summary.mean_valence is not None:
            st.metric("Mean valence", f"{summary.mean_valence:+.2f}", width="content")
    if summary.dominant is not None:
        share = percent(min(summary.shares[summary.dominant], 1.0))
        st.markdown(f"Most often **{summary.dominant}**: {share} of the time.")


def edit_markers(markers: Sequence[Marker], key: str, change: ChangeMarker) -> None:
    """Let the visitor rename and remove markers.

    Args:
        markers: at least one.
        key: as of `show`.
        change: as of `show`.
    """
    names = {marker.id: f"{clock(marker.time_s)} {marker.label}" for marker in markers}
    chosen = st.selectbox("Marker", list(names), format_func=names.__getitem__, key=f"{key} marker")
    label = next(marker.label for marker in markers if marker.id == chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        new = st.text_input(
            "Label", label, max_chars=LABEL_MOST, key=f"{key} label {chosen} {label}"
        )
        renamed = st.button("Rename", key=f"{key} rename marker")
        removed = st.button("Remove", icon=":material/delete:", key=f"{key} remove marker")
    if renamed or removed:
        try:
            change(chosen, None if removed else new)
        except EmorecError as error:
            st.error(plain(str(error)))
        else:
            st.rerun()


def _downloads(report: Report, key: str) -> None:
    what = "totals a second" if report.faces is None else "totals and single faces a second"
    st.markdown(f"**Download** the report: {what}.")
    row = st.container(horizontal=True, gap="small", key=f"{key} downloads")
    for kind, name in _NAMES.items():
        if kind.startswith("faces-") and report.faces is None:
            continue
        row.download_button(
            name,
            # Written when the visitor asks for it: a long session takes seconds.
            partial(write, report, kind),
            file_name(report.started_at, kind),
            KINDS[kind].mime,
            key=f"{key} download {kind}",
            on_click="ignore",
        )
