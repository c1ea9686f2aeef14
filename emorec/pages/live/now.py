"""What is seen now: bars of one or two faces, rows of up to eight, or the whole room."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st

from emorec.drawing import charts
from emorec.live.frame import View
from emorec.pages.parts import naming
from emorec.pages.parts.totals import color, told, totals
from emorec.pages.parts.totals import label as label_of
from emorec.pages.parts.totals import said as said_of
from emorec.percent import percent
from emorec.records import Face
from emorec.sessions import group
from emorec.sessions.room import measures
from emorec.sessions.timeline import Timeline

_BARS, _ROWS = 2, 8  # faces that are shown with all bars, and with one bar each
_MOOD_S = 60.0


def show(
    faces: Sequence[Face],
    size_wh: tuple[int, int],
    view: View,
    followed: int | None = None,
    timeline: Timeline | None = None,
) -> None:
    """Show what is seen now.

    Args:
        faces: those in view, by their numbers.
        size_wh: of the picture, in pixels.
        view: how the picture is shown.
        followed: number of the face that is shown alone, unless totals alone are shown; None: all
            are shown.
        timeline: gives the mood line of the room; None: it is not shown.
    """
    read = [face for face in faces if face.classified or face.unreadable]
    if followed is not None and not view.group_only:
        _followed(read, followed)
    elif not read:
        st.info("No face in view.", icon=":material/person_off:")
    elif view.group_only and len(read) < group.LEAST:
        st.info(group.too_few(), icon=":material/groups:")
    elif view.group_only:
        _totals(totals(read))
        _mood(timeline)
    elif len(read) <= _BARS:
        _cards(read)
    elif len(read) <= _ROWS:
        st.html(f'<div class="emorec-rows" role="list">{"".join(map(_row, read))}</div>')
    else:
        _totals(totals(read))
        _mood(timeline)
        st.html(_seats(read, size_wh, view.mirror))


def said(faces: Sequence[Face], group_only: bool) -> str:
    """Return what is seen now in a few words, such as "9 faces, mostly happy"."""
    read = [face for face in faces if face.classified or face.unreadable]
    return said_of(read, group_only) if read else "No face in view"


def strip(faces: Sequence[Face], group_only: bool) -> str:
    """Return the totals in one line of HTML, for a picture that fills the screen."""
    read = [face for face in faces if face.classified or face.unreadable]
    count = "1 face" if len(read) == 1 else f"{len(read)} faces"
    words = _words(totals(read), separator=" ") if told(read, group_only) else ""
    return (
        f'<div class="emorec-strip"><strong>{count}</strong><span>{words}</span>'
        "<small>Apparent expression, not inner feeling</small></div>"
    )


def _totals(counts: Mapping[str, int]) -> None:
    bar = "".join(
        f'<b style="flex:{n};background:{color(label)}">{n}</b>' for label, n in counts.items()
    )
    st.html(
        f'<div class="emorec-room" aria-hidden="true">{bar}</div>'
        f'<p class="emorec-totals">{_words(counts)}</p>'
    )


def _mood(timeline: Timeline | None) -> None:
    """Show the mood line of the last minute, and the number of faces that it rests on."""
    if timeline is None:
        return
    now_s = timeline.span_s[1]
    told = measures(timeline.finished(int(now_s - _MOOD_S) - 1))
    newest = told.mood[-1] if len(told.mood) else math.nan
    if math.isnan(newest):
        st.html('<p class="emorec-mood">Mood: told once 3 faces were read for half a minute</p>')
        return
    st.html(f'<p class="emorec-mood">Mood {newest:+.2f}, of {told.mood_faces[-1]} faces</p>')
    values = np.stack([told.mood, told.mood_low, told.mood_high], axis=1)
    window = (now_s - _MOOD_S, now_s) if now_s > _MOOD_S else (0.0, _MOOD_S)
    st.vega_lite_chart(
        *charts.mood_line(told.time_s, values, window),
        key="mood line",
        alt=f"Mood of the last minute, now {newest:+.2f}, with the middle half of the faces",
    )


def _words(counts: Mapping[str, int], separator: str = ", ") -> str:
    return separator.join(
        f'<i style="background:{color(label)}"></i>{n} {label}' for label, n in counts.items()
    )


def _number(face: Face, place: str = "") -> str:
    """Return a face's number as a button that follows the face, on its emotion's colour."""
    says = escape(f"Face {face.track_id}: {face.says}. Follow it", quote=True)
    return (
        f'<button type="button" data-face="{face.track_id}" aria-label="{says}" title="{says}"'
        f' style="{place}background:{color(label_of(face))}">{face.track_id}</button>'
    )


def _seats(faces: Sequence[Face], size_wh: tuple[int, int], mirror: bool) -> str:
    """Return a map of the picture: each face's number where the face is, as it is shown."""
    width, height = size_wh
    seats = []
    for face in faces:
        x = (face.box.x1 + face.box.x2) / 2 / width
        y = (face.box.y1 + face.box.y2) / 2 / height
        left = 100 * (1 - x if mirror else x)
        seats.append(_number(face, f"left:{left:.1f}%;top:{100 * y:.1f}%;"))
    return f'<div class="emorec-seats" role="group" aria-label="Seat map">{"".join(seats)}</div>'


def _followed(faces: Sequence[Face], number: int) -> None:
    """Show one face alone, and a way back to all."""
    st.html('<button type="button" class="emorec-all" data-face="0">All faces</button>')
    face = next((face for face in faces if face.track_id == number), None)
    if face is None:
        st.info(f"Face {number} is out of view.", icon=":material/person_off:")
    else:
        _cards([face])


def _row(face: Face) -> str:
    label = escape(face.says if face.name is None else f"{face.name}: {face.says}")
    shade = color(label_of(face))
    number = _number(face)
    if not face.classified:
        return f'<div role="listitem">{number}<span>{label}</span><i></i><span></span></div>'
    share = percent(face.confidence)
    width = round(100 * face.confidence)
    return (
        f'<div role="listitem">{number}<span>{label}</span>'
        f'<i><u style="width:{width}%;background:{shade}"></u></i><span>{share}</span></div>'
    )


def _cards(faces: Sequence[Face]) -> None:
    for column, face in zip(st.columns(len(faces)), faces, strict=True):
        with column:
            st.markdown(f"{naming.called(face)}: {face.says}")
            if face.classified:
                st.vega_lite_chart(
                    *charts.bars(face),
                    key=f"bars {faces.index(face)}",
                    alt=f"Probabilities of face {face.track_id}",
                )
