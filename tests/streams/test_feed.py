"""The messages of a stream: their columns, and what is never in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Self

import numpy as np
import pytest

from emorec.columns import FACE, MARKER, SECOND
from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.rows import Row
from emorec.sessions.report import of_timeline
from emorec.sessions.tables import second_rows
from emorec.sessions.timeline import Timeline
from emorec.streams.feed import SECOND_COLUMNS, Feed, Kind
from emorec.streams.json_lines import JsonLines
from testkit.room import PICTURE, frame, happy

START = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
COUNTS = {"time_s", "wall_clock", "most_at_once", "in_view", "mood_faces", "synchrony_faces"}


class Collected:
    """An outlet that holds what it got."""

    def __init__(self) -> None:
        self.messages: list[tuple[Kind, Row]] = []
        self.ended = False

    def send(self, kind: Kind, row: Row) -> None:
        self.messages.append((kind, row))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self.ended = True

    def of(self, kind: Kind) -> list[Row]:
        return [row for which, row in self.messages if which == kind]


def faces(count: int, share: float = 0.5) -> Mapping[int, np.ndarray]:
    return {number: happy(share + 0.02 * number) for number in range(1, count + 1)}


def share_at(number: int, seconds: float) -> float:
    """Rises after the first half, and varies a little, for all faces alike."""
    return (0.1 if number < seconds * 2 else 0.7) + 0.01 * (number // 4 % 3)


def fed(seconds: float, count: int, group_only: bool = False) -> Collected:
    """Return what is sent of a room of so many faces."""
    out = Collected()
    with Feed(START, [out], group_only) as feed:
        for number in range(int(seconds * 4)):
            shown = faces(count, share_at(number, seconds))
            feed.add(PICTURE, frame(number / 4, shown))
    assert out.ended
    return out


def test_without_a_picture_nothing_is_sent() -> None:
    assert fed(0, 3).messages == []


def test_a_picture_without_faces_is_sent_too() -> None:
    (row,) = fed(0.25, 0).of("picture")
    assert (row["faces"], row["width_px"], row["time_s"]) == ([], 640, 0.0)


def test_faces_have_the_columns_of_every_other_table() -> None:
    row = fed(1, 2).of("picture")[-1]
    assert row["wall_clock"] == "2026-11-28T14:05:00.750+00:00"
    assert {*row, *row["faces"][0]} == {*FACE, "faces"} - {"file", "name"}
    assert [face["track_id"] for face in row["faces"]] == [1, 2]
    assert row["faces"][0]["happy"] == pytest.approx(0.72)


def test_no_name_is_ever_sent() -> None:
    out = Collected()
    result = frame(0, faces(1))
    named = replace(result, faces=(replace(result.faces[0], name="Ada Lovelace"),))
    with Feed(START, [out]) as feed:
        feed.add(PICTURE, named)
    assert len(out.of("picture")) == 1
    assert "Ada" not in str(out.messages)


def test_a_second_says_what_the_report_says() -> None:
    sent = fed(70, 5).of("second")
    timeline = Timeline(START)
    for number in range(280):
        timeline.add(PICTURE, frame(number / 4, faces(5, share_at(number, 70))))
    timeline.__exit__()
    rows = second_rows(of_timeline(timeline, {}))
    assert sent == [{name: row[name] for name in SECOND_COLUMNS} for row in rows]
    assert sent[-1]["mood"] == pytest.approx(0.6, abs=0.02)
    assert sent[-1]["synchrony"] == pytest.approx(1, abs=1e-5)
    assert None not in sent[-1].values()
    assert set(SECOND_COLUMNS) <= set(SECOND)


@pytest.mark.parametrize(("count", "missing"), [(1, True), (2, True), (3, False)])
def test_nothing_is_told_of_a_room_under_three_faces(count: int, missing: bool) -> None:
    for row in fed(3, count).of("second"):
        assert row["most_at_once"] == row["in_view"] == count
        told = {name: row[name] for name in (*EMOTIONS, "unreadable_share")}
        assert all((value is None) == missing for value in told.values())
        if missing:
            assert {name for name in row if row[name] is not None} == COUNTS


@pytest.mark.parametrize(("count", "seconds"), [(2, 0), (3, 3)])
def test_group_only_sends_no_single_face(count: int, seconds: int) -> None:
    out = fed(3, count, group_only=True)
    assert not out.of("picture")
    assert len(out.of("second")) == seconds


def test_every_second_is_sent_once_and_as_soon_as_it_is_over() -> None:
    out = Collected()
    with Feed(START, [out]) as feed:
        for time_s in (0.0, 0.5, 1.0, 1.5, 4.0, 4.5):
            feed.add(PICTURE, frame(time_s, faces(3)))
            over = [row["time_s"] for row in out.of("second")]
            assert all(second + 1 <= time_s for second in over)
        assert over == [0.0, 1.0, 2.0]  # a picture counts for at most a second, so no third
    assert [row["time_s"] for row in out.of("second")] == [0.0, 1.0, 2.0, 4.0]


def test_markers_have_the_time_at_which_they_were_set() -> None:
    out = Collected()
    with Feed(START, [out]) as feed:
        feed.mark("question 1", 0.2)
        feed.add(PICTURE, frame(0.5, {}))
        feed.mark("=1+1", 0.7)
        with pytest.raises(EmorecError, match="at most 80 characters"):
            feed.mark("x" * 81, 0.8)
    assert [kind for kind, _ in out.messages] == ["marker", "picture", "marker", "second"]
    first, last = out.of("marker")
    assert set(first) == set(MARKER)
    assert (first["label"], first["wall_clock"]) == ("question 1", "2026-11-28T14:05:00.200+00:00")
    assert (last["label"], last["time_s"]) == ("=1+1", 0.7)


def test_an_outlet_that_cannot_begin_ends_those_that_have() -> None:
    class Broken(Collected):
        def __enter__(self) -> Self:
            raise EmorecError("no")

    first = Collected()
    with pytest.raises(EmorecError), Feed(START, [first, Broken()]):
        pass
    assert first.ended


def test_lines_are_strict_json_with_the_header_first() -> None:
    text = StringIO()
    unreadable = {**faces(2), 3: None}
    with Feed(START, [JsonLines({"emorec": "1"}, text)]) as feed:
        feed.mark("Frage – 🙂", 0.1)
        for number in range(6):
            feed.add(PICTURE, frame(number / 4, unreadable))

    def never(constant: str) -> None:
        raise AssertionError(constant)

    lines = [json.loads(line, parse_constant=never) for line in text.getvalue().splitlines()]
    kinds = [kind for line in lines for kind in line]
    assert len(kinds) == len(lines)
    assert kinds == ["header", "marker", *["picture"] * 4, "second", *["picture"] * 2, "second"]
    assert lines[1]["marker"]["label"] == "Frage – 🙂"
    dark = lines[-2]["picture"]["faces"][2]
    assert (dark["unreadable"], dark["happy"], dark["emotion"]) == ("too dark", None, None)
