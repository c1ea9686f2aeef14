"""One slot between two threads: the newest thing wins."""

from __future__ import annotations

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one thing. Whoever takes it gets the newest; older ones are dropped."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._thing: T | None = None
        self._closed = False

    def put(self, thing: T) -> None:
        """Leave a thing in place of the one not yet taken; never waits."""
        with self._changed:
            self._thing = thing
            self._changed.notify()

    def take(self) -> T | None:
        """Wait for the next thing; None once the mailbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._thing is not None)
            thing, self._thing = self._thing, None
            return None if self._closed else thing

    def close(self) -> None:
        """Let every ``take``, waiting or to come, return None."""
        with self._changed:
            self._closed = True
            self._thing = None
            self._changed.notify_all()
