"""Lengths and moments of a recording, as pages, reports and commands write them."""

from __future__ import annotations


def clock(time_s: float) -> str:
    """Return seconds as ``4:05``, from an hour on as ``1:04:05``; a part of a second is left out.

    It is never rounded up: the chart's axis and a video's player do not do so either.
    """
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
