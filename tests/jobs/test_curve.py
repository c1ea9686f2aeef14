from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emorec.emotions import EMOTIONS
from emorec.jobs.worker import Curve
from emorec.records import Box, Face, FrameResult

IMAGE = np.zeros((100, 100, 3), np.uint8)


def face(number: int, emotion: str = "happy", share: float = 1.0) -> Face:
    probs = np.full(7, (1 - share) / 6, np.float32)
    probs[EMOTIONS.index(emotion)] = share
    return Face(number, Box(20, 20, 60, 60), 0.9, 1.0, 0.0, probs, probs, emotion)


def frame(time_s: float, *faces: Face) -> FrameResult:
    return FrameResult(0, time_s, (100, 100), faces)


def curve(least: int, results: Sequence[FrameResult]) -> list[list[float]]:
    with Curve(least) as sink:
        for result in results:
            sink.add(IMAGE, result)
    return sink.new


def test_the_curve_holds_the_mean_of_each_half_second() -> None:
    results = [
        frame(0.0, face(1)),
        frame(0.3, face(1, share=0.4)),
        frame(0.7),
        frame(1.2, face(1), face(2, "sad")),
    ]
    points = curve(1, results)
    assert [point[0] for point in points] == [0.0, 1.0]
    happy, sad = 1 + EMOTIONS.index("happy"), 1 + EMOTIONS.index("sad")
    assert points[0][happy] == pytest.approx(0.7)
    assert points[1][happy] == points[1][sad] == pytest.approx(0.5)
    assert curve(1, []) == []


def test_moments_of_few_faces_are_left_out_of_a_groups_curve() -> None:
    results = [frame(0.0, face(1), face(2)), frame(1.0, *(face(n) for n in range(1, 4)))]
    assert [point[0] for point in curve(3, results)] == [1.0]
