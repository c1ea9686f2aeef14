"""Messages as lines of JSON on standard output."""

from __future__ import annotations

from typing import Self, TextIO

from emorec.rows import Row, json_line
from emorec.streams.feed import Kind


def message(kind: Kind, row: Row) -> str:
    """Return a message as one line of JSON: an object whose only key is the kind."""
    return json_line({kind: row})


class JsonLines:
    """An outlet that writes a line for each message, the header first.

    Args:
        header: what the stream was made with.
        file: open for text; it is not closed. Each line is flushed, so that a program that reads
            them through a pipe has them at once.
    """

    def __init__(self, header: Row, file: TextIO) -> None:
        self._header = header
        self._file = file

    def send(self, kind: Kind, row: Row) -> None:
        """Write a line.

        Raises:
            OSError: the file cannot be written.
        """
        self._file.write(message(kind, row) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        self.send("header", self._header)
        return self

    def __exit__(self, *why: object) -> None:
        """Do nothing: every line has been written."""
