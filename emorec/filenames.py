"""The names of files that people take away."""

from __future__ import annotations

from datetime import UTC, datetime


def dated(what: str, moment: datetime | None = None) -> str:
    """Return a file's name with a date and time in UTC, as emorec_2026-11-28_1405_session.csv.

    In UTC, so that files of one hour stand together, wherever they were made.

    Args:
        what: the end of the name, as ``session.csv``.
        moment: with a time zone; None: the present one.
    """
    at = datetime.now(UTC) if moment is None else moment.astimezone(UTC)
    return f"emorec_{at:%Y-%m-%d_%H%M}_{what}"
