"""Sessions of rooms that never were, in a store: for the Sessions page in a browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from emorec.sessions.store import About, SessionStore, thumbnail
from emorec.sessions.timeline import Timeline
from testkit.room import PICTURE, frame, happy

START = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
MADE_WITH = {"emorec": "0.2.0", "model": {"name": "elu_cnn", "sha256": "00"}, "settings": {}}

Mood = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]

ROOMS: tuple[tuple[str, int, Mood], ...] = (
    ("Lecture, first try", 45, lambda x: 0.25 - 0.5 * x),
    ("Lecture, second try", 47, lambda x: 0.05 + 0.3 * np.sin(3 * x)),
    ("Rehearsal", 20, lambda x: 0.2 * np.sin(9 * x)),
    ("Open day", 120, lambda x: 0.3 * np.cos(14 * x) * x),
)
"""Title, minutes, and the mood by the share of the time that has passed."""

_FACES = 12


def keep_rooms(store: SessionStore, owner: str) -> None:
    """Keep a session of each of `ROOMS` for an owner, the first of them as the newest."""
    for days, (title, minutes, mood) in enumerate(reversed(ROOMS)):
        about = About(
            owner=owner,
            started_at=START + timedelta(days=days),
            purpose="An event: a talk, a demonstration",
            made_with=MADE_WITH,
            title=title,
        )
        seconds = _seconds(60 * minutes, mood, seed=days)
        store.append(
            store.begin(about), seconds, None, (0.0, 60.0 * minutes), 14, True, thumbnail(seconds)
        )


def _seconds(count: int, mood: Mood, seed: int) -> npt.NDArray[np.void]:
    timeline = Timeline(START)
    for half in range(4):
        shown = {number: happy(0.4 + 0.02 * number) for number in range(1, _FACES + 1)}
        timeline.add(PICTURE, frame(half / 2, shown))
    seconds = np.repeat(timeline.finished()[:1], count)
    seconds["second"] = np.arange(count)
    noise = np.random.default_rng(seed).normal(0, 0.15, count + 19)
    smooth = np.convolve(noise, np.ones(20) / 20, "valid")
    seconds["mood"] = mood(np.linspace(0, 1, count)) + smooth
    seconds["mood_faces"] = _FACES
    return seconds
