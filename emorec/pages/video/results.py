"""What was read of a video: the player beside its faces, the timeline, strongest moments, files."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from emorec.drawing import charts
from emorec.emotions import EMOTIONS
from emorec.jobs import results
from emorec.jobs.disk import Place
from emorec.jobs.job import Job
from emorec.jobs.tables import rows_at
from emorec.pages.video import player
from emorec.pages.video.state import OwnVideo
from emorec.percent import percent
from emorec.rows import table
from emorec.sessions import group

_SHOWN = ("track_id", "emotion", "confidence", "unreadable")
_THUMBNAIL_PX = 120
_LABELS = {
    results.ZIP: "Everything (ZIP)",
    results.VIDEO: "Annotated video (MP4)",
    results.CSV: "Timeline (CSV)",
    results.JSON: "Timeline (JSON)",
    results.PARQUET: "Timeline (Parquet)",
    results.TOTALS: "Totals (JSON)",
}
_STYLE = """
<style>
.emorec-files { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.emorec-files a { border: 1px solid rgb(128 128 128 / 0.4); border-radius: 0.5rem;
  padding: 0.35rem 0.8rem; text-decoration: none; color: inherit; }
.emorec-files a:hover { border-color: currentColor; }
</style>
"""


def show(own: OwnVideo, place: Place, job: Job, address: str) -> None:
    """Show the results.

    Args:
        own: holds the moment that is shown.
        place: where the results lie.
        job: that has read the video.
        address: of the place's downloads.
    """
    assert job.result is not None
    report: dict[str, Any] = job.result["report"]
    _figures(report)
    if job.order.group_only:
        _totals(report, job)
    elif not report["summary"]["faces_seen"]:
        st.info("No face was read in this video.", icon=":material/person_off:")
        player.show(f"{address}/{results.VIDEO}?show=1", own.at_s, own.chosen)
    else:
        _faces(own, place, job, address)
    _files(place, address)


def clock(time_s: float) -> str:
    """Return a time of a video, as 1:05."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes}:{seconds:02d}"


def clickable(chart: charts.Chart) -> charts.Chart:
    """Return a chart of areas over time in which a click chooses the nearest moment.

    The chart's selection ``moment`` holds ``seconds``, and a line marks it.
    """
    rows, spec = chart
    area = {name: spec.pop(name) for name in ("mark", "encoding")}
    line = {
        # Every moment once: the table has a row for each emotion.
        "transform": [{"filter": f"datum.emotion === '{EMOTIONS[0]}'"}],
        "params": [
            {
                "name": "moment",
                "select": {
                    "type": "point",
                    "fields": ["seconds"],
                    "encodings": ["x"],
                    "nearest": True,
                    "on": "click",
                },
            }
        ],
        "mark": {"type": "rule", "color": "#797979", "size": 2},
        "encoding": {
            "x": area["encoding"]["x"],
            "opacity": {"condition": {"param": "moment", "empty": False, "value": 1}, "value": 0},
        },
    }
    return rows, spec | {"layer": [area, line]}


def _figures(report: dict[str, Any]) -> None:
    summary = report["summary"]
    length, seen, most = st.columns(3)
    length.metric("Length", clock(report["duration_s"]))
    seen.metric("Faces seen", summary["faces_seen"])
    most.metric("At once", summary["most_at_once"])
    if summary["dominant"] is not None:
        share = summary["shares"][summary["dominant"]]
        st.markdown(f"Most often **{summary['dominant']}**: {percent(share)} of the time.")
    if report["broken"]:
        st.caption(f"{report['broken']} broken parts of the video were skipped.")


def _totals(report: dict[str, Any], job: Job) -> None:
    seconds, probs = job.readings()
    if report["summary"]["most_at_once"] < group.LEAST or not len(seconds):
        st.info(group.TOO_FEW, icon=":material/groups:")
        return
    st.vega_lite_chart(*charts.mood(seconds, probs), key="video totals")


def _faces(own: OwnVideo, place: Place, job: Job, address: str) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        player.show(f"{address}/{results.VIDEO}?show=1", own.at_s, own.chosen)
    with right:
        st.markdown(f"**Faces at {clock(own.at_s)}**")
        rows = rows_at(place.folder, own.at_s)
        if rows:
            st.dataframe(
                table(rows)[list(_SHOWN)].dropna(axis="columns", how="all"),
                hide_index=True,
                column_config={
                    "track_id": "face",
                    "confidence": st.column_config.NumberColumn(format="percent"),
                },
            )
        else:
            st.caption("No face was read at this moment.")
    st.markdown("**Timeline**: click a moment to see its picture and its faces.")

    def choose() -> None:
        moments = st.session_state["video timeline"].selection.get("moment", [])
        if moments:
            own.show(float(moments[0]["seconds"]))

    st.vega_lite_chart(
        *clickable(charts.mood(*job.readings())),
        key="video timeline",
        on_select=choose,
        selection_mode="moment",
        alt="Mean probabilities of all faces in view over the video",
    )
    assert job.result is not None
    _moments(own, place, job.result["moments"])


def _moments(own: OwnVideo, place: Place, moments: list[dict[str, Any]]) -> None:
    if not moments:
        return
    st.markdown("**Strongest moments**")
    row = st.container(horizontal=True, gap="small")
    for number, moment in enumerate(moments):
        with row.container(width=_THUMBNAIL_PX, gap="xsmall"):
            st.image(
                (place.folder / results.moment(number)).read_bytes(),
                width=_THUMBNAIL_PX,
                alt=f"Face {moment['track_id']}, {moment['emotion']}",
            )
            st.button(
                f"{moment['emotion']} {clock(moment['time_s'])}",
                key=f"moment {number}",
                help=f"Face {moment['track_id']}: {percent(moment['confidence'])}. Shows it above.",
                type="tertiary",
                on_click=own.show,
                args=(moment["time_s"],),
            )


def _files(place: Place, address: str) -> None:
    """Show a link to each file: the server sends it from disk, so it is never in memory whole."""
    found = results.files(place.folder, place.name)
    links = "".join(
        f'<a href="{escape(address)}/{name}" download>{label}</a>'
        for name, label in _LABELS.items()
        if name in found or name == results.ZIP
    )
    st.html(f'{_STYLE}<div class="emorec-files">{links}</div>')
