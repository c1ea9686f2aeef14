"""One slot between two threads: the newest item wins."""

from __future__ import annotations

from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one item: a newer one replaces it."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> bool:
        """Leave an item; never waits. Return whether it replaced one that was not taken."""
        with self._changed:
            dropped = self._item is not None
            self._item = None if self._closed else item
            self._changed.notify()
            return dropped

    def take(self, patience_s: float | None = None) -> T | None:
        """Wait for the next item; None once the mailbox is closed.

        Raises:
            TimeoutError: nothing came for so long.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._closed or self._item is not None, patience_s
            ):
                raise TimeoutError
            item, self._item = self._item, None
            return None if self._closed else item

    def close(self) -> None:
        """Let every ``take``, waiting or to come, return None."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
