"""The only way in which a share is written for people to read."""

from __future__ import annotations

import math

_SPACE = "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """Return a share as whole per cent, such as ``82 %``, with a no-break space.

    More than 99 % is ``>99 %``: a probability is never certain, and none is shown as if it were.

    Args:
        share: in [0, 1].

    Raises:
        ValueError: it is not, or is NaN.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share in [0, 1]. Received {share!r}.")
    whole = math.floor(share * 100 + 0.5)
    return f"{whole}{_SPACE}%" if whole <= 99 else f">99{_SPACE}%"
