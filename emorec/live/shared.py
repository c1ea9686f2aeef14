"""One classifier for all live sessions: the faces of all callers are read in one batch.

It has no thread of its own that could die. The first idle caller runs the whole queue as one batch,
gives each caller its rows, and leaves what came meanwhile to the next caller.
"""

from __future__ import annotations

from collections import deque
from threading import Condition
from time import perf_counter

import numpy as np
import numpy.typing as npt

from emorec.monitoring import ERRORS, QUEUE_WAIT_SECONDS
from emorec.pipeline.classify import Classifier

Faces = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float32]

BATCH = 32
"""Faces in one batch at most; a request of more than that makes a batch of its own."""


class _Request:
    def __init__(self, faces: Faces) -> None:
        self.faces = faces
        self.rows: Rows | None = None
        self.error: BaseException | None = None
        self.since = perf_counter()

    def done(self) -> bool:
        return self.rows is not None or self.error is not None


class SharedClassifier:
    """A `Classifier` for several threads, first come, first served.

    A session has at most one request in the queue, so the queue is never longer than the number of
    live sessions, and no session is served twice while another one waits.

    Args:
        classifier: called by one thread at a time.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._changed = Condition()
        self._waiting: deque[_Request] = deque()
        self._busy = False

    def classify(self, faces_gray: Faces) -> Rows:
        """Wait in the queue, and return float32 (n, 7) of uint8 (n, 48, 48).

        Raises:
            RuntimeError: the batch with these faces failed; says why. Other batches are not
                affected.
        """
        own = _Request(faces_gray)
        with self._changed:
            self._waiting.append(own)
        while not own.done():
            with self._changed:
                self._changed.wait_for(lambda: own.done() or not self._busy)
                if own.done():
                    break
                self._busy = True
            self._read()
        if own.error is not None:
            raise RuntimeError(str(own.error)) from own.error
        assert own.rows is not None
        return own.rows

    def _read(self) -> None:
        """Read the next batch, and give each request its rows or the error."""
        batch: list[_Request] = []
        rows: Rows | None = None
        error: BaseException | None = None
        try:
            batch = self._next()
            rows = self._classifier.classify(np.concatenate([each.faces for each in batch]))
        except BaseException as raised:  # the callers that wait must get every error
            error = raised
            ERRORS.labels("classifying").inc()
            if not isinstance(raised, Exception):
                raise
        finally:
            with self._changed:
                start = 0
                for each in batch:
                    end = start + len(each.faces)
                    each.rows = None if rows is None else rows[start:end]
                    each.error = error
                    start = end
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> list[_Request]:
        """Take the oldest requests that fit into one batch."""
        with self._changed:
            batch = [self._waiting.popleft()]
            faces = len(batch[0].faces)
            while self._waiting and faces + len(self._waiting[0].faces) <= BATCH:
                batch.append(self._waiting.popleft())
                faces += len(batch[-1].faces)
        now = perf_counter()
        for request in batch:
            QUEUE_WAIT_SECONDS.observe(now - request.since)
        return batch
