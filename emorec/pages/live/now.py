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
from emorec.percent import percent, signed
from emorec.records import Face
from emorec.sessions import group
from emorec.sessions.face_history import LEAST_BASELINE_S
from emorec.sessions.room import LEAST_FACES, measures
from emorec.sessions.timeline import Timeline
from emorec.words import N_, _, ngettext

_BARS, _ROWS = 2, 8  # faces that are shown with all bars, and with one bar each
_MOOD_S = 60.0
_NO_MOOD = N_("Mood: once {n} faces were each read for {seconds} s")


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
        st.info(_("No face in view."), icon=":material/person_off:")
    elif view.group_only and len(read) < group.LEAST:
        st.info(group.too_few(), icon=":material/groups:")
    elif view.group_only:
        _totals(totals(read))
        with st.container(key="mood", gap=None):
            _mood(timeline)
    elif len(read) <= _BARS:
        _cards(read)
    elif len(read) <= _ROWS:
        st.html(f'<div class="emorec-rows" role="list">{"".join(map(_row, read))}</div>')
    else:
        _totals(totals(read))
        with st.container(key="mood", gap=None):
            _mood(timeline)
        st.html(_seats(read, size_wh, view.mirror))


def said(faces: Sequence[Face], group_only: bool) -> str:
    """Return what is seen now in a few words, such as "9 faces, mostly happy"."""
    read = [face for face in faces if face.classified or face.unreadable]
    return said_of(read, group_only) if read else _("No face in view")


def strip(faces: Sequence[Face], group_only: bool) -> str:
    """Return the totals in one line of HTML, for a picture that fills the screen."""
    read = [face for face in faces if face.classified or face.unreadable]
    count = ngettext("{n} face", "{n} faces", len(read)).format(n=len(read))
    words = _words(totals(read), separator=" ") if told(read, group_only) else ""
    return (
        f'<div class="emorec-strip"><strong>{count}</strong><span>{words}</span>'
        f"<small>{_('Apparent expression, not inner feeling')}</small></div>"
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
        says = _(_NO_MOOD).format(n=LEAST_FACES, seconds=f"{LEAST_BASELINE_S:.0f}")
        st.html(f'<p class="emorec-mood">{says}</p>')
        return
    mood = signed(newest)
    says = _("Mood {mood}, of {n} faces").format(mood=mood, n=told.mood_faces[-1])
    st.html(f'<p class="emorec-mood">{says}</p>')
    values = np.stack([told.mood, told.mood_low, told.mood_high], axis=1)
    window = (now_s - _MOOD_S, now_s) if now_s > _MOOD_S else (0.0, _MOOD_S)
    st.vega_lite_chart(
        *charts.mood_line(told.time_s, values, window),
        key="mood line",
        alt=_("Mood of the last minute, now {mood}, with the middle half of the faces").format(
            mood=mood
        ),
    )


def _words(counts: Mapping[str, int], separator: str = ", ") -> str:
    return separator.join(
        f'<i style="background:{color(label)}"></i>{n} {_(label)}' for label, n in counts.items()
    )


def _number(face: Face, place: str = "") -> str:
    """Return a face's number as a button that follows the face, on its emotion's colour."""
    says = _("Face {number}: {says}. Follow it").format(number=face.track_id, says=face.says)
    says = escape(says, quote=True)
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
    title = _("Seat map")
    return f'<div class="emorec-seats" role="group" aria-label="{title}">{"".join(seats)}</div>'


def _followed(faces: Sequence[Face], number: int) -> None:
    """Show one face alone, and a way back to all."""
    all_faces = _("All faces")
    st.html(f'<button type="button" class="emorec-all" data-face="0">{all_faces}</button>')
    face = next((face for face in faces if face.track_id == number), None)
    if face is None:
        st.info(
            _("Face {number} is out of view.").format(number=number),
            icon=":material/person_off:",
        )
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
                    alt=_("Probabilities of face {number}").format(number=face.track_id),
                )
