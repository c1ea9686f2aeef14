"""A connection to PostgreSQL that gives up on a server that does not answer.

PostgreSQL's own time-outs are kept by the server, so a server that is frozen keeps none, and its
operating system still confirms what it is sent, so TCP's time-outs do not help either. This module
counts on this side.
"""

from __future__ import annotations

import time
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import READY_NONE

ANSWER_S = 4.0
"""A server from which no byte comes for so long does not answer."""

_LOOK_S = 0.1

Result = TypeVar("Result")


class AnsweringConnection(psycopg.Connection):
    """A connection whose every step ends: with a result, or with an `OperationalError`."""

    def wait(
        self, gen: PQGen[Result], interval: float = _LOOK_S, timeout: float | None = None
    ) -> Result:
        """Run a step; psycopg calls it for everything that it sends."""
        return super().wait(self._while_answered(gen), interval, timeout)

    def _while_answered(self, gen: PQGen[Result]) -> PQGen[Result]:
        heard_s = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now_s = time.monotonic()
                if ready != READY_NONE:
                    heard_s = now_s
                elif now_s - heard_s > ANSWER_S:
                    self.pgconn.finish()  # what it has sent meanwhile belongs to no question
                    raise psycopg.OperationalError(f"no answer for {ANSWER_S:.0f} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            result: Result = end.value
            return result
