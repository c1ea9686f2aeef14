"""Names for the faces of a live stream, worked out beside it: the picture never waits for them.

A decision about a face rests on a fixed set of its pictures: the first three, if nobody is near
enough then the first six, then the first twelve, and never on more. The same set is matched again
whenever the gallery may have changed, with the same outcome while it has not. So what is said of
somebody who stays for ten minutes is decided three times at most, and not by the luck of the best
of hundreds of pictures. Only newer pictures that are of somebody else begin the decision anew.
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

from emorec.errors import EmorecError
from emorec.live.mailbox import Mailbox
from emorec.people.evidence import Evidence
from emorec.people.matching import Embedder, Matcher, once
from emorec.records import Face, FrameResult

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]

_SOON_S = 0.4
_SELDOM_S = 5.0
"""The first gap between two pictures, and the longest. Until all is decided every picture adds
``_SOON_S``, since pictures close together agree on their errors: decisions come after about 1, 6
and 30 s."""

_FORGOTTEN_S = 2.0  # the tracker itself knows a face again for 1.5 s
_LEAST_PX = 40  # a smaller face has too little of what tells people apart
_REST_S = 5.0  # after an error
_PATIENCE_S = 1.0  # without a picture: whoever was renamed or deleted is followed no later


@dataclass(eq=False)
class _Known:
    """What is kept of a face while it is followed."""

    seen_s: float
    looked_s: float = float("-inf")
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def due_s(self) -> float:
        if self.evidence.doubtful:
            return self.looked_s + _SOON_S
        if self.evidence.settled:
            return self.looked_s + _SELDOM_S
        return self.looked_s + min(_SOON_S * self.evidence.taken, _SELDOM_S)


class LiveNames:
    """Who is who in one live stream; no picture is kept, and numbers only while it runs.

    `named` and `stop` are for one thread, `of` for any. After `stop` it starts again with the next
    picture.

    Args:
        embedder: turns a face into numbers.
        gallery: asked at every look and at least once a second, so that whoever is deleted loses
            their name there and then.
    """

    def __init__(self, embedder: Embedder, gallery: Matcher) -> None:
        self.error: str | None = None
        """One line while names cannot be worked out, None while they can."""
        self._embedder = embedder
        self._gallery = gallery
        self._work: _Work | None = None

    def named(self, image_bgr: Image, result: FrameResult) -> FrameResult:
        """Leave a frame and its faces to the thread, and return the names known by now.

        Never waits: the newest frame replaces one that was not looked at yet.
        """
        if self._work is None:
            self._work = _Work(self._embedder, self._gallery, self._report)
        self._work.frames.put((image_bgr, result))
        faces = tuple(replace(face, name=self.of(face.track_id)) for face in result.faces)
        return replace(result, faces=faces)

    def of(self, track_id: int) -> str | None:
        """Return the name of a face; None where there is none, or none yet."""
        work = self._work
        return work.names.get(track_id) if work else None

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
        self, embedder: Embedder, gallery: Matcher, report: Callable[[str | None], None]
    ) -> None:
        self.frames: Mailbox[tuple[Image, FrameResult]] = Mailbox()
        self.names: Mapping[int, str] = MappingProxyType({})
        self._embedder = embedder
        self._gallery = gallery
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
                self._do(frame)

    def _do(self, frame: tuple[Image, FrameResult] | None) -> None:
        try:
            looked = frame is not None and self._look(*frame)
            if looked or monotonic() >= self._matched_s + _PATIENCE_S:
                self._match()
        except EmorecError as error:
            log.warning("names of faces cannot be worked out at the moment")
            self._rests_until_s = monotonic() + _REST_S
            self._publish({})
            self._report(str(error))
        else:
            self._report(None)

    def _look(self, image_bgr: Image, result: FrameResult) -> bool:
        """Look at the face that has waited longest; return whether there was one."""
        now_s = monotonic()
        for face in result.faces:
            self._known.setdefault(face.track_id, _Known(now_s)).seen_s = now_s
        self._known = {
            track_id: known
            for track_id, known in self._known.items()
            if now_s - known.seen_s <= _FORGOTTEN_S
        }
        worth = [(self._known[face.track_id], face) for face in result.faces if _clear(face)]
        due = [(known, face) for known, face in worth if known.due_s <= now_s]
        if not due:
            return False
        known, face = min(due, key=lambda pair: pair[0].due_s)
        known.evidence.add(self._embedder.embed(image_bgr, [face.box])[0])
        known.looked_s = now_s
        return True

    def _match(self) -> None:
        """Match what each decision rests on anew, with the gallery as it is now."""
        bases = {
            track_id: basis
            for track_id, known in self._known.items()
            if (basis := known.evidence.basis) is not None
        }
        matches = self._gallery.match(list(bases.values())) if bases else []
        for track_id, match in zip(bases, matches, strict=True):
            self._known[track_id].evidence.matched(match is not None)
        self._matched_s = monotonic()
        named = zip(bases, once(matches), strict=True)
        self._publish({track_id: match.name for track_id, match in named if match})

    def _publish(self, names: dict[int, str], stopped: bool = False) -> None:
        with self._lock:
            self._stopped = self._stopped or stopped
            self.names = MappingProxyType({} if self._stopped else names)


def _clear(face: Face) -> bool:
    """Return whether a look at this face can tell who it is."""
    return not face.unreadable and not face.unseen_s and face.box.width >= _LEAST_PX
