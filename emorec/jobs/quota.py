"""How many bytes visitors may hold, of any kind of upload: what has arrived counts, not its claim.

A request can announce any length and send nothing, or announce one byte and send a thousand. So
a byte counts from the moment it has arrived until it is deleted.
"""

from __future__ import annotations

from collections.abc import Callable


class Quota:
    """Bytes that all visitors together, and each of them, may hold. For one thread.

    Args:
        total: bytes that all visitors may hold; one visitor, half of it.
        stored: takes a visitor's session and returns the bytes that it has stored, and those that
            all sessions have stored.
    """

    def __init__(self, total: int, stored: Callable[[str], tuple[int, int]]) -> None:
        self.total = total
        self._stored = stored
        self._arriving: dict[str, int] = {}

    def fits(self, session: str, size: int) -> bool:
        """Return whether there is room for so many more bytes of a session."""
        of_session, of_all = self._stored(session)
        own = of_session + self._arriving.get(session, 0) + size
        everyone = of_all + sum(self._arriving.values()) + size
        return own <= self.total // 2 and everyone <= self.total

    def take(self, session: str, size: int) -> bool:
        """Count bytes that have arrived and are not stored yet; return False if there is no room.

        Bytes that were counted must be given back once they are stored or dropped.
        """
        if not self.fits(session, size):
            return False
        self._arriving[session] = self._arriving.get(session, 0) + size
        return True

    def give_back(self, session: str, size: int) -> None:
        """Count so many bytes of a session no longer as arriving."""
        left = self._arriving.get(session, 0) - size
        if left > 0:
            self._arriving[session] = left
        else:
            self._arriving.pop(session, None)
