"""The seconds of a session equal a plain computation over what was read."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorec.emotions import EMOTIONS
from emorec.records import FrameResult
from emorec.sessions.aggregator import LAST_STEP_S, MOST_STEP_S, Aggregator
from emorec.sessions.seconds import (
    FACE_SECOND,
    SECOND,
    SUMS,
    merged,
)
from testkit.room import face, frame, happy


def aggregated(results: list[FrameResult]) -> Aggregator:
    aggregator = Aggregator()
    for result in results:
        aggregator.add(result)
    return aggregator


def test_nothing_observed() -> None:
    aggregator = Aggregator()
    aggregator.end()
    for table in (aggregator.seconds(), aggregator.finished()):
        assert (len(table), table.dtype) == (0, SECOND)
    assert aggregator.face_seconds().dtype == FACE_SECOND
    assert merged([])["observed_s"] == 0.0


def test_time_counts_and_not_pictures() -> None:
    quick = [frame(i / 20, {1: happy(1.0)}) for i in range(10)]
    slow = [frame(0.5, {1: happy(-1.0)}), frame(1.0, {})]
    (first, _) = aggregated([*quick, *slow]).seconds()
    assert first["happy"] == pytest.approx(0.5) and first["sad"] == pytest.approx(0.5)
    assert (first["read_s"], first["observed_s"], first["faces"]) == (1.0, 1.0, 1)


def test_a_gap_is_not_observed() -> None:
    aggregator = aggregated([frame(0.5, {1: happy(1.0)}), frame(100.25, {1: happy(1.0)})])
    seconds = aggregator.seconds()
    assert seconds["second"].tolist() == [0, 1, 100]
    assert seconds["observed_s"].tolist() == pytest.approx([0.5, 0.5, LAST_STEP_S])


def test_a_face_that_is_only_followed_keeps_its_last_reading() -> None:
    read, followed = face(1, happy(0.5)), face(1, happy(0.9), raw=False)
    results = [
        FrameResult(0, 0.0, (9, 9), (read,)),
        FrameResult(1, 0.5, (9, 9), (followed,)),
        FrameResult(2, 1.0, (9, 9), ()),
    ]
    assert aggregated(results).seconds()["happy"][0] == pytest.approx(0.5)


def test_a_second_is_finished_when_a_later_one_begins() -> None:
    aggregator = aggregated([frame(i / 4, {1: happy(0.5)}) for i in range(11)])  # to 2.5 s
    assert aggregator.finished()["second"].tolist() == [0, 1]
    assert aggregator.finished(0)["second"].tolist() == [1]
    assert aggregator.seconds()["second"].tolist() == [0, 1, 2]
    before = aggregator.seconds()
    aggregator.end()
    np.testing.assert_array_equal(before["read_s"], aggregator.finished()["read_s"])
    assert aggregator.face_seconds(0)["second"].tolist() == [1, 2]


def test_a_crowd_of_more_faces_than_there_was_room_for() -> None:
    aggregator = aggregated([frame(0.0, {i: happy(0.5) for i in range(1, 101)}), frame(1.0, {})])
    (first, _) = aggregator.seconds()
    assert (first["faces"], first["most_at_once"], first["read_s"]) == (100, 100, 100.0)


faces = st.dictionaries(
    st.integers(1, 4), st.one_of(st.none(), st.floats(-1, 1, width=32).map(happy)), max_size=4
)
sessions = st.lists(st.tuples(st.integers(0, 600), faces), max_size=25, unique_by=lambda x: x[0])


@settings(max_examples=60)
@given(sessions)
def test_the_sums_are_those_of_a_plain_computation(moments) -> None:
    """Counted here hundredth by hundredth, from the pictures alone."""
    moments = sorted((hundredths * 7, shown) for hundredths, shown in moments)
    aggregator = aggregated([frame(at / 100, shown) for at, shown in moments])
    expected: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    nexts = [at for at, _ in moments[1:]] + [moments[-1][0] + 100 * LAST_STEP_S] if moments else []
    for (at, shown), until in zip(moments, nexts, strict=True):
        for tick in range(at, int(min(until, at + 100 * MOST_STEP_S))):
            second = expected[tick // 100]
            second["observed_s"] += 0.01
            for probs in shown.values():
                second["unreadable_s" if probs is None else "read_s"] += 0.01
                for emotion, p in zip(EMOTIONS, () if probs is None else probs, strict=False):
                    second[emotion] += 0.01 * float(p)
    seconds = aggregator.seconds()
    assert seconds["second"].tolist() == sorted(expected)
    for row in seconds:
        for name in ("observed_s", "read_s", "unreadable_s", *EMOTIONS):
            assert row[name] == pytest.approx(expected[row["second"]][name], abs=1e-4), name
    aggregator.end()
    own = aggregator.face_seconds()
    assert math.fsum(own["read_s"].tolist()) == pytest.approx(seconds["read_s"].sum(), abs=1e-3)


def some_seconds(seed: int, n: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    table = np.zeros(n, SECOND)
    for name in SUMS:
        table[name] = draw.random(n) * 1000
    table["most_at_once"] = draw.integers(0, 50, n)
    return table


@given(st.lists(st.integers(0, 20), min_size=3, max_size=3), st.integers(0, 1000))
def test_the_order_in_which_windows_are_merged_does_not_matter(sizes, seed) -> None:
    a, b, c = (some_seconds(seed + i, n) for i, n in enumerate(sizes))
    whole = merged([a, b, c])
    assert merged([np.concatenate([a, b]), c]) == merged([a, np.concatenate([b, c])]) == whole
    assert merged([c, b, a]) == whole
