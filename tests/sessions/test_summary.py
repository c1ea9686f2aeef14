"""What a session adds up to, and that it survives CSV and JSON."""

from __future__ import annotations

import copy
import csv
import io
import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.emotions import EMOTIONS
from emorec.records import UNREADABLE, Box, Face, FrameResult, unclassified
from emorec.rows import columns, to_csv, to_json
from emorec.sessions.summary import Summary, summarize
from emorec.sessions.timeline import Timeline

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LABELS = (*EMOTIONS, "unsure")
NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


def face(track_id: int, emotion: str | None, confidence: float = 1.0) -> Face:
    if emotion in UNREADABLE:
        probs = unclassified()
        box = Box(0, 0, 10, 10)
        return Face(track_id, box, 0.9, 1.0, 0.0, probs, probs, None, unreadable=emotion)
    probs = np.full(7, (1 - confidence) / 6, dtype=np.float32)
    probs[EMOTIONS.index(emotion or "neutral")] = confidence
    return Face(track_id, Box(0, 0, 10, 10), 0.9, 1.0, 0.0, probs, probs, emotion)


def record(*moments: tuple[float, dict[int, str | None]]) -> Timeline:
    """Return a timeline of ``(time_s, {track_id: emotion, or why it is unreadable})``."""
    timeline = Timeline(START)
    for time_s, shown in moments:
        faces = tuple(face(track_id, emotion) for track_id, emotion in shown.items())
        timeline.add(NO_PICTURE, FrameResult(0, time_s, (640, 480), faces))
    return timeline


def test_an_empty_session() -> None:
    summary = summarize(record())
    assert summary == Summary(0.0, 0, 0, dict.fromkeys(LABELS, 0.0), None, None, 0.0)


def test_nobody_came() -> None:
    summary = summarize(record((1.0, {}), (11.0, {})))
    assert summary.duration_s == 10.0
    assert (summary.mean_valence, summary.dominant) == (None, None)


def test_time_counts_not_rows() -> None:
    """Ten quick happy rows last as long as one sad row that is followed a second later."""
    happy = [(i / 10, {1: "happy"}) for i in range(10)]
    summary = summarize(record(*happy, (1.0, {1: "sad"}), (2.0, {1: None})))
    assert summary.shares["happy"] == pytest.approx(1.0 / 2.1)
    assert summary.shares["sad"] == pytest.approx(1.0 / 2.1)
    assert summary.shares["unsure"] == pytest.approx(0.1 / 2.1)
    assert summary.mean_valence == pytest.approx(0.0, abs=1e-6)


def test_a_gap_is_not_observed_time() -> None:
    summary = summarize(record((0.0, {1: "happy"}), (100.0, {1: "sad"}), (101.0, {1: "sad"})))
    assert summary.shares["happy"] == pytest.approx(1.0 / 2.1)
    assert summary.shares["sad"] == pytest.approx(1.1 / 2.1)
    assert summary.dominant == "sad"


def test_each_face_counts_for_its_own_time() -> None:
    timeline = record(
        (0.0, {1: "happy", 2: "sad"}),
        (0.5, {1: "happy"}),
        (1.0, {1: "happy", 3: "happy"}),
    )
    summary = summarize(timeline)
    assert (summary.faces_seen, summary.most_at_once) == (3, 2)
    assert summary.duration_s == 1.0
    assert summary.shares["sad"] == pytest.approx(0.5 / 1.7)
    assert summary.mean_valence == pytest.approx((1.2 - 0.5) / 1.7)


def test_unsure_is_never_dominant() -> None:
    moments = [(i / 10, {1: None if i % 5 else "fear"}) for i in range(50)]
    summary = summarize(record(*moments))
    assert summary.shares["unsure"] > summary.shares["fear"] > 0
    assert summary.dominant == "fear"
    assert summarize(record((0.0, {1: None}))).dominant is None


def test_an_unreadable_face_counts_for_no_emotion_and_says_how_long() -> None:
    happy = [(i / 10, {1: "happy", 2: "too small"}) for i in range(10)]
    dark = [(1 + i / 10, {1: "too dark", 2: "too small"}) for i in range(10)]
    summary = summarize(record(*happy, *dark))
    assert summary.shares["happy"] == 1.0
    assert summary.mean_valence == pytest.approx(1.0)
    assert (summary.faces_seen, summary.most_at_once, summary.dominant) == (1, 1, "happy")
    assert summary.unreadable == pytest.approx(0.75, abs=0.001)
    nobody_read = summarize(record((0.0, {1: "too blurred"})))
    assert (nobody_read.unreadable, nobody_read.dominant) == (1.0, None)
    assert nobody_read.faces_seen == 0


def test_a_summary_cannot_be_changed() -> None:
    summary = summarize(record((0.0, {1: "happy"})))
    with pytest.raises(TypeError):
        summary.shares["happy"] = 0.0  # type: ignore[index]
    with pytest.raises(AttributeError):
        summary.duration_s = 1.0  # type: ignore[misc]


moments = st.lists(
    st.tuples(
        st.integers(0, 100_000).map(lambda tenths: tenths / 10),
        st.dictionaries(
            st.integers(1, 5), st.sampled_from([*EMOTIONS, None, *UNREADABLE]), max_size=4
        ),
    ),
    max_size=20,
    unique_by=lambda moment: moment[0],
).map(lambda found: sorted(found, key=lambda moment: moment[0]))


@given(moments)
def test_shares_and_valence_stay_in_range(found: list[tuple[float, dict[int, str | None]]]) -> None:
    timeline = record(*found)
    summary = summarize(timeline)
    assert tuple(summary.shares) == LABELS
    read = any(row["unreadable"] is None for row in timeline.rows())
    assert sum(summary.shares.values()) == pytest.approx(1.0 if read else 0.0)
    assert 0 <= summary.unreadable <= 1
    assert all(share >= 0 for share in summary.shares.values())
    if summary.mean_valence is not None:
        assert -1.0001 <= summary.mean_valence <= 1.0001


@given(moments)
def test_csv_and_json_read_back(found: list[tuple[float, dict[int, str | None]]]) -> None:
    timeline = record(*found)
    summary = summarize(timeline)
    read = json.loads(to_json({"emorec": "1"}, timeline, summary=summary))
    assert list(read) == ["header", "summary", "rows"]
    assert read["summary"]["faces_seen"] == timeline.faces_seen
    assert read["summary"]["duration_s"] == pytest.approx(summary.duration_s, abs=1e-6)
    assert tuple(read["summary"]["shares"]) == LABELS
    order = columns(wall_clock=True)
    assert all(tuple(row) == order for row in read["rows"])
    assert len(read["rows"]) == len(timeline.rows())
    text = to_csv(timeline, order)
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert text.count("\r\n") == text.count("\n") == len(lines) + 1
    texts = {"wall_clock", "emotion", "unreadable", "name"}
    assert [
        {key: (value if key in texts else float(value)) if value else None}
        for line in lines
        for key, value in line.items()
    ] == [{key: value} for row in read["rows"] for key, value in row.items()]


def test_a_summary_can_be_kept_and_sent() -> None:
    summary = summarize(record((0.0, {1: "happy"}), (1.0, {1: "sad"})))
    for again in (copy.deepcopy(summary), pickle.loads(pickle.dumps(summary))):
        assert again == summary
        with pytest.raises(TypeError):
            again.shares["happy"] = 0.0  # type: ignore[index]
