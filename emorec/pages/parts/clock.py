"""Times of a session as the pages write them."""

from __future__ import annotations


def clock(time_s: float) -> str:
    """Return seconds as minutes and seconds, such as ``4:05``."""
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes}:{seconds:02d}"
