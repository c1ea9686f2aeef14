"""What commands print on stderr, text that is safe in a terminal, and what a lost output means."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress

from emorec.errors import EmorecError

OUTPUT_LOST = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EBADF, errno.EDQUOT}
"""Codes of an `OSError` without a file's name that say: stdout cannot be written."""
if os.name == "nt":
    OUTPUT_LOST.add(errno.EINVAL)  # Windows gives this code for writing to a closed pipe


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


def output_lost(error: OSError) -> int:
    """Report that stdout cannot be written, discard further output, and return the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # the reader has ended, as `| head` does: no failure
        return 0
    print_line(f"the output cannot be written ({error.strerror or error}).")
    return 2
