"""The measures of a room: what may be told of several faces together.

None of them says anything about attention or engagement, which EmoRec does not measure, and none
is told of fewer than ``LEAST_FACES`` faces (``LEAST_FOR_SPREAD`` for a spread), because it would
tell what a single face shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from emorec.emotions import EMOTIONS

LEAST_FACES = 3
"""Fewest faces of which totals are told."""

LEAST_FOR_SPREAD = 5
"""Fewest faces of which an inter-quartile band is told: quartiles of four are single faces."""

SYNCHRONY_S = 30
"""Seconds over which synchrony is computed."""

TRIM = 0.2
"""Share of the faces left out at each end of the mood line's mean."""

_LEAST_SECONDS = 24  # of the 30 in which a face must be read, to count in synchrony
_LEAST_STD = 1e-6  # a face that does not change correlates with nothing
_SHIFTED = 99  # copies: the 95th of them in order is the 95 % point

Floats = npt.NDArray[np.float64]


def trimmed_mean(values: Floats) -> float:
    """Return the 20 % trimmed mean: a fifth of the values, rounded down, is left out at each end.

    Source: R. Wilcox, "Introduction to Robust Estimation and Hypothesis Testing" (2012), 3.3.

    Args:
        values: shape (n,), n ≥ 1.
    """
    cut = int(TRIM * len(values))
    return float(np.sort(values)[cut : len(values) - cut].mean())


def mood(changes: Floats) -> tuple[float, float, float]:
    """Return a moment of the mood line, and the lower and upper quartile beside it.

    The mood line is the 20 % trimmed mean of each face's valence less its own median of its first
    readable half-minute. The median takes out that some faces look displeased at rest (R. Hess,
    R. Adams, R. Kleck, "Facial appearance, gender, and emotion expression", Emotion 4, 2004). A
    face counts from its fifth readable second on, until the half-minute is over with the median of
    what was read so far.

    Args:
        changes: shape (n,), of each face with a baseline: its valence less its baseline.

    Returns:
        In [-2, 2]; NaN of fewer than ``LEAST_FACES`` faces, the quartiles under
        ``LEAST_FOR_SPREAD``.
    """
    if len(changes) < LEAST_FACES:
        return np.nan, np.nan, np.nan
    if len(changes) < LEAST_FOR_SPREAD:
        return trimmed_mean(changes), np.nan, np.nan
    low, high = np.quantile(changes, [0.25, 0.75])
    return trimmed_mean(changes), float(low), float(high)


def window(seconds: Iterable[tuple[int, Mapping[int, float]]], now: int) -> Floats:
    """Return the valence of the faces of the last ``SYNCHRONY_S`` seconds, shape (30, n).

    Only faces that were read in at least 24 of them have a column; between, their valence is
    interpolated.

    Args:
        seconds: a second and the mean valence in it by face, in the order of time.
        now: the last second.
    """
    recent = [(second - now + SYNCHRONY_S - 1, own) for second, own in seconds]
    recent = [(at, own) for at, own in recent if at >= 0]
    if len(recent) < _LEAST_SECONDS:
        return np.empty((SYNCHRONY_S, 0))
    counts: dict[int, int] = {}
    for _, own in recent:
        for id_ in own:
            counts[id_] = counts.get(id_, 0) + 1
    columns = []
    for id_ in (id_ for id_, count in counts.items() if count >= _LEAST_SECONDS):
        places = [at for at, own in recent if id_ in own]
        values = [own[id_] for _, own in recent if id_ in own]
        columns.append(np.interp(np.arange(SYNCHRONY_S), places, values))
    return np.array(columns).T if columns else np.empty((SYNCHRONY_S, 0))


def synchrony(valence: Floats, seed: int) -> tuple[float, float, int]:
    """Return how much faces change together, and what chance alone would give.

    The measure is the mean, over the faces, of the Pearson correlation of a face's valence with the
    mean of all other faces. It is compared with 99 copies in which each face is shifted in time by
    a random number of seconds, in a circle, which keeps each face's own course and takes away what
    they have in common (F. Ramseyer, W. Tschacher, "Nonverbal synchrony in psychotherapy", J.
    Consult. Clin. Psychol. 79, 2011; J. Theiler et al., Physica D 58, 1992). A measure above the
    95th of the ordered copies happens by chance in 5 of 100 windows of independent faces.

    Args:
        valence: shape (t, n): n faces over t seconds.
        seed: of the random shifts.

    Returns:
        The measure, the 95 % point of the copies, both in [-1, 1] and NaN under ``LEAST_FACES``
        faces, and the number of faces.
    """
    moving = valence[:, valence.std(axis=0) > _LEAST_STD] if valence.size else valence
    n = moving.shape[1]
    if n < LEAST_FACES:
        return np.nan, np.nan, n
    length = len(moving)
    shifts = np.random.default_rng(seed).integers(0, length, (_SHIFTED, n))
    shifts = np.vstack([np.zeros((1, n), np.int64), shifts])
    centred = moving - moving.mean(axis=0)
    every_shift = sliding_window_view(np.vstack([centred, centred]), length, axis=0)
    copies = every_shift[shifts, np.arange(n)]  # (copies, n, t)
    # The mean of the others is the sum less the face, by n - 1, which a correlation leaves out: so
    # the sum of all faces and its covariance with each are enough.
    total = copies.sum(axis=1)
    own = centred.var(axis=0)
    with_total = np.einsum("ct,cnt->cn", total, copies) / length
    others = (total**2).mean(axis=1)[:, None] - 2 * with_total + own
    spread = np.sqrt(own * np.maximum(others, _LEAST_STD**2))
    means = ((with_total - own) / spread).mean(axis=1)
    return float(means[0]), float(np.sort(means[1:])[round(0.95 * (_SHIFTED + 1)) - 1]), n


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """The measures of a room over time, each NaN in a second in which it is not told.

    Attributes:
        time_s: start of each second, shape (n,).
        faces: the number of faces that shares rest on, shape (n,).
        in_view: the number of faces that the unreadable share rests on, shape (n,).
        shares: of each expression, shape (n, 7): the mean probability over the faces, weighted by
            time. The mean of probabilities estimates a share better than counting labels does (A.
            Bella et al., "Quantification via Probability Estimators", ICDM 2010).
        unreadable: share of the time in view in which faces could not be read, shape (n,).
        mood, mood_low, mood_high: as `mood` returns them, shape (n,).
        mood_faces: the faces that mood and smiles rest on, shape (n,).
        smile: share of the faces with a baseline that smile (`FaceHistory.look`), weighted by
            time.
        synchrony, synchrony_95: as `synchrony` returns them.
        synchrony_faces: the faces that they rest on.
    """

    time_s: Floats
    faces: npt.NDArray[np.int64]
    in_view: npt.NDArray[np.int64]
    shares: Floats
    unreadable: Floats
    mood: Floats
    mood_low: Floats
    mood_high: Floats
    mood_faces: npt.NDArray[np.int64]
    smile: Floats
    synchrony: Floats
    synchrony_95: Floats
    synchrony_faces: npt.NDArray[np.int64]


def measures(seconds: npt.NDArray[np.void]) -> Measures:
    """Return what may be told of each second.

    Args:
        seconds: `emorec.sessions.seconds.SECOND`, shape (n,).
    """
    read_s = seconds["read_s"].astype(np.float64)
    enough = seconds["most_at_once"] >= LEAST_FACES
    in_view = seconds["in_view"] >= LEAST_FACES
    based = enough & (seconds["mood_faces"] >= LEAST_FACES)
    probs = np.stack([seconds[name] for name in EMOTIONS], axis=1).astype(np.float64)
    in_view_s = read_s + seconds["unreadable_s"]
    columns = {
        name: np.where(based, seconds[name], np.nan).astype(np.float64)
        for name in ("mood", "mood_low", "mood_high")
    } | {
        name: np.where(enough, seconds[name], np.nan).astype(np.float64)
        for name in ("synchrony", "synchrony_95")
    }
    return Measures(
        time_s=seconds["second"].astype(np.float64),
        faces=seconds["most_at_once"].astype(np.int64),
        shares=_divided(probs, np.where(enough, read_s, 0.0)[:, None]),
        unreadable=_divided(seconds["unreadable_s"], np.where(in_view, in_view_s, 0.0)),
        in_view=seconds["in_view"].astype(np.int64),
        mood_faces=seconds["mood_faces"].astype(np.int64),
        smile=_divided(seconds["smile_s"], np.where(based, seconds["based_s"], 0.0)),
        synchrony_faces=seconds["synchrony_faces"].astype(np.int64),
        **columns,
    )


def groups_only(seconds: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the seconds in which at least ``LEAST_FACES`` faces were read at once."""
    return seconds[seconds["most_at_once"] >= LEAST_FACES]


def _divided(of: npt.NDArray[Any], by: npt.NDArray[Any]) -> Floats:
    """Return the quotient, NaN where the divisor is 0."""
    divisor = np.where(by > 0, by, np.nan).astype(np.float64)
    quotient: Floats = of.astype(np.float64) / divisor
    return quotient
