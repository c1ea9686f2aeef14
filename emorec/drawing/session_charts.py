"""Charts of a session: mood ribbon with markers, shares of expressions, faces, sessions compared.

They have no background, and their text contrasts with a light and a dark theme alike. A page shows
them with `on_page`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd

from emorec.drawing.axes import CLOCK, LINE, SHARE, TEXT, decimal, moments, reach
from emorec.drawing.charts import names
from emorec.emotions import COLORS, EMOTIONS
from emorec.words import _

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

Floats = npt.NDArray[np.float64]

_LINES = (LINE, "#e0852b", "#8d6fd1", "#c2506b", "#5a8f3c", "#4c7fc4")
_WIDTH, _HEIGHT = 860, 200
_PHONE = 280  # width of the plot there
_STRIP_PX = 14
_LEGEND_PX = 16
_AROUND_PX = 90


def ribbon(
    mood: tuple[Floats, Floats],
    band: tuple[Floats, Floats, Floats],
    markers: Sequence[tuple[float, str]],
    span_s: tuple[float, float],
) -> Chart:
    """Return the mood line over time, with its inter-quartile band and the markers.

    Args:
        mood: seconds and values; NaN interrupts the line.
        band: seconds, lower and upper quartile; NaN interrupts the band.
        markers: seconds and label of each.
        span_s: first and last second shown.
    """
    x = _time(span_s)
    most = reach(mood[1], *band[1:])
    y = (
        alt.Y("mood:Q", title=_("mood against each face's own start"))
        .scale(domain=[-most, most])
        .axis(labelExpr=decimal(), gridOpacity=0.3, titleColor=TEXT, labelColor=TEXT)
    )
    line, area = _pieces(*mood), _pieces(*band)
    return alt.layer(
        alt.Chart(area)
        .mark_area(opacity=0.22, color=LINE, clip=True)
        .encode(x=x, y=alt.Y("first:Q"), y2="second:Q", detail="piece:N"),
        alt.Chart(pd.DataFrame({"zero": [0.0]}))
        .mark_rule(color=TEXT, strokeDash=[2, 3])
        .encode(y="zero:Q"),
        alt.Chart(line.rename(columns={"first": "mood"}))
        .mark_line(color=LINE, strokeWidth=1.8, clip=True)
        .encode(x=x, y=y, detail="piece:N"),
        *_markers(markers, x),
    ).properties(width=_WIDTH, height=_HEIGHT)


def shares(time_s: Floats, values: Floats, span_s: tuple[float, float]) -> Chart:
    """Return the shares of the expressions over time, stacked to the full height.

    Args:
        time_s: start of each stretch, shape (n,), rising.
        values: shape (n, 7), each row of a sum over 0; a row with NaN is a gap.
        span_s: first and last second shown.
    """
    order = names()
    width_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 1.0
    known = ~np.isnan(values).any(axis=1)
    low = 1.0 - np.cumsum(values[known], axis=1) / values[known].sum(axis=1, keepdims=True)
    high = np.hstack([np.ones((len(low), 1)), low[:, :-1]])
    # A phone's pixel more: where two edges meet within one, the ground would shine through.
    width_s += (span_s[1] - span_s[0]) / _PHONE
    table = pd.DataFrame(
        {
            "seconds": np.repeat(time_s[known], len(order)),
            "end": np.repeat(time_s[known] + width_s, len(order)),
            "emotion": np.tile(order, len(low)),
            # Stacked here: Vega-Lite does not stack bars that have a width in time.
            "low": low.clip(min=0.0).ravel(),
            "high": high.ravel(),
        }
    )
    return (
        alt.Chart(table)
        .mark_rect(clip=True)
        .encode(
            x=_time(span_s),
            x2="end:Q",
            y=alt.Y("low:Q", title=None)
            .scale(domain=[0, 1])
            .axis(labelExpr=SHARE, values=[0, 0.5, 1], grid=False, labelColor=TEXT),
            y2="high:Q",
            color=alt.Color("emotion:N", sort=order)
            .scale(domain=order, range=[COLORS[emotion] for emotion in EMOTIONS])
            .legend(orient="bottom", title=None, labelColor=TEXT, columns=3),
        )
        .properties(width=_WIDTH, height=_HEIGHT)
    )


def strips(
    time_s: Floats, track_ids: npt.NDArray[np.int64], values: Floats, span_s: tuple[float, float]
) -> Chart:
    """Return a strip for each face, coloured by its likeliest expression.

    Args:
        time_s: start of each stretch of each face, shape (n,).
        track_ids: the face, shape (n,).
        values: mean probabilities, shape (n, 7).
        span_s: first and last second shown.
    """
    order = names()
    width_s = float(np.diff(np.unique(time_s)).min()) if len(np.unique(time_s)) > 1 else 1.0
    table = pd.DataFrame(
        {
            "seconds": time_s,
            "end": time_s + width_s,
            "face": track_ids,
            "emotion": [order[place] for place in values.argmax(axis=1)] if len(values) else [],
            "share": values.max(axis=1) if len(values) else [],
        }
    )
    faces = max(1, len(np.unique(track_ids)))
    return (
        alt.Chart(table)
        .mark_rect(clip=True)
        .encode(
            x=_time(span_s),
            x2="end:Q",
            y=alt.Y("face:O", title=_("face")).axis(labelColor=TEXT, titleColor=TEXT),
            color=alt.Color("emotion:N", sort=order)
            .scale(domain=order, range=[COLORS[emotion] for emotion in EMOTIONS])
            .legend(orient="bottom", title=None, labelColor=TEXT, columns=3),
            opacity=alt.Opacity("share:Q", legend=None).scale(domain=[0, 1], range=[0.25, 1]),
        )
        .properties(width=_WIDTH, height=_STRIP_PX * faces)
    )


def compared(
    lines: Mapping[str, tuple[Floats, Floats]], measure: str, span_s: tuple[float, float]
) -> Chart:
    """Return one measure of several sessions on one time axis.

    Args:
        lines: by name, seconds after the moment at which they are aligned, and values.
        measure: its name, beside the axis.
        span_s: first and last second shown.
    """
    parts = []
    for place, (name, line) in enumerate(lines.items()):
        pieces = _pieces(*line)
        parts.append(pieces.assign(session=name, piece=[f"{place}.{p}" for p in pieces["piece"]]))
    table = pd.concat(parts) if parts else pd.DataFrame(columns=["seconds", "first", "piece"])
    sessions = list(lines)
    values = [line[1] for line in lines.values()]
    most = reach(*values)
    least = -most if any((some < 0).any() for some in values) else 0.0
    return (
        alt.Chart(table)
        .mark_line(strokeWidth=1.8, clip=True)
        .encode(
            x=_time(span_s),
            y=alt.Y("first:Q", title=measure)
            .scale(domain=[least, most])
            .axis(labelExpr=decimal(), gridOpacity=0.3, labelColor=TEXT, titleColor=TEXT),
            # Dashes too, so that the lines differ without their colours.
            strokeDash=alt.StrokeDash("session:N", sort=sessions).legend(None),
            color=alt.Color("session:N", sort=sessions)
            .scale(domain=sessions, range=[_LINES[i % len(_LINES)] for i in range(len(sessions))])
            # One below the other: beside each other a phone would cut them off.
            .legend(orient="bottom", title=None, labelColor=TEXT, labelLimit=0, columns=1),
            detail="piece:N",
        )
        .properties(width=_WIDTH, height=_HEIGHT + _LEGEND_PX * len(sessions))
    )


def stacked(charts: Sequence[Chart], title: str, below: str) -> alt.VConcatChart:
    """Return charts one above the other, for a picture file on white.

    Args:
        charts: at least one.
        title: above them.
        below: one line under the title.
    """
    heading = alt.TitleParams(title, subtitle=below, anchor="start", offset=12)
    joined: alt.VConcatChart = alt.vconcat(
        *charts, background="white", padding=16, spacing=24
    ).properties(title=heading)
    return joined.resolve_scale(color="independent").configure_view(stroke=None)


def on_page(chart: Chart) -> Chart:
    """Return a chart as wide as its container on the page, with room for its axes and legend."""
    # A page fits all of a chart into its height; elsewhere the height is that of the plot alone.
    height = chart.height + _AROUND_PX
    return chart.properties(width="container", height=height, background="transparent")


def _time(span_s: tuple[float, float]) -> alt.X:
    first_s, last_s = span_s[0], max(span_s[1], span_s[0] + 1.0)
    return (
        alt.X("seconds:Q", title=None)
        .scale(domain=[first_s, last_s], nice=False)
        .axis(labelExpr=CLOCK, grid=False, values=moments(first_s, last_s), labelColor=TEXT)
    )


def _pieces(time_s: Floats, first: Floats, second: Floats | None = None) -> pd.DataFrame:
    """Return a line as a table without its gaps; ``piece`` numbers what lies between them."""
    known = ~np.isnan(first)
    piece = np.cumsum(np.diff(known.astype(int), prepend=0) == 1)
    columns = {"seconds": time_s, "first": first, "piece": piece}
    if second is not None:
        columns["second"] = second
    return pd.DataFrame({name: values[known] for name, values in columns.items()})


def _markers(markers: Sequence[tuple[float, str]], x: alt.X) -> list[alt.Chart]:
    if not markers:
        return []
    table = pd.DataFrame(markers, columns=["seconds", "label"])
    base = alt.Chart(table)
    return [
        base.mark_rule(color=TEXT, clip=True).encode(x=x, tooltip=["label:N"]),
        base.mark_text(align="left", baseline="top", dx=4, color=TEXT, limit=160, clip=True).encode(
            x=x, y=alt.value(2), text="label:N"
        ),
    ]
