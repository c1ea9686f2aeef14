"""Names for the faces of a live stream, worked out beside it: the picture never waits for them.

A face is looked at soon after it is first seen and a few times more, then seldom. Its name is the
person of most of its last looks, so one look that errs neither gives nor takes a name.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Lock, Thread
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.live.mailbox import Mailbox
from emorec.people.nearest import Embeddings
from emorec.records import Face, FrameResult

if TYPE_CHECKING:
    from emorec.people.gallery import Match

log = logging.getLogger(__name__)

Image = npt.NDArray[np.uint8]
Embedding = npt.NDArray[np.float32]

_LOOKS = 5
_AGREE = 3
"""Of the last five looks so many make a name, so at most one person has them. A single look errs
once in 160 on LFW; one blurred or half turned picture must not name anybody."""

_SOON_S = 0.4  # looks closer together see nearly the same picture, and agree on its errors
_SELDOM_S = 5.0  # once the last three looks agree, on a person or on nobody
_FORGOTTEN_S = 2.0  # the tracker itself knows a face again for 1.5 s
_LEAST_PX = 40  # a smaller face has too little of what tells people apart
_REST_S = 5.0  # after an error
_PATIENCE_S = 1.0  # without a picture: whoever was renamed or deleted is followed no later


class Embedder(Protocol):
    """What turns faces into numbers; `emorec.people.embedding.FaceEmbedder` is the one."""

    def embed(self, image_bgr: Image, boxes_xyxy: npt.ArrayLike) -> Embeddings: ...


class Matcher(Protocol):
    """Who is known; `emorec.people.gallery.Gallery` is the one."""

    def match(self, embeddings: npt.ArrayLike) -> list[Match | None]: ...


@dataclass(eq=False)
class _Known:
    """What is kept of a face while it is followed."""

    seen_s: float
    looked_s: float = float("-inf")
    settled: bool = False
    looks: deque[Embedding] = field(default_factory=lambda: deque(maxlen=_LOOKS))

    @property
    def due_s(self) -> float:
        return self.looked_s + (_SELDOM_S if self.settled else _SOON_S)


class Names:
    """Who is who in one live stream; no picture is kept, and numbers only while it runs.

    `offer` and `stop` are for one thread, `of` for any. A new offer after `stop` begins anew.

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

    def offer(self, image_bgr: Image, result: FrameResult) -> None:
        """Leave a frame and its faces to be looked at; never waits."""
        if self._work is None:
            self._work = _Work(self, self._embedder, self._gallery)
        self._work.frames.put((image_bgr, result))

    def of(self, track_id: int) -> str | None:
        """Return the name of a face; None where there is none, or none yet."""
        work = self._work
        return work.names.get(track_id) if work else None

    def named(self, result: FrameResult) -> FrameResult:
        """Return the result with the names known by now."""
        faces = tuple(replace(face, name=self.of(face.track_id)) for face in result.faces)
        return replace(result, faces=faces)

    def stop(self, wait_s: float = 0.0) -> None:
        """Forget every face and tell the thread to end; a second call does nothing."""
        work, self._work = self._work, None
        if work is not None:
            work.stop(wait_s)
        self.error = None


class _Work:
    """The thread of `Names`, and what it knows, from the first offer to `stop`."""

    def __init__(self, owner: Names, embedder: Embedder, gallery: Matcher) -> None:
        self.frames: Mailbox[tuple[Image, FrameResult]] = Mailbox()
        self.names: Mapping[int, str] = MappingProxyType({})
        self._owner = owner
        self._embedder = embedder
        self._gallery = gallery
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
            self._owner.error = str(error)
        else:
            self._owner.error = None

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
        known.looks.append(self._embedder.embed(image_bgr, [face.box])[0])
        known.looked_s = now_s
        return True

    def _match(self) -> None:
        """Match all looks that are kept anew, with the gallery as it is now."""
        looks = [look for known in self._known.values() for look in known.looks]
        matches = iter(self._gallery.match(np.stack(looks)) if looks else [])
        nearest: dict[int, tuple[float, int, str]] = {}
        for track_id, known in self._known.items():
            own = list(islice(matches, len(known.looks)))
            said = [match.person_id if match else None for match in own]
            known.settled = len(said) >= _AGREE and len(set(said[-_AGREE:])) == 1
            person, votes = Counter(said).most_common(1)[0] if said else (None, 0)
            if person is None or votes < _AGREE:
                continue
            agreeing = [match for match in own if match and match.person_id == person]
            distance = sum(match.distance for match in agreeing) / votes
            claim = (distance, track_id, agreeing[-1].name)
            # Nobody is in two places: of two faces with one name the nearer one has it.
            nearest[person] = min(claim, nearest.get(person, claim))
        self._matched_s = monotonic()
        self._publish({track_id: name for _, track_id, name in nearest.values()})

    def _publish(self, names: dict[int, str], stopped: bool = False) -> None:
        with self._lock:
            self._stopped = self._stopped or stopped
            self.names = MappingProxyType({} if self._stopped else names)


def _clear(face: Face) -> bool:
    """Return whether a look at this face can tell who it is."""
    return not face.unreadable and not face.unseen_s and face.box.width >= _LEAST_PX
