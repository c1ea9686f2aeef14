"""A session's report on a page: figures, charts, markers, what limits it, and its downloads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib import import_module
from threading import Thread

import streamlit as st

from emorec.clock import clock
from emorec.errors import EmorecError
from emorec.pages.parts.language import worded
from emorec.pages.parts.markdown import plain
from emorec.percent import percent, signed
from emorec.sessions.downloads import KINDS, file_name, write
from emorec.sessions.face_history import LEAST_BASELINE_S
from emorec.sessions.known_errors import known_errors
from emorec.sessions.report import NOTICE, Report, charts
from emorec.sessions.room import LEAST_FACES
from emorec.sessions.texts import LABEL_MOST
from emorec.sessions.timeline import Marker
from emorec.words import N_, _, bound

_NAMES = {
    "html": "HTML",
    "png": "PNG",
    "xlsx": "XLSX",
    "csv": "CSV",
    "json": "JSON",
    "parquet": "Parquet",
    "faces-csv": N_("CSV of faces"),
    "faces-parquet": N_("Parquet of faces"),
}

ALTS = {
    "Mood": N_("The room's mood over time, with the markers"),
    "Expressions": N_("Shares of the seven expressions over time"),
    "Faces": N_("The likeliest expression of each face over time"),
}

READ_BY_PEOPLE = ("html", "png")
"""The kinds of file that are written in the visitor's language; the others are data, in English."""

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
        st.caption(f":material/hourglass_top: {_('The charts are drawn in a moment.')}")
        st.fragment(_wait, run_every=0.5)()
    else:
        _charts(report, key)
    if report.markers and change_marker:
        with st.expander(_("Markers ({n})").format(n=len(report.markers)), icon=":material/flag:"):
            edit_markers(report.markers, key, change_marker)
    _downloads(report, key)
    with st.expander(_("What this is, and what it is not"), icon=":material/info:"):
        st.markdown(_(NOTICE))
        st.markdown(f"**{_('What the model is known to get wrong')}**")
        st.markdown("\n".join(f"- {plain(line)}" for line in known_errors(report.made_with)))
        st.markdown(
            _("**Read by** EmoRec {version}, with these settings:").format(
                version=plain(report.version)
            )
        )
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
        st.subheader(_(heading))
        st.altair_chart(on_page(chart), key=f"{key} {heading}", alt=_(ALTS[heading]))
    if "Mood" not in drawn:
        says = _("A mood line needs {n} faces or more at once, each read for {seconds} seconds.")
        st.caption(says.format(n=LEAST_FACES, seconds=f"{LEAST_BASELINE_S:.0f}"))


def _figures(report: Report) -> None:
    summary = report.summary
    with st.container(horizontal=True, gap="large", key="report figures"):
        st.metric(_("Length"), clock(summary.duration_s), width="content")
        st.metric(_("Faces seen"), summary.faces_seen, width="content")
        st.metric(_("At once"), summary.most_at_once, width="content")
        st.metric(_("Not readable"), percent(min(summary.unreadable, 1.0)), width="content")
        if summary.mean_valence is not None:
            st.metric(_("Mean valence"), signed(summary.mean_valence), width="content")
    if summary.dominant is not None:
        share = percent(min(summary.shares[summary.dominant], 1.0))
        st.markdown(
            _("Most often **{emotion}**: {share} of the time.").format(
                emotion=_(summary.dominant), share=share
            )
        )


def edit_markers(markers: Sequence[Marker], key: str, change: ChangeMarker) -> None:
    """Let the visitor rename and remove markers.

    Args:
        markers: at least one.
        key: as of `show`.
        change: as of `show`.
    """
    names = {marker.id: f"{clock(marker.time_s)} {marker.label}" for marker in markers}
    chosen = st.selectbox(
        _("Marker"), list(names), format_func=names.__getitem__, key=worded(f"{key} marker")
    )
    label = next(marker.label for marker in markers if marker.id == chosen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        new = st.text_input(
            _("Label"), label, max_chars=LABEL_MOST, key=f"{key} label {chosen} {label}"
        )
        renamed = st.button(_("Rename"), key=f"{key} rename marker")
        removed = st.button(_("Remove"), icon=":material/delete:", key=f"{key} remove marker")
    if renamed or removed:
        try:
            change(chosen, None if removed else new)
        except EmorecError as error:
            st.error(plain(str(error)))
        else:
            st.rerun()


def _downloads(report: Report, key: str) -> None:
    if report.faces is None:
        st.markdown(_("**Download** the report: totals a second."))
    else:
        st.markdown(_("**Download** the report: totals and single faces a second."))
    row = st.container(horizontal=True, gap="small", key=f"{key} downloads")
    for kind, name in _NAMES.items():
        if kind.startswith("faces-") and report.faces is None:
            continue
        row.download_button(
            _(name),
            # Written when the visitor asks for it: a long session takes seconds.
            partial(bound(write) if kind in READ_BY_PEOPLE else write, report, kind),
            file_name(report.started_at, kind),
            KINDS[kind].mime,
            key=f"{key} download {kind}",
            on_click="ignore",
        )
