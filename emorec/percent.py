"""The only way in which shares and numbers with a sign are written for people to read."""

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


def signed(value: float) -> str:
    """Return a number with its sign and two digits, such as ``+0.12`` or ``−0.05``.

    What rounds to 0 has no sign.
    """
    rounded = round(value, 2)
    written = f"{rounded:+.2f}".replace("-", "\N{MINUS SIGN}") if rounded else "0.00"
    return numeral(written)
