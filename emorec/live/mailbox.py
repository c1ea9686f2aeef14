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

    def put(self, thing: T) -> bool:
        """Leave a thing; never waits. Return whether one that nobody took had to go for it."""
        with self._changed:
            dropped = self._thing is not None
            self._thing = None if self._closed else thing
            self._changed.notify()
            return dropped

    def take(self, patience_s: float | None = None) -> T | None:
        """Wait for the next thing; None once the mailbox is closed.

        Raises:
            TimeoutError: nothing came for so long.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._closed or self._thing is not None, patience_s
            ):
                raise TimeoutError
            thing, self._thing = self._thing, None
            return None if self._closed else thing

    def close(self) -> None:
        """Let every ``take``, waiting or to come, return None."""
        with self._changed:
            self._closed = True
            self._thing = None
            self._changed.notify_all()
