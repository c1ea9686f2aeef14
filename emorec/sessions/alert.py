"""A quiet alert when much of a room looks displeased for a while. Never about one person."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.percent import percent
from emorec.sessions.room import LEAST_FACES
from emorec.words import _

RELEASE = 0.8
"""An alert is over when the share is under so much of its level: near the level it does not
flicker."""

LEAST_GAP_S = 60.0
"""From the beginning of one alert to the beginning of the next."""

NEGATIVE = ("angry", "disgust", "fear", "sad")
"""The expressions whose shares, added, make the negative share."""

_NEGATIVE_PLACES = [EMOTIONS.index(emotion) for emotion in NEGATIVE]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When an alert begins.

    Attributes:
        level: negative share that is too much, above 0 to 1.
        hold_s: seconds for which the share must stay at the level or over it.
    """

    level: float = 0.5
    hold_s: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.level <= 1:
            raise EmorecError(f"Expected an alert's level over 0, up to 1. Received {self.level}.")
        if not 1 <= self.hold_s <= 600:
            raise EmorecError(f"Expected 1 to 600 s for an alert. Received {self.hold_s}.")


class Alert:
    """Says whether there is an alert now; time is an argument.

    Args:
        rule: when it begins.
    """

    def __init__(self, rule: AlertRule) -> None:
        self._rule = rule
        self._over_since_s: float | None = None
        self._began_s = -math.inf
        self._on = False

    def update(self, time_s: float, share: float, faces: int) -> bool:
        """Take the share of a moment and return whether there is an alert.

        The share must stay at the level for ``hold_s``; the alert lasts until it falls under
        ``RELEASE`` of the level, and the next one begins ``LEAST_GAP_S`` after this one began, at
        the earliest. A moment without a known share, or with fewer than three faces, ends both.

        Args:
            time_s: seconds, rising.
            share: negative share in [0, 1]; NaN = not known.
            faces: faces that it rests on.
        """
        known = faces >= LEAST_FACES and not math.isnan(share)
        if not known:
            self._over_since_s, self._on = None, False
        elif self._on:
            self._on = share >= RELEASE * self._rule.level
            self._over_since_s = time_s if self._on else None
        elif share < self._rule.level:
            self._over_since_s = None
        else:
            if self._over_since_s is None:
                self._over_since_s = time_s
            long_enough = time_s - self._over_since_s >= self._rule.hold_s
            if long_enough and time_s - self._began_s >= LEAST_GAP_S:
                self._on, self._began_s = True, time_s
        return self._on


def negative_share(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the negative share of each second, in [0, 1]; NaN where the shares are not told.

    Args:
        shares: shape (n, 7), as `emorec.sessions.room.Measures` has them.
    """
    share: npt.NDArray[np.float64] = shares[:, _NEGATIVE_PLACES].sum(axis=1).clip(0.0, 1.0)
    return share


def words(share: float) -> str:
    """Return the alert's text.

    Args:
        share: negative share in [0, 1].
    """
    return _("Much of the room looks displeased: {share} of what the faces show.").format(
        share=percent(share)
    )
