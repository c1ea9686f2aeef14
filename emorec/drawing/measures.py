"""Charts of a model's quality: confusion matrix, recall and precision, corruptions, runs.

A page shows them with `on_page`. They have no background, and their text contrasts with a light and
a dark theme alike. `emorec.training.plots` writes them as pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from emorec.drawing.axes import LINE, SHARE, TEXT
from emorec.emotions import COLORS, UNSURE
from emorec.model.evaluation import Measured
from emorec.model.network import ACTIVATIONS
from emorec.model.shelf import Run
from emorec.model.shown import FERPLUS_NAMES
from emorec.percent import percent
from emorec.words import _, numeral

Chart = alt.Chart | alt.LayerChart | alt.FacetChart

_CELL = "#2b7f83"  # the app's main colour
_HALF = 0.5
# Opacity by share: above one half a cell is opaque enough for white text, below it is pale enough
# for grey text, on a light and a dark background.
_OPACITY = alt.Scale(domain=[0, _HALF, _HALF + 1e-6, 1], range=[0.03, 0.32, 0.75, 1])
_NETWORKS = {"elu": LINE, "relu": "#e0852b"}  # colours
_FONT = 13
# As `emorec.percent` writes a share, with its no-break space.
_AXIS_TENTHS = "replace(format(datum.value * 100, '.1f'), '.', '{point}') + '\u00a0%'"
_BARE = alt.ViewBackground(stroke=None)  # no frame


def confusion(measured: Measured) -> Chart:
    """Return the confusion matrix as a heat map: the shares of each label's predictions."""
    labels = [_(label) for label in measured.labels]
    table = pd.DataFrame(
        [
            {
                "true": true,
                "said": said,
                "faces": count,
                "share": count / max(sum(row), 1),
                "text": percent(count / max(sum(row), 1)),
            }
            for true, row in zip(labels, measured.confusion, strict=True)
            for said, count in zip(labels, row, strict=True)
        ]
    )
    base = alt.Chart(table).encode(
        x=alt.X("said:N", sort=labels, title=_("the model said")).axis(
            orient="top",
            labelAngle=-75,  # flatter, a phone would cut off the last one
            labelOverlap=False,
            ticks=False,
            domain=False,
            labelFontSize=_FONT,
        ),
        y=alt.Y("true:N", sort=labels, title=_("the label")).axis(
            ticks=False, domain=False, labelFontSize=_FONT, labelOverlap=False
        ),
        tooltip=[
            alt.Tooltip("true:N", title=_("label")),
            alt.Tooltip("said:N", title=_("taken for")),
            alt.Tooltip("text:N", title=_("share")),
            alt.Tooltip("faces:Q", format=",", title=_("faces")),
        ],
    )
    opacity = alt.Opacity("share:Q", legend=None, scale=_OPACITY)
    strong = alt.datum.share > _HALF
    return alt.layer(
        base.mark_rect(color=_CELL, cornerRadius=3).encode(opacity=opacity),
        base.mark_text(fontSize=_FONT).encode(
            text="text:N",
            color=alt.condition(strong, alt.value("#ffffff"), alt.value(TEXT)),
        ),
        view=_BARE,
        height=380,
    )


def per_class(measured: Measured) -> Chart:
    """Return the recall and precision of each emotion as two bars."""
    labels = list(measured.labels)
    both = [_("recall"), _("precision")]
    table = pd.DataFrame(
        [
            {
                "emotion": _(emotion),
                "measure": measure,
                "value": value,
                "faces": quality.n,
                "text": percent(value),
            }
            for emotion, quality in measured.per_class.items()
            for measure, value in zip(both, (quality.recall, quality.precision), strict=True)
        ]
    )
    base = alt.Chart(table).encode(
        y=alt.Y("emotion:N", sort=[_(label) for label in labels], title=None).axis(
            ticks=False, domain=False, labelFontSize=_FONT, labelPadding=6, labelOverlap=False
        ),
        yOffset=alt.YOffset("measure:N", sort=both),
        # The space after 1 is for the number beside a full bar.
        x=_shares("value:Q", _("share of faces"), [0, 1.15]),
        tooltip=[
            alt.Tooltip("emotion:N", title=_("emotion")),
            alt.Tooltip("measure:N", title=_("measure")),
            alt.Tooltip("text:N", title=_("share")),
            alt.Tooltip("faces:Q", format=",", title=_("faces")),
        ],
    )
    return alt.layer(
        base.mark_bar(cornerRadius=2).encode(
            color=_color(labels),
            opacity=alt.Opacity("measure:N", sort=both)
            .scale(domain=both, range=[1.0, 0.45])
            .legend(
                orient="top",
                title=None,
                labelFontSize=_FONT,
                symbolType="square",
                symbolFillColor=TEXT,
                symbolStrokeWidth=0,
            ),
        ),
        base.mark_text(align="left", dx=6, fontSize=12, color=TEXT).encode(text="text:N"),
        view=_BARE,
        height=380,
    )


def corrupted(clean: float, accuracies: Mapping[str, float]) -> Chart:
    """Return the accuracy on corrupted faces as bars, the lowest first, and a line for clean faces.

    Args:
        clean: accuracy on the unchanged faces, in [0, 1].
        accuracies: accuracy by name of the corruption, in [0, 1].
    """
    names = sorted(accuracies, key=lambda name: accuracies[name])
    table = pd.DataFrame(
        {
            "faces": [_(name) for name in names],
            "accuracy": [accuracies[name] for name in names],
            "clean": clean,
            "text": [percent(accuracies[name]) for name in names],
        }
    )
    base = alt.Chart(table).encode(
        y=alt.Y("faces:N", sort=[_(name) for name in names], title=None).axis(
            ticks=False,
            domain=False,
            labelFontSize=_FONT,
            labelPadding=6,
            labelLimit=180,
            labelOverlap=False,  # else every second name is left out
        ),
        x=_shares("accuracy:Q", _("accuracy"), [0, 1]),
        tooltip=[
            alt.Tooltip("faces:N", title=_("faces")),
            alt.Tooltip("text:N", title=_("accuracy")),
        ],
    )
    line = alt.Chart(table).mark_rule(color=TEXT, strokeDash=[4, 4])
    return alt.layer(
        base.mark_bar(color=_CELL, cornerRadius=2),
        # Inside the bar, where the line does not cross it.
        base.mark_text(align="right", dx=-8, fontSize=12, color="#ffffff").encode(text="text:N"),
        line.encode(x=_shares("mean(clean):Q", _("accuracy"), [0, 1])),
        view=_BARE,
        height=26 * len(names),
    )


def seeds(runs: Sequence[Run], measure: str) -> Chart:
    """Return a measure of each run as a dot, and the mean of each network as a line.

    Args:
        runs: training runs of the networks ``elu`` and ``relu``.
        measure: one of `emorec.model.shelf.MEASURES`.
    """
    table = pd.DataFrame(
        {
            "network": [ACTIVATIONS[run.network] for run in runs],
            "seed": [run.seed for run in runs],
            "value": [getattr(run, measure) for run in runs],
            "text": [percent(getattr(run, measure), 1) for run in runs],
        }
    )
    names, colors = [ACTIVATIONS[network] for network in _NETWORKS], list(_NETWORKS.values())
    color = alt.Color("network:N", legend=None).scale(domain=names, range=colors)
    y = alt.Y("network:N", sort=names, title=None).axis(
        ticks=False, domain=False, labelFontSize=_FONT, labelPadding=6
    )
    across = alt.Scale(zero=False, padding=12)
    tenths = _AXIS_TENTHS.format(point=numeral("."))
    axis = alt.Axis(labelExpr=tenths, labelFontSize=12, tickCount=4, gridOpacity=0.3)
    dot, mean = "value:Q", "mean(value):Q"
    base = alt.Chart(table).encode(y=y, color=color)
    return alt.layer(
        base.mark_tick(thickness=2, size=30).encode(
            x=alt.X(mean, title=None, axis=axis, scale=across),
            tooltip=[alt.Tooltip("network:N", title=_("network"))],
        ),
        base.mark_point(filled=True, size=80, opacity=0.7).encode(
            x=alt.X(dot, title=None, scale=across),
            tooltip=[
                alt.Tooltip("network:N", title=_("network")),
                alt.Tooltip("seed:Q", title=_("seed")),
                alt.Tooltip("text:N", title=_("value")),
            ],
        ),
        view=_BARE,
        height=130,
    )


def _shares(column: str, title: str, domain: list[float]) -> alt.X:
    """Return an axis from 0 to 100 %; layers that share it must have the same."""
    axis = alt.Axis(
        labelExpr=SHARE, values=[0, 0.25, 0.5, 0.75, 1], gridOpacity=0.3, labelFontSize=12
    )
    return alt.X(column, title=title, axis=axis, scale=alt.Scale(domain=domain, nice=False))


def on_page(chart: Chart) -> Chart:
    """Return a chart as wide as its container on the page, with a transparent background."""
    return chart.properties(width="container", background="transparent")


def _color(labels: list[str]) -> alt.Color:
    own = {ferplus: COLORS[emotion] for emotion, ferplus in FERPLUS_NAMES.items()} | dict(COLORS)
    colors = [own.get(label, COLORS[UNSURE]) for label in labels]
    return alt.Color("emotion:N", legend=None).scale(
        domain=[_(label) for label in labels], range=colors
    )
