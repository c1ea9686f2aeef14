"""What the charts have in common: their colours, the clock along time, and how far a scale goes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from emorec.words import numeral

TEXT = "#797979"
"""Of text: its contrast is 4.3 : 1 with white and with Streamlit's dark ground alike."""

LINE = "#2b9a9e"
"""Of a line that stands alone."""

LEAST = 0.3
"""A scale goes at least so far: the noise of a calm room would fill a narrower one."""

CLOCK = (
    "(datum.value < 0 ? '−' : '')"
    " + (abs(datum.value) < 3600 ? '' : floor(abs(datum.value) / 3600) + ':')"
    " + format(floor(abs(datum.value) % 3600 / 60), abs(datum.value) < 3600 ? 'd' : '02d')"
    " + ':' + format(floor(abs(datum.value) % 60), '02d')"
)
"""Vega's expression for the label of a moment in seconds: as `emorec.clock.clock` writes it, with a
minus sign before the moment at which sessions are aligned."""

SHARE = "format(datum.value * 100, 'd') + '\u00a0%'"
"""The same for a share: as `emorec.percent.percent` writes it, with its no-break space."""

_STEPS_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200)


def decimal() -> str:
    """Return Vega's expression for the label of a number, in the language of the reader."""
    return f"replace(datum.label, '.', '{numeral('.')}')"


def reach(*values: npt.NDArray[np.float64]) -> float:
    """Return how far from 0 a scale has to go to hold some values, in tenths; NaN counts for none.

    It goes at least to `LEAST`.
    """
    most = max([LEAST, *(float(np.nanmax(np.abs(some), initial=0.0)) for some in values)])
    return math.ceil(round(most * 10, 6)) / 10


def moments(first_s: float, last_s: float, most: int = 8) -> list[float]:
    """Return the moments to label along time: whole steps of a clock, and at most so many."""
    length_s = last_s - first_s
    step_s = next((step for step in _STEPS_S if length_s / step < most), 0)
    step_s = step_s or 3600 * math.ceil(length_s / 3600 / most)
    first = math.ceil(first_s / step_s)
    return [float(n * step_s) for n in range(first, math.floor(last_s / step_s) + 1)]
