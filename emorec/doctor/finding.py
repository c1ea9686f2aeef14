"""One line of `emorec doctor`."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line; ``FAIL`` keeps the app from running as it should."""

    kind: Literal["ok", "note", "FAIL"]
    text: str
