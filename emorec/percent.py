"""The only way in which a share is written for people to read."""

from __future__ import annotations

import math

from emorec.words import numeral

_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share as per cent, such as ``82 %``, with a no-break space.

    More than 99 % is ``>99 %``: a probability is never certain, and none is shown as if it were.
    With a digit after the point, as measures of a model have it, ``>99.9 %``.

    Args:
        share: in [0, 1].
        digits: after the point.

    Raises:
        ValueError: it is not, or is NaN.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share in [0, 1]. Received {share!r}.")
    steps = 10**digits
    rounded = math.floor(share * 100 * steps + 0.5) / steps
    most = 100 - 1 / steps
    over = ">" if rounded > most else ""
    return f"{over}{numeral(f'{min(rounded, most):.{digits}f}')}{_SPACE}%"
