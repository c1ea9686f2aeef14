"""Names for the faces of a live stream, worked out beside it: the picture never waits for them.

A decision about a face rests on a fixed set of its embeddings: of the first three pictures; if no
person is near enough, of the first six, then of the first twelve, and never of more. The same set
is matched again when the gallery may have changed, with the same outcome while it has not. So a
face that stays for ten minutes is decided three times at most, and not by the best of hundreds of
pictures. Only newer pictures of another person start the decisions again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock, Thread
from time import monotonic
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from emorec.calibration.examples import Examples
from emorec.errors import EmorecError
from emorec.live.mailbox import Mailbox
from emorec.people.evidence import Evidence
from emorec.people.matching import Embedder, Match, Matcher, unique_matches
from emorec.records import Face, FrameResult

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]
ExamplesOf = Callable[[int], Examples | None]

_SOON_S = 0.4
_SELDOM_S = 5.0
"""The first gap between two embeddings of a face, and the longest. Until all decisions are taken
the gap grows by ``_SOON_S`` each time, since pictures close together share their errors: decisions
come after about 1, 6 and 30 s."""

_FORGOTTEN_S = 2.0  # the tracker keeps the id of a face out of view for 1.5 s
_LEAST_PX = 40  # a smaller face shows too little to tell people apart
_REST_S = 5.0  # after an error
_PATIENCE_S = 1.0  # without a picture the faces are matched again, as people may be deleted


@dataclass(eq=False)
class _Known:
    """What is kept of a face while it is followed."""

    seen_s: float
    embedded_s: float = float("-inf")
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def due_s(self) -> float:
        if self.evidence.doubtful:
            return self.embedded_s + _SOON_S
        if self.evidence.settled:
            return self.embedded_s + _SELDOM_S
        return self.embedded_s + min(_SOON_S * self.evidence.taken, _SELDOM_S)


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
        self.error: str | None = None
        """One line while names cannot be worked out, None while they can."""
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

    def stop(self, wait_s: float = 0.0) -> None:
        """Forget every face and tell the thread to end; a second call does nothing."""
        work, self._work = self._work, None
        if work is not None:
            work.stop(wait_s)
        self.error = None

    def _report(self, error: str | None) -> None:
        self.error = error


class _Work:
    """The thread of `LiveNames`, and what it knows, from the first picture to `stop`."""

    def __init__(
        self,
        embedder: Embedder,
        gallery: Matcher,
        examples: ExamplesOf | None,
        report: Callable[[str | None], None],
    ) -> None:
        self.frames: Mailbox[tuple[Image, FrameResult]] = Mailbox()
        self.named: Mapping[int, _Named] = MappingProxyType({})
        self._embedder = embedder
        self._gallery = gallery
        self._examples = examples
        self._report = report
        self._known: dict[int, _Known] = {}
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
            self._report(str(error))
        else:
            self._report(None)

    def _embed(self, image_bgr: Image, result: FrameResult) -> bool:
        """Embed the face that has waited longest; return whether one was due."""
        now_s = monotonic()
        for face in result.faces:
            self._known.setdefault(face.track_id, _Known(now_s)).seen_s = now_s
        self._known = {
            track_id: known
            for track_id, known in self._known.items()
            if now_s - known.seen_s <= _FORGOTTEN_S
        }
        clear = [(self._known[face.track_id], face) for face in result.faces if _clear(face)]
        due = [(known, face) for known, face in clear if known.due_s <= now_s]
        if not due:
            return False
        known, face = min(due, key=lambda pair: pair[0].due_s)
        known.evidence.add(self._embedder.embed(image_bgr, [face.box])[0])
        known.embedded_s = now_s
        return True

    def _match(self) -> None:
        """Match the embeddings of each decision with the gallery as it is now."""
        bases = {
            track_id: basis
            for track_id, known in self._known.items()
            if (basis := known.evidence.basis) is not None
        }
        matches = self._gallery.match(list(bases.values())) if bases else []
        for track_id, match in zip(bases, matches, strict=True):
            self._known[track_id].evidence.matched(match is not None)
        self._matched_s = monotonic()
        named = zip(bases, unique_matches(matches), strict=True)
        self._publish(
            {
                track_id: _Named(match, self._examples_of(track_id, match))
                for track_id, match in named
                if match
            }
        )

    def _examples_of(self, track_id: int, match: Match) -> Examples | None:
        if self._examples is None or self._known[track_id].evidence.doubtful:
            return None
        return self._examples(match.person_id)

    def _publish(self, named: dict[int, _Named], stopped: bool = False) -> None:
        with self._lock:
            self._stopped = self._stopped or stopped
            self.named = MappingProxyType({} if self._stopped else named)


def _clear(face: Face) -> bool:
    """Return whether this face is seen well enough to be recognised."""
    return not face.unreadable and not face.unseen_s and face.box.width >= _LEAST_PX
