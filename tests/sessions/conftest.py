"""Sessions for the tests: a room that was played, and the store it is kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from emorec.sessions.store import About, SessionStore, open_sessions
from emorec.sessions.timeline import Timeline
from testkit.room import PICTURE, frame, happy

START = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
MADE_WITH = {"emorec": "0.2.0", "model": {"name": "elu_cnn", "sha256": "00"}, "settings": {}}


def played(seconds: int, faces: int = 5, rate: int = 2, ended: bool = True) -> Timeline:
    """Return a session in which the mood rises after its first half."""
    timeline = Timeline(START)
    for i in range(seconds * rate):
        mood = 0.1 if i < seconds * rate / 2 else 0.6
        shown = {k: happy(mood + 0.02 * k) for k in range(1, faces + 1)}
        timeline.add(PICTURE, frame(i / rate, shown))
    if ended:
        timeline.__exit__()
    return timeline


def about(**more: object) -> About:
    """Return what is decided at the beginning."""
    values = {"owner": "ada", "started_at": START, "purpose": "event", "made_with": MADE_WITH}
    return About(**(values | more))  # type: ignore[arg-type]


Keep = Callable[..., int]


@pytest.fixture
def sessions(store: str) -> Iterator[SessionStore]:
    """The sessions of a new store, on either database."""
    opened = open_sessions()
    yield opened
    opened.close()


@pytest.fixture
def keep(sessions: SessionStore) -> Keep:
    """Keeps a session, and returns its id."""

    def kept(timeline: Timeline | None = None, **more: object) -> int:
        timeline = timeline or played(4)
        id_ = sessions.begin(about(**more))
        seconds, faces = timeline.finished(), timeline.face_seconds()
        sessions.append(id_, seconds, faces, timeline.span_s, timeline.faces_seen, True)
        sessions.set_markers(id_, timeline.markers)
        return id_

    return kept
