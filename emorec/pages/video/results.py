"""What was read of a video: player, timeline, faces, strongest moments, files, report."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import streamlit as st

from emorec.clock import clock
from emorec.drawing import charts
from emorec.drawing.axes import TEXT
from emorec.jobs import results
from emorec.jobs.job import Job
from emorec.jobs.place import Place
from emorec.pages.parts import keeping
from emorec.pages.parts import report as session_report
from emorec.pages.parts.keep_form import ask, begin, show_kept
from emorec.pages.parts.markdown import plain
from emorec.pages.video import player
from emorec.pages.video.state import OwnVideo
from emorec.percent import percent
from emorec.rows import table
from emorec.sessions import group
from emorec.sessions.report import Report
from emorec.sessions.texts import TITLE_MOST
from emorec.words import N_, _, numeral

_SHOWN = {
    "track_id": N_("face"),
    "name": N_("name"),
    "emotion": N_("expression"),
    "confidence": N_("confidence"),
    "unreadable": N_("unreadable"),
}
_TITLE = "video title"
_THUMBNAIL_PX = 120
_TIMELINE_PX = 200
_ROW_PX, _FACES_PX = 35, 180
_LABELS = {
    "zip": N_("Everything (ZIP)"),
    "mp4": N_("Annotated video (MP4)"),
    "csv": N_("Timeline (CSV)"),
    "json": N_("Timeline (JSON)"),
    "parquet": N_("Timeline (Parquet)"),
    "xlsx": N_("Timeline (XLSX)"),
    "html": N_("Report (HTML)"),
}
_GROUP_LABELS = {"json": N_("Totals (JSON)"), "html": _LABELS["html"]}
_STYLE = """
<style>
.emorec-files { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.emorec-files a { border: 1px solid rgb(128 128 128 / 0.4); border-radius: 0.5rem;
  padding: 0.4rem 0.8rem; text-decoration: none; color: inherit; font-size: 0.875rem; }
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
    if place.closed:  # its two hours are over
        st.rerun()
    place.touch()
    assert job.result is not None
    report: dict[str, Any] = job.result["report"]
    moments: list[dict[str, Any]] = job.result["moments"]
    st.markdown(_figures(place.name, report))
    for note in _notes(report, job.result["notes"]):
        st.caption(note)
    if not job.order.group_only:
        if not own.chosen and moments:
            own.show(moments[0]["time_s"])
        left, right = st.columns([3, 2], gap="medium")
        with left:
            player.show(f"{address}/mp4?show=1", own.at_s, own.chosen)
        with right:
            if report["summary"]["faces_seen"]:
                _timeline(own, job)
                _faces(own, place)
            else:
                st.info(_("No face was read in this video."), icon=":material/person_off:")
        _moments(own, place, moments)
    _files(place, address, job.order.group_only)
    _session(own, results.session_of(place.source))


def clickable(chart: charts.Chart) -> charts.Chart:
    """Return a chart of areas over time in which a click chooses the nearest moment.

    The chart's selection ``moment`` holds ``seconds``, and a line marks it.
    """
    rows, spec = chart
    area = {name: spec.pop(name) for name in ("mark", "encoding")}
    line = {
        # Every moment once: the table has a row for each emotion.
        "transform": [{"filter": f"datum.emotion === '{charts.names()[0]}'"}],
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
        "mark": {"type": "rule", "color": TEXT, "size": 2, "tooltip": None},
        "encoding": {
            "x": area["encoding"]["x"],
            "opacity": {"condition": {"param": "moment", "empty": False, "value": 1}, "value": 0},
        },
    }
    return rows, spec | {"layer": [area, line]}


def _notes(report: dict[str, Any], notes: list[str]) -> list[str]:
    """Return what the video or its results lack, as Markdown."""
    told = [plain(note) for note in notes]
    if report["broken"]:
        told.append(_("{n} broken parts of the video were skipped.").format(n=report["broken"]))
    if report["missing_s"]:
        told.append(
            _(
                "The video ends {seconds} s before the length that it states; it may be cut off."
            ).format(seconds=numeral(f"{report['missing_s']:.1f}"))
        )
    return told


def _figures(name: str, report: dict[str, Any]) -> str:
    """Return the figures of a video as one line of Markdown."""
    summary = report["summary"]
    figures = [
        f"**{plain(name)}**",
        clock(report["duration_s"]),
        _("faces: {n}, at most {most} at once").format(
            n=summary["faces_seen"], most=summary["most_at_once"]
        ),
    ]
    if summary["dominant"] is not None:
        share = percent(summary["shares"][summary["dominant"]])
        figures.append(
            _("most often **{emotion}**: {share} of the time").format(
                emotion=_(summary["dominant"]), share=share
            )
        )
    return " · ".join(figures)


def _timeline(own: OwnVideo, job: Job) -> None:
    """Show the mood over time; a click shows the moment in the player and its faces below."""

    def choose() -> None:
        moments = st.session_state["video timeline"].selection.get("moment", [])
        if moments:
            own.show(float(moments[0]["seconds"]))

    st.markdown(_("**Timeline**: click a moment to see it."))
    rows, spec = clickable(charts.mood(*job.readings()))
    st.vega_lite_chart(
        rows,
        spec | {"height": _TIMELINE_PX},
        key="video timeline",
        on_select=choose,
        selection_mode="moment",
        alt=_("Mean probabilities of all faces in view over the video"),
    )


def _faces(own: OwnVideo, place: Place) -> None:
    """Show what the faces of the chosen moment show."""
    st.markdown(_("**Faces at {time}**").format(time=clock(own.at_s)))
    rows = results.rows_at(place.source, own.at_s)
    if not rows:
        st.caption(_("No face was read at this moment."))
        return
    faces = table(rows)[list(_SHOWN)].dropna(axis="columns", how="all")
    for column in ("emotion", "unreadable"):
        if column in faces:
            faces[column] = [_(said) if isinstance(said, str) else None for said in faces[column]]
    if "confidence" in faces:
        faces["confidence"] = [
            percent(share) if share == share else "" for share in faces["confidence"]
        ]
    st.dataframe(
        faces,
        hide_index=True,
        height=min(_FACES_PX, _ROW_PX * (len(rows) + 1) + 3),
        column_config={name: _(title) for name, title in _SHOWN.items() if name in faces},
    )


def _moments(own: OwnVideo, place: Place, moments: list[dict[str, Any]]) -> None:
    if not moments:
        return
    st.markdown(_("**Strongest moments**"))
    row = st.container(horizontal=True, gap="small")
    for number, moment in enumerate(moments):
        with row.container(width=_THUMBNAIL_PX, gap="xsmall"):
            st.image(
                (place.folder / moment["file"]).read_bytes(),
                width=_THUMBNAIL_PX,
                alt=_("Face {number}, {label}").format(
                    number=moment["track_id"], label=_(moment["emotion"])
                ),
            )
            st.button(
                f"{_(moment['emotion'])} {clock(moment['time_s'])}",
                key=f"moment {number}",
                help=_("Face {number}: {share}. Shows it above.").format(
                    number=moment["track_id"], share=percent(moment["confidence"])
                ),
                type="tertiary",
                on_click=own.show,
                args=(moment["time_s"],),
            )


def _session(own: OwnVideo, report: Report) -> None:
    """Show the report, as after a live session, and offer to keep it."""
    if report.group_only and not len(report.seconds):
        st.info(group.too_few(), icon=":material/groups:")
    elif report.summary.mean_valence is not None:
        st.header(_("Report"))
        _keep(own, report)
        session_report.show(report, "video report")


def _keep(own: OwnVideo, report: Report) -> None:
    """Offer to keep what the report tells, or say that it is kept."""
    if not keeping.offered():
        return
    if own.keeper is not None and own.keeper.state != "given up":
        show_kept(own.keeper)
        return
    if own.keeper is not None and own.keeper.problem:
        st.error(plain(own.keeper.problem))
    with st.expander(_("Keep this session"), icon=":material/bookmark_add:", key="keep form"):
        ask(
            partial(_begin, own, report),
            report.faces is not None,
            lambda: st.text_input(_("Title"), report.name, max_chars=TITLE_MOST, key=_TITLE),
        )


def _begin(own: OwnVideo, report: Report, purpose: str, keeps_faces: bool) -> None:
    from emorec.sessions.keeper import ReportedSession

    own.keeper = begin(
        ReportedSession(report),
        report.started_at,
        report.made_with,
        purpose,
        group_only=report.group_only,
        keeps_faces=keeps_faces,
        title=st.session_state.get(_TITLE, "").strip(),
    )


def _files(place: Place, address: str, group_only: bool) -> None:
    """Show a link to each file: the server sends it from disk, so it is never in memory whole."""
    found = results.by_kind(place.source)
    labels = _GROUP_LABELS if group_only else _LABELS
    links = "".join(
        f'<a href="{escape(address)}/{kind}" download>{_(label)}</a>'
        for kind, label in labels.items()
        if kind in found or kind == "zip"
    )
    st.html(f'{_STYLE}<div class="emorec-files">{links}</div>')
