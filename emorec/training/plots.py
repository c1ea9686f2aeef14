"""The pictures of a run: how it learned, and what it takes for what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_INK, _GRID = "#30363d", "#d8dde3"
_CURVES = {
    "accuracy": ("accuracy", "#3b6fd4"),
    "macro_f1": ("macro-F1", "#e07b1f"),
    "ferplus": ("FER+ accuracy", "#2f9e63"),
}
_TITLES = {
    "fer2013": "FER2013 head, FER2013's labels",
    "ferplus": "FER+ head, the voters' majority",
    "shown": "What the app shows, the voters' majority",
}
_DPI = 130


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
    for name, (label, color) in _CURVES.items():
        if name not in history[0]:
            continue
        values = [row[name] for row in history]
        label = f"{label}, {values[-1]:.1%} at the end"
        quality.plot(epochs, values, color=color, label=label, marker=few, markersize=3)
    best = max(history, key=lambda row: (row["accuracy"], row["epoch"]))
    quality.axvline(best["epoch"], color=_CURVES["accuracy"][1], linewidth=0.8, linestyle=":")
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


def draw_confusion(measured: Mapping[str, Mapping[str, Any]], file: Path) -> None:
    """Draw what was taken for what, as shares of each true class, a panel a measurement.

    Args:
        measured: what `emorec.training.evaluate.evaluate` gave.
        file: of the PNG.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6 * len(measured), 5.6), dpi=_DPI, layout="constrained")
    panels = figure.subplots(1, len(measured), squeeze=False)[0]
    for axes, (name, numbers) in zip(panels, measured.items(), strict=True):
        counts = np.array(numbers["confusion"], dtype=float)
        totals = counts.sum(axis=1, keepdims=True)
        shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        labels, places = numbers["labels"], range(len(numbers["labels"]))
        axes.set_xticks(places, labels, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(
            places, [f"{label} ({n:.0f})" for label, n in zip(labels, totals[:, 0], strict=True)]
        )
        for (row, column), share in np.ndenumerate(shares):
            color = "white" if share > 0.55 else _INK
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
        _tidy(axes)
        axes.tick_params(length=0)
        axes.set_xlabel("said (shares of a row in %)")
        axes.set_ylabel("true (faces)")
        axes.set_title(
            f"{_TITLES[name]}\n{numbers['accuracy']:.1%} right, macro-F1 {numbers['macro_f1']:.3f},"
            f" {numbers['split']}",
            fontsize=10,
        )
    figure.savefig(file)


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
