"""Markers that a person types: one line, one marker."""

from __future__ import annotations

import io
from collections.abc import Callable
from threading import Thread
from time import monotonic

from emorec.errors import EmorecError
from emorec.terminal import print_error

_LINE_BYTES = 1024  # of a longer line the rest counts as the next line


def read_markers(descriptor: int, mark: Callable[[str, float], None], began_s: float) -> Thread:
    """Call ``mark`` for each line that is typed, on a thread of its own, until the input ends.

    A line that is no label of a marker gives one line on stderr. Empty lines are ignored.

    Args:
        descriptor: of the input.
        mark: takes the label, and the time in seconds of the stream at which the line came.
        began_s: second 0 of the stream by ``time.monotonic``.

    Returns:
        The thread, which has started. It ends with the program.
    """

    def read() -> None:
        # Not sys.stdin: a thread that waits in it when Python ends makes Python abort, since it
        # holds the buffer's lock.
        with io.FileIO(descriptor, closefd=False) as typed:
            try:
                while line := typed.readline(_LINE_BYTES):
                    time_s = monotonic() - began_s
                    if label := line.decode("utf-8", "replace").strip():
                        _mark(mark, label, time_s)
            except OSError:  # the terminal is closed, or belongs to another program now
                return

    thread = Thread(target=read, name="markers", daemon=True)
    thread.start()
    return thread


def _mark(mark: Callable[[str, float], None], label: str, time_s: float) -> None:
    try:
        mark(label, time_s)
    except EmorecError as error:
        print_error(error)
