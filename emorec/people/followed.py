"""The faces of a stream while they are followed: when each is embedded, and when it is forgotten.

A decision about a face rests on a fixed set of its embeddings: of the first three pictures; if no
person is near enough, of the first six, then of the first twelve, and never of more. The same set
is matched again when the gallery may have changed, with the same outcome while it has not. So a
face that stays for ten minutes is decided three times at most, and not by the best of hundreds of
pictures. Only newer pictures of another person start the decisions again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from emorec.people.evidence import Evidence
from emorec.people.matching import Match, Matcher, unique_matches
from emorec.pipeline.track import LONGEST_UNSEEN_S
from emorec.records import Face

_SOON_S = 0.4
_SELDOM_S = 5.0
"""The first gap between two embeddings of a face, and the longest. Until all decisions are taken
the gap grows by ``_SOON_S`` each time, since pictures close together share their errors: decisions
come after about 1, 6 and 30 s."""

_FORGOTTEN_S = LONGEST_UNSEEN_S + 1.0  # by then no id comes back: this clock is not the tracker's
_LEAST_PX = 40  # a smaller face shows too little to tell people apart


@dataclass(eq=False)
class Known:
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


class Followed:
    """The faces of one stream, by number; for one thread."""

    def __init__(self) -> None:
        self.known: dict[int, Known] = {}

    def due(self, faces: Sequence[Face], now_s: float) -> list[tuple[Known, Face]]:
        """Return the faces of a picture to be embedded now, the one that waited longest first.

        Args:
            faces: of the picture; others are forgotten after a while.
            now_s: seconds of any clock that does not fall.
        """
        for face in faces:
            self.known.setdefault(face.track_id, Known(now_s)).seen_s = now_s
        self.known = {
            track_id: known
            for track_id, known in self.known.items()
            if now_s - known.seen_s <= _FORGOTTEN_S
        }
        clear = [(self.known[face.track_id], face) for face in faces if _clear(face)]
        due = [(known, face) for known, face in clear if known.due_s <= now_s]
        return sorted(due, key=lambda pair: pair[0].due_s)

    def matches(self, gallery: Matcher) -> dict[int, Match]:
        """Match the embeddings of each decision with the gallery as it is now.

        Returns:
            The person that each face is, by its number; faces of unknown people are left out.

        Raises:
            EmorecError: the gallery cannot be used.
        """
        bases = {
            track_id: basis
            for track_id, known in self.known.items()
            if (basis := known.evidence.basis) is not None
        }
        found = gallery.match(list(bases.values())) if bases else []
        for track_id, match in zip(bases, found, strict=True):
            self.known[track_id].evidence.matched(match is not None)
        pairs = zip(bases, unique_matches(found), strict=True)
        return {track_id: match for track_id, match in pairs if match}


def _clear(face: Face) -> bool:
    """Return whether this face is seen well enough to be recognised."""
    return not face.unreadable and not face.unseen_s and face.box.width >= _LEAST_PX
