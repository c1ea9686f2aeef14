"""The quiet alert of the Live page: nothing unless asked for, then words that stay the same."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from emorec.emotions import EMOTIONS
from emorec.pages.live.quiet import QuietAlert
from emorec.records import Box, Face, FrameResult
from emorec.sessions.alert import AlertRule
from emorec.sessions.timeline import Timeline

PICTURE = np.zeros((4, 4, 3), np.uint8)


def look(timeline: Timeline, start_s: int, end_s: int, sad: float, people: int = 3) -> None:
    probs = np.full(len(EMOTIONS), (1 - sad) / 6, np.float32)
    probs[EMOTIONS.index("sad")] = sad
    for step in range(start_s * 5, end_s * 5):
        seen = tuple(
            Face(number, Box(0, 0, 9, 9), 1.0, 0, 0, probs, probs, "sad")
            for number in range(1, people + 1)
        )
        timeline.add(PICTURE, FrameResult(step, step / 5, (640, 480), seen))


def test_it_begins_after_its_time_says_one_sentence_and_ends() -> None:
    timeline = Timeline(datetime(2026, 1, 1, tzinfo=UTC))
    own = QuietAlert()
    look(timeline, 0, 20, sad=0.8)
    assert own.update(timeline) == "", "off until it is asked for"
    own.rule = AlertRule(0.7, 10.0)
    said = own.update(timeline)
    assert said.startswith("Much of the room looks displeased: 9")
    look(timeline, 20, 25, sad=0.7)
    assert own.update(timeline) == said, "the words do not change with each second"
    look(timeline, 25, 30, sad=0.0)
    assert own.update(timeline) == ""
    own.rule = None
    assert own.update(timeline) == ""


def test_of_two_faces_it_says_nothing() -> None:
    timeline = Timeline(datetime(2026, 1, 1, tzinfo=UTC))
    own = QuietAlert(AlertRule(0.5, 5.0))
    look(timeline, 0, 30, sad=0.9, people=2)
    assert own.update(timeline) == ""
