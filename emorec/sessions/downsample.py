"""Fewer points for a chart, without losing what stands out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def min_max(times_s: Floats, values: Floats, most: int) -> tuple[Floats, Floats]:
    """Return at most ``most`` points of a line: the lowest and the highest of each stretch.

    Unlike a mean, it keeps every peak (U. Jugel et al., "M4: a visualization-oriented time series
    data aggregation", VLDB 2014). A stretch in which no value is known gives one NaN, so gaps stay.

    Args:
        times_s: shape (n,), rising.
        values: shape (n,); NaN = not known.
        most: 2 or more.
    """
    if len(times_s) <= most:
        return times_s, values
    kept: list[int] = []
    for part in np.array_split(np.arange(len(times_s)), most // 2):
        known = part[~np.isnan(values[part])]
        if not len(known):
            kept.append(int(part[0]))
            continue
        low, high = known[values[known].argmin()], known[values[known].argmax()]
        kept += sorted({int(low), int(high)})
    return times_s[kept], values[kept]


def stretches(n: int, most: int) -> npt.NDArray[np.int64]:
    """Return for each of ``n`` seconds the number of its stretch, of at most ``most``."""
    return np.arange(n) * min(most, n) // max(n, 1)
