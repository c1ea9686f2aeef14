"""Charts of probabilities: of one face now, and of everyone in view over time.

Backgrounds are transparent and text keeps the page's colour, so they fit a light and a dark theme.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from emorec.emotions import COLORS, EMOTIONS
from emorec.records import Face

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

_TEXT = "#797979"  # contrasts 4.3 : 1 with white and with Streamlit's dark ground alike
_BAR_END = "width - 52"  # leaves room for "100 %" beside the longest bar
_GAP_S = 2.0  # nobody in view for this long: the areas stop, and start again
_EMPTY_S = [0.0, 60.0]
_LEAST_STEP_S = 0.5
_MOST_STEPS = 150  # over the width of a chart; the page sends them anew twice a second
_CLOCK = "floor(datum.value / 60) + ':' + format(floor(datum.value % 60), '02')"


def bars(face: Face) -> Chart:
    """Return the seven probabilities of a face as horizontal bars, in ``EMOTIONS`` order.

    Args:
        face: its smoothed probabilities are shown; one that is not classified has empty bars.
    """
    values = face.by_emotion if face.classified else dict.fromkeys(EMOTIONS, 0.0)
    table = pd.DataFrame({"emotion": list(values), "probability": list(values.values())})
    table["text"] = [
        f"{p:.0%}".replace("%", " %") if face.classified else "" for p in values.values()
    ]
    base = alt.Chart(table).encode(
        y=alt.Y("emotion:N", sort=list(EMOTIONS), title=None).axis(
            ticks=False, domain=False, labelFontSize=13, labelPadding=6, labelOverlap=False
        ),
        x=alt.X("probability:Q", title=None, axis=None).scale(
            domain=[0, 1], nice=False, range=[0, {"expr": _BAR_END}]
        ),
    )
    return _plain(
        alt.layer(
            base.mark_bar(cornerRadius=2, height=13).encode(color=_color(None)),
            base.mark_text(align="left", dx=6, fontSize=13, color=_TEXT).encode(text="text:N"),
        ),
        height=190,
    )


def mood(
    rows: pd.DataFrame | Sequence[Mapping[str, object]],
    window_s: tuple[float, float] | None = None,
) -> Chart:
    """Return the mean probabilities of everyone in view over time, stacked to the full height.

    Args:
        rows: of a timeline, as a table or as records: ``seconds`` and one column an emotion; one
            row a face and moment; those of faces that could not be read are left out. Where nobody
            was read for two seconds there is a gap. May be empty.
        window_s: the first and last second shown; by default those of the rows.
    """
    table = pd.DataFrame(rows)
    if table.empty:
        table = pd.DataFrame(columns=["seconds", *EMOTIONS], dtype=float)
    areas = _areas(table[["seconds", *EMOTIONS]].astype(float).dropna())
    first, last = window_s or (areas["seconds"].min(), areas["seconds"].max())
    domain = [first, last] if last > first else _EMPTY_S
    return _plain(
        alt.Chart(areas)
        .mark_area(clip=True)
        .encode(
            x=alt.X("seconds:Q", title=None)
            .scale(domain=domain, nice=False)
            .axis(grid=False, labelExpr=_CLOCK, labelFontSize=12, tickCount=6, tickMinStep=1),
            y=alt.Y("low:Q", title=None)
            .scale(domain=[0, 1])
            .axis(grid=False, format="%", values=[0, 0.5, 1], labelFontSize=12),
            y2="high:Q",
            color=_color(
                alt.Legend(
                    orient="bottom",
                    title=None,
                    columns=4,
                    offset=6,
                    labelFontSize=13,
                    symbolSize=120,
                )
            ),
            detail="spell:N",
        ),
        height=290,
    )


def _areas(table: pd.DataFrame) -> pd.DataFrame:
    """Return ``seconds, spell, emotion, low, high``: each emotion's band, the first on top.

    Stacked here, as Vega-Lite's own stacking draws across the gaps between spells.
    """
    means = _means(table)
    high = 1.0
    bands = []
    total = means[list(EMOTIONS)].sum(axis=1)
    for emotion in EMOTIONS:
        low = (high - means[emotion] / total).clip(lower=0.0)
        bands.append(means[["seconds", "spell"]].assign(emotion=emotion, low=low, high=high))
        high = low
    return pd.concat(bands, ignore_index=True)


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a step of time in which someone was in view, and its ``spell`` without gap."""
    span = float(table["seconds"].max() - table["seconds"].min()) if len(table) else 0.0
    doublings = max(0, math.ceil(math.log2(max(span, 1.0) / _LEAST_STEP_S / _MOST_STEPS)))
    step = _LEAST_STEP_S * 2**doublings  # a step that grew with the span would make it waver
    means = table.groupby((table["seconds"] // step) * step)[list(EMOTIONS)].mean().reset_index()
    means["spell"] = (means["seconds"].diff() > max(_GAP_S, 1.5 * step)).cumsum()
    ends = means.groupby("spell").tail(1)  # a step lasts until the next: one alone has width too
    ends = ends.assign(seconds=ends["seconds"] + step)
    return pd.concat([means, ends]).sort_values("seconds", ignore_index=True)


def _color(legend: alt.Legend | None) -> alt.Color:
    colors = [COLORS[emotion] for emotion in EMOTIONS]
    scale = alt.Scale(domain=list(EMOTIONS), range=colors)
    return alt.Color("emotion:N", scale=scale, legend=legend, sort=list(EMOTIONS))


def _plain(chart: Chart, height: int) -> Chart:
    sized: Chart = chart.properties(height=height, width="container", background="transparent")
    return sized.configure_view(stroke=None)
