"""Charts of what is read: one face now, and everyone in view over time.

A chart is a table and a Vega-Lite specification, as `st.vega_lite_chart` takes them. The live page
draws them anew several times a second for every visitor, so the specifications are plain: to load
Altair would take 46 MB, and five seconds of the first visitor's picture.
Backgrounds are transparent and text keeps the page's colour, so they fit a light and a dark theme.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from emorec.drawing.axes import CLOCK, LINE, SHARE, TEXT, moments, reach
from emorec.emotions import COLORS, EMOTIONS
from emorec.percent import percent
from emorec.records import Face
from emorec.words import _, numeral

Chart = tuple[pa.Table, dict[str, Any]]
"""The data, and the specification without them."""

_INK = "#101010"  # on the colour of any emotion
_BAR_END = "width - 52"  # leaves room for ">99 %" beside the longest bar
_LETTER_PX = 8.25  # of a name: "surprise" has room for 66 beside the newest moment
_LABELLED = 0.09  # of the minute's height: a lower band has no room for a letter
_LABELLED_INSIDE = 0.2  # of it: a band that was so high has its label where it was highest
_LABEL_S = 8.0  # as wide as a label inside is; closer to the newest moment it would touch others
_GAP_S = 2.0  # nobody in view for this long: the areas stop, and start again
_PLAIN = {"grid": False, "labelFontSize": 12}
_MOOD_LINE_PX = 64
_EMPTY_S = (0.0, 60.0)
_LEAST_STEP_S = 0.5
_MOST_STEPS = 150  # over the width of a chart; the page sends them anew twice a second


def names() -> list[str]:
    """Return what ``EMOTIONS`` are called in a chart, in their order."""
    return [_(emotion) for emotion in EMOTIONS]


def bars(face: Face) -> Chart:
    """Return the seven probabilities of a face as horizontal bars, in ``EMOTIONS`` order.

    Args:
        face: its smoothed probabilities are shown; one that is not classified has empty bars.
    """
    values = face.by_emotion if face.classified else dict.fromkeys(EMOTIONS, 0.0)
    texts = [percent(min(p, 1.0)) if face.classified else "" for p in values.values()]
    table = {"emotion": list(map(_, values)), "probability": list(values.values()), "text": texts}
    return pa.table(table), _bars()


def minute(
    seconds: npt.NDArray[np.float64],
    probs: npt.NDArray[np.float32],
    window_s: tuple[float, float],
    markers: Sequence[tuple[float, str]] = (),
) -> Chart:
    """Return `mood` of a short window, with the names beside the areas in place of a legend.

    An emotion that has no room beside the newest moment has its name where its area is highest,
    unless it was never high.

    Args:
        seconds: as `mood` takes them.
        probs: as `mood` takes them.
        window_s: the first and last second shown.
        markers: seconds and label of each; those outside the window are left out.
    """
    table, spec = _areas(seconds, probs), _minute()
    for layer in spec["layer"]:
        _show(layer, window_s)
    label, inside = _labels(table)
    middle = (table["low"].to_numpy() + table["high"].to_numpy()) / 2
    columns = {"middle": pa.array(middle), "label": label, "inside": inside}
    for name, column in columns.items():
        table = table.append_column(name, column)
    first, last = window_s
    shown = [{"seconds": at, "label": label} for at, label in markers if first <= at <= last]
    spec["layer"] += _marker_layers(shown, spec["layer"][0]["encoding"]["x"]) if shown else []
    return table, spec


def mood(
    seconds: npt.NDArray[np.float64],
    probs: npt.NDArray[np.float32],
    window_s: tuple[float, float] | None = None,
) -> Chart:
    """Return the mean probabilities of everyone in view over time, stacked to the full height.

    Where nobody was read for two seconds there is a gap.

    Args:
        seconds: float, shape (n,), when faces were read, as `Timeline.readings` gives them.
        probs: float32, shape (n, 7), what was read, in ``EMOTIONS`` order.
        window_s: the first and last second shown; by default those of the readings.
    """
    table = _areas(seconds, probs)
    if window_s is None and len(table):
        window_s = table["seconds"][0].as_py(), table["seconds"][-1].as_py()
    first, last = window_s or (0.0, 0.0)
    spec = _mood()
    _show(spec, (first, last) if last > first else _EMPTY_S)
    return table, spec


def mood_line(
    seconds: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    window_s: tuple[float, float],
) -> Chart:
    """Return the mood line of a short window, with its inter-quartile band.

    Args:
        seconds: shape (n,), start of each second.
        values: shape (n, 3): the mood, its lower and its upper quartile; NaN is a gap.
        window_s: the first and last second shown.
    """
    names = ("mood", "low", "high")
    # Vega-Lite interrupts lines and areas where a value is null.
    columns = {n: pa.array(v, from_pandas=True) for n, v in zip(names, values.T, strict=True)}
    table = pa.table({"seconds": seconds + 0.5} | columns)  # the middle of each second
    return table, _mood_line(window_s, reach(values))


def _show(spec: dict[str, Any], window_s: tuple[float, float]) -> None:
    """Have a chart over time begin and end at these seconds."""
    x = spec["encoding"]["x"]
    x["scale"]["domain"] = list(window_s)
    x["axis"] = x["axis"] | {"values": moments(*window_s)}


def _areas(seconds: npt.NDArray[np.float64], probs: npt.NDArray[np.float32]) -> pa.Table:
    """Return ``seconds, spell, emotion, low, high``: each emotion's band, the first on top.

    Stacked here, as Vega-Lite's own stacking draws across the gaps between spells.
    """
    starts, spell, means = _means(seconds, probs)
    low = (1.0 - np.cumsum(means / means.sum(axis=1, keepdims=True), axis=1)).clip(min=0.0)
    high = np.hstack([np.ones((len(low), 1)), low[:, :-1]])
    n = len(EMOTIONS)
    return pa.table(
        {
            "seconds": np.tile(starts, n),
            "spell": np.tile(spell, n),
            "emotion": np.repeat(names(), len(starts)),
            "low": low.T.ravel(),
            "high": high.T.ravel(),
        }
    )


def _labels(table: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Return the names to write beside the newest moment, and inside the areas; else ""."""
    n = len(table) // len(EMOTIONS)
    beside, inside = [""] * len(table), [""] * len(table)
    written = names()
    if n:
        seconds = table["seconds"].to_numpy()[:n]
        low, high = (table[name].to_numpy().reshape(-1, n) for name in ("low", "high"))
        shares, middles = high - low, (high + low) / 2
        early = np.flatnonzero(seconds <= seconds[-1] - _LABEL_S)
        beside_rows = np.flatnonzero(shares[:, -1] >= _LABELLED)
        for row in beside_rows:
            beside[row * n + n - 1] = written[row]
        taken: list[tuple[float, float]] = []
        for row in np.argsort(-shares[:, early].max(axis=1)) if len(early) else ():
            at = int(early[shares[row, early].argmax()])
            if row in beside_rows or shares[row, at] < _LABELLED_INSIDE:
                continue
            place = float(seconds[at]), float(middles[row, at])
            if all(abs(place[0] - s) > _LABEL_S or abs(place[1] - m) > _LABELLED for s, m in taken):
                taken.append(place)
                inside[row * n + at] = written[row]
    return pa.array(beside, pa.string()), pa.array(inside, pa.string())


def _means(
    seconds: npt.NDArray[np.float64], probs: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return the steps of time in which someone was in view, in order.

    Their first seconds, (m,); which ``spell`` without gap each belongs to, (m,); and the mean
    probabilities, (m, 7).
    """
    span = float(np.ptp(seconds)) if len(seconds) else 0.0
    doublings = max(0, math.ceil(math.log2(max(span, 1.0) / _LEAST_STEP_S / _MOST_STEPS)))
    step = _LEAST_STEP_S * 2**doublings  # a step that grew with the span would make it waver
    steps, at = np.unique(np.floor(seconds / step), return_inverse=True)
    sums = np.stack([np.bincount(at, column, len(steps)) for column in probs.T], axis=1)
    means = sums / np.bincount(at, minlength=len(steps))[:, None]
    starts = steps * step
    spell = np.cumsum(np.diff(starts, prepend=starts[:1]) > max(_GAP_S, 1.5 * step))
    # A step lasts until the next: one alone has width too.
    ends = np.flatnonzero(np.diff(spell, append=-1))
    starts = np.append(starts, starts[ends] + step)
    order = np.argsort(starts, kind="stable")
    return (
        starts[order],
        np.append(spell, spell[ends])[order],
        np.vstack([means, means[ends]])[order],
    )


def _bars() -> dict[str, Any]:
    axis: dict[str, Any] = {"domain": False, "ticks": False}
    axis |= {"labelFontSize": 13, "labelOverlap": False, "labelPadding": 6}
    place = {
        "y": _column("emotion", "nominal", sort=names(), title=None, axis=axis),
        "x": _column(
            "probability",
            "quantitative",
            scale={"domain": [0, 1], "nice": False, "range": [0, {"expr": _BAR_END}]},
            title=None,
            axis=None,
        ),
    }
    bar = {"type": "bar", "cornerRadius": 2, "height": 13}
    text = {"type": "text", "align": "left", "color": TEXT, "dx": 6, "fontSize": 13}
    return _sized(
        190,
        layer=[
            {"mark": bar, "encoding": place | {"color": _color(None)}},
            {"mark": text, "encoding": place | {"text": _column("text", "nominal")}},
        ],
    )


def _minute() -> dict[str, Any]:
    area = _mood()
    area["encoding"]["x"]["scale"] |= {"range": [0, {"expr": _minute_end()}]}
    area["encoding"]["color"]["legend"] = None
    place = {
        "x": area["encoding"]["x"],
        "y": _column("middle", "quantitative", scale={"domain": [0, 1]}, title=None),
    }
    styles: dict[str, dict[str, Any]] = {
        "label": {"align": "left", "dx": 5, "color": TEXT},
        "inside": {"align": "center", "color": _INK},
    }
    texts = [
        {
            "transform": [{"filter": f"datum.{column} != ''"}],
            "mark": {"type": "text", "fontSize": 12} | how,
            "encoding": place | {"text": _column(column, "nominal")},
        }
        for column, how in styles.items()
    ]
    layer = {"mark": area["mark"], "encoding": area["encoding"]}
    return _sized(160, layer=[layer, *texts])


def _mood() -> dict[str, Any]:
    seconds = {"labelExpr": CLOCK}
    shares = {"labelExpr": SHARE, "values": [0, 0.5, 1]}
    legend = {"orient": "bottom", "title": None, "columns": 4, "offset": 6}
    legend |= {"labelFontSize": 13, "symbolSize": 120}
    return _sized(
        290,
        mark={"type": "area", "clip": True},
        encoding={
            "x": _column(
                "seconds", "quantitative", scale={"nice": False}, title=None, axis=_PLAIN | seconds
            ),
            "y": _column(
                "low", "quantitative", scale={"domain": [0, 1]}, title=None, axis=_PLAIN | shares
            ),
            "y2": {"field": "high"},
            "color": _color(legend),
            "detail": _column("spell", "nominal"),
        },
    )


def _marker_layers(shown: list[dict[str, Any]], x: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a rule and a label for each marker; the label stands above the areas."""
    text = {"type": "text", "align": "left", "baseline": "bottom", "dx": -2, "y": -2}
    place = {"data": {"values": shown}, "encoding": {"x": x}}
    return [
        place | {"mark": {"type": "rule", "color": _INK, "strokeDash": [4, 3]}},
        place
        | {
            "mark": text | {"color": TEXT, "fontSize": 12, "limit": 90},
            "encoding": {"x": x, "text": _column("label", "nominal")},
        },
    ]


def _mood_line(window_s: tuple[float, float], most: float) -> dict[str, Any]:
    scale = {"nice": False, "range": [0, {"expr": _minute_end()}], "domain": list(window_s)}
    x = _column("seconds", "quantitative", scale=scale, title=None, axis=None)
    begin = {name: value for name, value in x.items() if name != "field"} | {"datum": window_s[0]}
    point = f"replace(format(datum.value, '+.1f'), '.', '{numeral('.')}')"
    values = {"values": [-most, 0, most], "labelExpr": point}
    y = {"scale": {"domain": [-most, most]}, "title": None, "axis": _PLAIN | values}
    return _sized(
        _MOOD_LINE_PX,
        layer=[
            {
                "mark": {"type": "area", "color": LINE, "opacity": 0.25, "clip": True},
                "encoding": {
                    "x": x,
                    "y": _column("low", "quantitative", **y),
                    "y2": {"field": "high"},
                },
            },
            {
                "mark": {"type": "rule", "color": TEXT, "strokeDash": [2, 3]},
                # As long as the line can be: names stand beside the minute's chart below it.
                "encoding": {"y": {"datum": 0}, "x": begin, "x2": {"datum": window_s[1]}},
            },
            {
                "mark": {"type": "line", "color": LINE, "strokeWidth": 2, "clip": True},
                "encoding": {"x": x, "y": _column("mood", "quantitative", **y)},
            },
        ],
    )


def _color(legend: dict[str, Any] | None) -> dict[str, Any]:
    colors = {"domain": names(), "range": [COLORS[emotion] for emotion in EMOTIONS]}
    return _column("emotion", "nominal", scale=colors, legend=legend, sort=names())


def _minute_end() -> str:
    """Return where the newest moment stands, so that any name has room beside it."""
    return f"width - {_LETTER_PX * max(map(len, names())):.0f}"


def _column(field: str, kind: str, **how: Any) -> dict[str, Any]:
    return {"field": field, "type": kind, **how}


def _sized(height: int, **chart: Any) -> dict[str, Any]:
    view = {"continuousHeight": 300, "continuousWidth": 300, "stroke": None}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.4.1.json",
        "background": "transparent",
        "config": {"view": view},
        "height": height,
        "width": "container",
        **chart,
    }
