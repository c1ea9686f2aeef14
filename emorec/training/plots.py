"""Pictures of a run and of the model card: how it learned, and what it takes for what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from emorec.model.evaluation import Measured
from emorec.model.shelf import MEASURES

if TYPE_CHECKING:
    from emorec.drawing.measures import Chart

_INK, _GRID = "#30363d", "#d8dde3"
_CURVES = {"accuracy": "#3b6fd4", "macro_f1": "#e07b1f", "ferplus": "#2f9e63"}  # colours
_DPI = 130
_PANEL_PT = 380  # width of a panel
_SCALE = 1.3  # pixels a point
_COLORS = 128


def draw_curves(history: Sequence[Mapping[str, float]], file: Path) -> None:
    """Draw the loss, and the quality on the validation faces, over the epochs.

    Args:
        history: rows of ``history.csv``.
        file: of the PNG.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure = Figure(figsize=(10, 4), dpi=_DPI, layout="constrained")
    loss, quality = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    few = "o" if len(epochs) < 15 else ""
    loss.plot(epochs, [row["loss"] for row in history], color=_INK, marker=few, markersize=3)
    loss.set_title("Training loss")
    for name, color in _CURVES.items():
        if name not in history[0]:
            continue
        values = [row[name] for row in history]
        label = f"{MEASURES[name]}, {values[-1]:.1%} at the end"
        quality.plot(epochs, values, color=color, label=label, marker=few, markersize=3)
    best = max(history, key=lambda row: (row["accuracy"], row["epoch"]))
    quality.axvline(best["epoch"], color=_CURVES["accuracy"], linewidth=0.8, linestyle=":")
    quality.set_title(
        f"Validation faces; best accuracy {best['accuracy']:.1%} in epoch {best['epoch']:.0f}"
    )
    quality.yaxis.set_major_formatter(PercentFormatter(1))
    quality.set_ylim(0, 1)
    quality.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
    for axes in (loss, quality):
        _tidy(axes)
        axes.grid(color=_GRID, linewidth=0.6)
        axes.set_xlabel("epoch")
        axes.set_xlim(0.5, max(epochs) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _mark_sides(axes, history)
    figure.savefig(file)


def draw_answers(
    draw: Callable[[Measured], Chart], answers: Iterable[Measured], file: Path
) -> None:
    """Write one of the Model page's charts as a picture: a panel an answer, beside each other.

    Args:
        draw: `emorec.drawing.measures.confusion` or ``per_class``.
        answers: measured on one split or several.
        file: of the PNG.
    """
    import altair as alt

    panels = [
        draw(measured).properties(
            width=_PANEL_PT,
            title=alt.TitleParams(
                str(measured.answer),
                subtitle=f"{measured.n:,} faces of {measured.split}: {measured.accuracy:.1%} right,"
                f" macro-F1 {measured.macro_f1:.3f}",
                anchor="start",
                offset=14,
            ),
        )
        for measured in answers
    ]
    joined = alt.hconcat(*panels, background="white", padding=12, spacing=36)
    joined.save(file, format="png", scale_factor=_SCALE)
    with Image.open(file) as picture:  # few colours: a fourth of the bytes, and no visible loss
        picture.convert("RGB").quantize(_COLORS).save(file, optimize=True)


def _tidy(axes: Any) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(colors=_INK)


def _mark_sides(axes: Any, history: Sequence[Mapping[str, float]]) -> None:
    """Say where the faces of a run grow."""
    sides = [row["side"] for row in history]
    for place, side in enumerate(sides):
        if place and side == sides[place - 1]:
            continue
        x = history[place]["epoch"] - 0.5
        if place:
            axes.axvline(x, color=_INK, linewidth=0.6, alpha=0.5)
        axes.annotate(
            f" {side:.0f} px",
            (x, 1),
            xycoords=("data", "axes fraction"),
            va="top",
            fontsize=8,
            color=_INK,
            alpha=0.7,
        )
