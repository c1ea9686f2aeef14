"""One line of `emorec doctor`."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line; ``FAIL`` marks a problem that stops the app or a part of it."""

    kind: Literal["ok", "note", "FAIL"]
    text: str
