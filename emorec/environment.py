"""How a deployer's choices are read from the environment: one clear line where one is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping

from emorec.errors import EmorecError

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def number(name: str, low: int, high: int, env: Mapping[str, str] = os.environ) -> int | None:
    """Return a whole number; None where the variable is not set or empty.

    Raises:
        EmorecError: it holds something else, or is not within ``low`` and ``high``.
    """
    text = env.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise EmorecError(f"{name}: expected a number from {low} to {high}. Received {text!r}.")
    return int(text)


def switch(name: str, env: Mapping[str, str] = os.environ) -> bool:
    """Return whether a variable is switched on; one that is not set or empty is off.

    Raises:
        EmorecError: it holds neither a yes nor a no.
    """
    text = env.get(name, "").strip().lower()
    if text and text not in _YES + _NO:
        raise EmorecError(f"{name}: expected 1 or 0. Received {text!r}.")
    return text in _YES
