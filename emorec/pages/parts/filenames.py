"""The names of files that visitors download."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def dated(what: str) -> str:
    """Return a file's name with the visitor's date and time, as emorec_2026-11-28_1405_photos.csv.

    Args:
        what: the end of the name, as ``photos.csv``.
    """
    zone = None
    try:
        if st.context.timezone:
            zone = ZoneInfo(st.context.timezone)
    except (ZoneInfoNotFoundError, ValueError):  # what the browser calls it is unknown here
        zone = None
    return f"emorec_{datetime.now(zone):%Y-%m-%d_%H%M}_{what}"
