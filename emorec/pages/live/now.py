"""What is seen now: bars of one or two faces, rows of up to eight, or the whole room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from emorec.drawing import charts
from emorec.emotions import COLORS, EMOTIONS, UNSURE
from emorec.pages.parts import naming
from emorec.percent import percent
from emorec.records import Face
from emorec.sessions import group

_BARS, _ROWS = 2, 8  # faces that are shown with all bars, and with one bar each
_UNREADABLE = "unreadable"
_ORDER = {label: place for place, label in enumerate((*EMOTIONS, UNSURE, _UNREADABLE))}


def show(faces: Sequence[Face], size_wh: tuple[int, int], mirror: bool, group_only: bool) -> None:
    """Show what is seen now.

    Args:
        faces: those in view, by their numbers.
        size_wh: of the picture, in pixels.
        mirror: whether the picture is shown as in a mirror.
        group_only: whether totals alone are shown.
    """
    read = [face for face in faces if face.classified or face.unreadable]
    if not read:
        st.info("Nobody in view.", icon=":material/person_off:")
    elif group_only and len(read) < group.LEAST:
        st.info(group.TOO_FEW, icon=":material/groups:")
    elif group_only:
        _totals(totals(read))
    elif len(read) <= _BARS:
        _cards(read)
    elif len(read) <= _ROWS:
        st.html(f'<div class="emorec-rows" role="list">{"".join(map(_row, read))}</div>')
    else:
        _totals(totals(read))
        st.vega_lite_chart(
            *charts.seats(read, size_wh, mirror), key="seats", alt="Where each face is"
        )


def totals(faces: Sequence[Face]) -> dict[str, int]:
    """Return how many faces show each label: the most frequent first, what has none last."""
    counts = Counter(_label(face) for face in faces)
    rank = {label: (label not in EMOTIONS, -n, _ORDER[label]) for label, n in counts.items()}
    return {label: counts[label] for label in sorted(counts, key=rank.__getitem__)}


def _label(face: Face) -> str:
    return _UNREADABLE if face.unreadable else face.emotion or UNSURE


def _color(label: str) -> str:
    return COLORS.get(label, COLORS[UNSURE])


def _totals(counts: Mapping[str, int]) -> None:
    bar = "".join(
        f'<b style="flex:{n};background:{_color(label)}">{n}</b>' for label, n in counts.items()
    )
    words = ", ".join(
        f'<i style="background:{_color(label)}"></i>{n} {label}' for label, n in counts.items()
    )
    st.html(
        f'<div class="emorec-room" aria-hidden="true">{bar}</div>'
        f'<p class="emorec-totals">{words}</p>'
    )


def _row(face: Face) -> str:
    label = escape(face.says if face.name is None else f"{face.name}: {face.says}")
    color = _color(_label(face))
    number = f'<b style="background:{color}">{face.track_id}</b>'
    if not face.classified:
        return f'<div role="listitem">{number}<span>{label}</span><i></i><span></span></div>'
    share = percent(face.confidence)
    width = round(100 * face.confidence)
    return (
        f'<div role="listitem">{number}<span>{label}</span>'
        f'<i><u style="width:{width}%;background:{color}"></u></i><span>{share}</span></div>'
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
