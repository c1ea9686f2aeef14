"""The record of a session: what becomes a row, what is bounded, what threads may do."""

from __future__ import annotations

import threading
import tracemalloc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.emotions import EMOTIONS
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.rows import columns, face_rows, to_csv
from emorec.sessions import timeline as timeline_module
from emorec.sessions.timeline import Timeline

PICTURE = np.zeros((480, 640, 3), np.uint8)
START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def face(track_id: int = 1, emotion: str | None = "happy", confidence: float = 0.7) -> Face:
    probs = np.full(7, (1 - confidence) / 6, dtype=np.float32)
    probs[EMOTIONS.index(emotion or "neutral")] = confidence
    raw = np.full(7, 1 / 7, dtype=np.float32)
    return Face(track_id, Box(0, 0, 10, 10), 0.9, 1.0, 0.0, raw, probs, emotion)


def unknown(track_id: int = 9) -> Face:
    nothing = unclassified()
    return Face(track_id, Box(0, 0, 10, 10), 0.9, 0.0, 0.0, nothing, nothing, None)


def frame(time_s: float, *faces: Face) -> FrameResult:
    return FrameResult(int(time_s * 30), time_s, (640, 480), faces)


def test_nothing_observed() -> None:
    timeline = Timeline(START)
    assert timeline.rows() == []
    seconds, probs = timeline.readings()
    assert (seconds.shape, probs.shape, probs.dtype) == ((0,), (0, 7), np.float32)
    assert timeline.span_s == (0.0, 0.0)
    assert (timeline.faces_seen, timeline.most_at_once) == (0, 0)


def test_nobody_in_view_gives_no_row_but_counts_as_observed() -> None:
    timeline = Timeline(START)
    for time_s in (2.0, 3.0, 7.5):
        timeline.add(PICTURE, frame(time_s))
    assert timeline.rows() == []
    assert timeline.span_s == (2.0, 7.5)


def test_a_row() -> None:
    timeline = Timeline(START)
    timeline.add(PICTURE, frame(83.25, face(4), unknown()))
    (row,) = timeline.rows()
    assert tuple(row) == columns(wall_clock=True)
    assert row["time_s"] == 83.25
    assert row["wall_clock"] == "2026-03-01T12:01:23.250+00:00"
    assert (row["track_id"], row["emotion"]) == (4, "happy")
    assert row["confidence"] == row["happy"] == pytest.approx(0.7)
    assert [row["x1_px"], row["y1_px"], row["x2_px"], row["y2_px"]] == [0, 0, 10, 10]
    assert (row["width_px"], row["height_px"], row["score"], row["age_s"]) == (640, 480, 0.9, 1.0)
    assert (timeline.faces_seen, timeline.most_at_once) == (1, 1)


def test_a_face_that_cannot_be_read_says_why_and_nothing_else() -> None:
    timeline = Timeline(START)
    nothing = unclassified()
    dark = Face(3, Box(0, 0, 9, 9), 0.9, 0.0, 0.0, nothing, nothing, None, unreadable="too dark")
    timeline.add(PICTURE, frame(1.0, dark))
    (row,) = timeline.rows()
    assert tuple(row) == columns(wall_clock=True)
    assert (row["track_id"], row["unreadable"]) == (3, "too dark")
    assert {row[name] for name in (*EMOTIONS, "emotion", "confidence", "valence")} == {None}
    assert (timeline.faces_seen, timeline.most_at_once) == (0, 0)
    timeline.add(PICTURE, frame(2.0, face(3)))
    assert (timeline.rows()[1]["emotion"], timeline.rows()[1]["unreadable"]) == ("happy", None)
    assert (timeline.faces_seen, timeline.most_at_once) == (1, 1)


def test_without_a_label_the_row_says_unsure() -> None:
    timeline = Timeline(START)
    timeline.add(PICTURE, frame(0.0, face(1, None, 0.3)))
    (row,) = timeline.rows()
    assert (row["emotion"], row["confidence"]) == ("unsure", pytest.approx(0.3))


def test_the_wall_clock_is_utc() -> None:
    timeline = Timeline(START.astimezone(timezone(timedelta(hours=5, minutes=30))))
    timeline.add(PICTURE, frame(1.0, face()))
    assert timeline.rows()[0]["wall_clock"] == "2026-03-01T12:00:01.000+00:00"


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected .* time zone\. Received "):
        Timeline(datetime(2026, 3, 1))


@pytest.mark.parametrize(
    ("rate", "rows_a_second"), [(2, 2), (5, 5), (10, 10), (20, 10), (30, 10), (25, 9)]
)
def test_at_most_ten_rows_a_second_and_face(rate: int, rows_a_second: int) -> None:
    timeline = Timeline(START)
    for i in range(rate * 4):
        timeline.add(PICTURE, frame(i / rate, face(1), face(2)))
    seconds = [row["time_s"] for row in timeline.rows() if row["track_id"] == 2]
    assert len(seconds) == pytest.approx(rows_a_second * 4, abs=2)
    assert np.all(np.diff(seconds) >= 0.099)


def test_the_last_readings_count_from_the_last_frame_observed() -> None:
    timeline = Timeline(START)
    for i in range(100):
        timeline.add(PICTURE, frame(i / 2, face()))
    timeline.add(PICTURE, frame(59.5))
    assert timeline.readings(11)[0].tolist() == [48.5, 49.0, 49.5]
    assert timeline.readings(5)[0].size == 0
    seconds, probs = timeline.readings()
    rows = timeline.rows()
    assert seconds.tolist() == [row["time_s"] for row in rows]
    assert probs.tolist() == [[row[name] for name in EMOTIONS] for row in rows]


def test_readings_leave_out_who_could_not_be_read() -> None:
    timeline = Timeline(START)
    hidden = replace(unknown(), unreadable="too dark")
    timeline.add(PICTURE, frame(1.0, face(1), hidden))
    timeline.add(PICTURE, frame(2.0, hidden))
    assert len(timeline.rows()) == 3
    assert timeline.readings()[0].tolist() == [1.0]


def test_the_oldest_rows_go_first_and_the_figures_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline_module, "MOST_ROWS", 10)
    timeline = Timeline(START)
    for i in range(30):
        timeline.add(PICTURE, frame(float(i), face(track_id=i + 1)))
    assert [row["time_s"] for row in timeline.rows()] == [float(i) for i in range(20, 30)]
    assert timeline.span_s == (0.0, 29.0)
    assert timeline.faces_seen == 30


def test_rows_given_out_are_the_callers_own() -> None:
    timeline = Timeline(START)
    timeline.add(PICTURE, frame(0.0, face()))
    timeline.rows()[0]["emotion"] = "sad"
    assert timeline.rows()[0]["emotion"] == "happy"


@given(
    times=st.lists(st.floats(0, 1e5, allow_nan=False), max_size=30).map(sorted),
    tracks=st.lists(st.integers(1, 4), unique=True, max_size=4),
)
def test_rows_follow_the_clock(times: list[float], tracks: list[int]) -> None:
    timeline = Timeline(START)
    for time_s in times:
        timeline.add(PICTURE, frame(time_s, *(face(track_id) for track_id in sorted(tracks))))
    rows = timeline.rows()
    assert {row["track_id"] for row in rows} == (set(tracks) if times else set())
    for row in rows:
        elapsed = datetime.fromisoformat(row["wall_clock"]) - START
        assert abs(elapsed.total_seconds() - row["time_s"]) < 2e-3
    assert [row["time_s"] for row in rows] == sorted(row["time_s"] for row in rows)


def test_reading_while_another_thread_adds() -> None:
    timeline = Timeline(START)
    done = threading.Event()

    def read() -> int:
        reads = 0
        while not (done.is_set() and reads):
            rows = timeline.rows()
            assert [row["time_s"] for row in rows] == [i / 10 for i in range(len(rows))]
            assert len(timeline.readings(1.0)[0]) <= 11
            reads += 1
        return reads

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for i in range(1500):
            timeline.add(PICTURE, frame(i / 10, face()))
        done.set()
        assert all(reader.result(timeout=30) for reader in readers)
    assert len(timeline.rows()) == 1500


def test_a_name_stands_in_the_rows_in_which_the_face_had_it() -> None:
    timeline = Timeline(START)
    timeline.add(PICTURE, frame(0.0, face(1)))
    timeline.add(PICTURE, frame(1.0, replace(face(1), name="Ada")))
    assert [row["name"] for row in timeline.rows()] == [None, "Ada"]
    assert to_csv(timeline, columns(wall_clock=True)).splitlines()[2].endswith(",Ada")


def test_the_rows_are_those_of_every_other_output_with_a_clock() -> None:
    faces = (
        replace(face(1), score=float("nan"), box=Box(3, 4, 500, 470), age_s=1 / 3, unseen_s=0.1),
        replace(face(2, None, 0.3), name="Ada"),
        replace(unknown(3), unreadable="too dark"),
    )
    timeline = Timeline(START)
    with timeline as sink:
        sink.add(PICTURE, frame(1 / 3, *faces))
    assert timeline.rows() == face_rows(frame(1 / 3, *faces), clock_start=START)
    assert list(timeline) == timeline.rows()


def test_the_picture_is_not_kept() -> None:
    timeline, picture = Timeline(START), PICTURE.copy()
    kept = weakref.ref(picture)
    timeline.add(picture, frame(0.0, face()))
    del picture
    assert kept() is None


def test_a_row_is_small_in_memory() -> None:
    """A dictionary for each row takes more than 1,000 bytes, four hours of it 150 MB."""
    timeline = Timeline(START)
    frames = 500
    tracemalloc.start()
    try:
        for i in range(frames):
            timeline.add(PICTURE, frame(i / 10, replace(face(), box=Box(300 + i, 301, 9000, 9001))))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(timeline.rows()) == frames
    # Beside the rows there are the seconds, and the state of the faces.
    assert taken / frames < 400
