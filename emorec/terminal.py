"""The lines that the commands print on stderr, and the text that is safe to show there."""

from __future__ import annotations

import sys
from contextlib import suppress

from emorec.errors import EmorecError


def print_error(error: EmorecError) -> int:
    """Print an error's line on stderr and return the exit code of a failure."""
    print_line(str(error))
    return 2


def print_line(line: str) -> None:
    """Print a line on stderr; do nothing if stderr is closed or fails."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(f"emorec: {plain(line)}", file=sys.stderr, flush=True)


def plain(text: str) -> str:
    """Return the text with line ends and control characters escaped, safe to show in a terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
