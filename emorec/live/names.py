"""Names for the faces of a live stream, worked out beside it: the picture never waits for them.

`emorec.people.followed` says which pictures of a face decide its name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Lock, Thread
from time import monotonic
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emorec.calibration.examples import Examples
from emorec.errors import EmorecError
from emorec.live.mailbox import Mailbox
from emorec.people.followed import Followed
from emorec.people.matching import Embedder, Match, Matcher
from emorec.records import FrameResult

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]
ExamplesOf = Callable[[int], Examples | None]

_REST_S = 5.0  # after an error
_PATIENCE_S = 1.0  # without a picture the faces are matched again, as people may be deleted


@dataclass(frozen=True, slots=True)
class _Named:
    """What a face is recognised as, and the examples that may correct it."""

    match: Match
    examples: Examples | None


class LiveNames:
    """Names the faces of one live stream; it keeps no picture, and embeddings only while it runs.

    `named` and `stop` are for one thread, `of` for any. After `stop` it starts again with the next
    picture.

    Args:
        embedder: turns faces into embeddings.
        gallery: asked at every embedding and at least once a second, so that the name of a person
            who is deleted disappears at once.
        examples: gives the examples kept of a person, by id; asked as often.
    """

    def __init__(
        self, embedder: Embedder, gallery: Matcher, examples: ExamplesOf | None = None
    ) -> None:
        self._error: EmorecError | None = None
        self._embedder = embedder
        self._gallery = gallery
        self._examples = examples
        self._work: _Work | None = None

    def named(self, image_bgr: Image, result: FrameResult) -> FrameResult:
        """Leave a frame and its faces to the thread, and return the names known by now.

        Never waits: the newest frame replaces one that the thread has not taken yet.
        """
        if self._work is None:
            self._work = _Work(self._embedder, self._gallery, self._examples, self._report)
        self._work.frames.put((image_bgr, result))
        faces = tuple(replace(face, name=self.of(face.track_id)) for face in result.faces)
        return replace(result, faces=faces)

    def of(self, track_id: int) -> str | None:
        """Return the name of a face; None where it has none, or none yet."""
        known = self._of(track_id)
        return known.match.name if known else None

    def person_of(self, track_id: int) -> int | None:
        """Return the id of the person that a face is recognised as; None: nobody, or not yet."""
        known = self._of(track_id)
        return known.match.person_id if known else None

    def examples_of(self, track_id: int) -> Examples | None:
        """Return the examples kept of the person that a face is recognised as.

        None where there are none, and while the face's newest picture looks like somebody else.
        """
        known = self._of(track_id)
        return known.examples if known else None

    def _of(self, track_id: int) -> _Named | None:
        work = self._work
        return work.named.get(track_id) if work else None

    @property
    def error(self) -> str | None:
        """One line while names cannot be worked out, None while they can."""
        error = self._error
        return str(error) if error else None

    def stop(self, wait_s: float = 0.0) -> None:
        """Forget every face and tell the thread to end; a second call does nothing."""
        work, self._work = self._work, None
        if work is not None:
            work.stop(wait_s)
        self._error = None

    def _report(self, error: EmorecError | None) -> None:
        self._error = error


class _Work:
    """The thread of `LiveNames`, and what it knows, from the first picture to `stop`."""

    def __init__(
        self,
        embedder: Embedder,
        gallery: Matcher,
        examples: ExamplesOf | None,
        report: Callable[[EmorecError | None], None],
    ) -> None:
        self.frames: Mailbox[tuple[Image, FrameResult]] = Mailbox()
        self.named: Mapping[int, _Named] = MappingProxyType({})
        self._embedder = embedder
        self._gallery = gallery
        self._examples = examples
        self._report = report
        self._followed = Followed()
        self._matched_s = self._rests_until_s = float("-inf")
        self._lock = Lock()  # of the names and of having stopped
        self._stopped = False
        self._thread = Thread(target=self._run, name="emorec-names", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float) -> None:
        self.frames.close()
        self._publish({}, stopped=True)
        self._thread.join(wait_s)

    def _run(self) -> None:
        while True:
            frame = None
            with suppress(TimeoutError):
                frame = self.frames.take(_PATIENCE_S)
                if frame is None:
                    return
            if monotonic() >= self._rests_until_s:
                self._take(frame)

    def _take(self, frame: tuple[Image, FrameResult] | None) -> None:
        try:
            embedded = frame is not None and self._embed(*frame)
            if embedded or monotonic() >= self._matched_s + _PATIENCE_S:
                self._match()
        except EmorecError as error:
            log.warning("names of faces cannot be worked out at the moment")
            self._rests_until_s = monotonic() + _REST_S
            self._publish({})
            self._report(error)
        else:
            self._report(None)

    def _embed(self, image_bgr: Image, result: FrameResult) -> bool:
        """Embed the face that has waited longest; return whether one was due."""
        now_s = monotonic()
        due = self._followed.due(result.faces, now_s)
        if not due:
            return False
        known, face = due[0]
        known.evidence.add(self._embedder.embed(image_bgr, [face.box])[0])
        known.embedded_s = now_s
        return True

    def _match(self) -> None:
        """Match the embeddings of each decision with the gallery as it is now."""
        matches = self._followed.matches(self._gallery)
        self._matched_s = monotonic()
        self._publish(
            {
                track_id: _Named(match, self._examples_of(track_id, match))
                for track_id, match in matches.items()
            }
        )

    def _examples_of(self, track_id: int, match: Match) -> Examples | None:
        if self._examples is None or self._followed.known[track_id].evidence.doubtful:
            return None
        return self._examples(match.person_id)

    def _publish(self, named: dict[int, _Named], stopped: bool = False) -> None:
        with self._lock:
            self._stopped = self._stopped or stopped
            self.named = MappingProxyType({} if self._stopped else named)
