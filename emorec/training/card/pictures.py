"""The pictures of the model card: what is taken for what, and emotion by emotion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from emorec.emotions import COLORS, EMOTIONS
from emorec.training.plots import draw_confusion

_INK = "#30363d"
_TITLES = {
    "fer2013": "FER2013 head, FER2013's labels",
    "shown": "What the app shows, the voters' majority",
}
_DPI = 110
_COLORS = 128


def draw(kinds: Mapping[str, Any], folder: Path, name: str) -> None:
    """Draw the pictures of one model.

    Args:
        kinds: one split of its evaluation (`emorec.model.evaluation`).
        folder: receives ``NAME-confusion.png`` and ``NAME-emotions.png``.
        name: of the model.
    """
    folder.mkdir(exist_ok=True)
    for what, drawn in (("confusion", draw_confusion), ("emotions", draw_emotions)):
        file = folder / f"{name}-{what}.png"
        drawn(kinds, file)
        with Image.open(file) as picture:  # few colours: a fourth of the bytes, and none missed
            picture.convert("RGB").quantize(_COLORS).save(file, optimize=True)


def draw_emotions(kinds: Mapping[str, Any], file: Path) -> None:
    """Draw recall and precision of each of ``EMOTIONS`` as bars, a panel an answer."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    there = [kind for kind in _TITLES if kind in kinds]
    figure = Figure(figsize=(5.2 * len(there), 3.8), dpi=_DPI, layout="constrained")
    panels = figure.subplots(1, len(there), squeeze=False, sharex=True)[0]
    places = np.arange(len(EMOTIONS))
    colors = [COLORS[emotion] for emotion in EMOTIONS]
    for axes, kind in zip(panels, there, strict=True):
        rows = [kinds[kind]["per_class"][emotion] for emotion in EMOTIONS]
        for measure, shift, alpha in (("recall", -0.2, 1.0), ("precision", 0.2, 0.45)):
            bars = axes.barh(
                places + shift,
                [row[measure] for row in rows],
                height=0.37,
                color=colors,
                alpha=alpha,
            )
            axes.bar_label(
                bars,
                [f"{row[measure]:.0%} {measure}" for row in rows],
                padding=3,
                fontsize=7,
                color=_INK,
            )
        axes.set_yticks(
            places, [f"{e} ({row['n']})" for e, row in zip(EMOTIONS, rows, strict=True)]
        )
        axes.invert_yaxis()
        axes.set_xlim(0, 1.22)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, colors=_INK, labelsize=9)
        axes.set_title(f"{_TITLES[kind]}, {kinds[kind]['split']}", fontsize=10, color=_INK)
    figure.savefig(file)
