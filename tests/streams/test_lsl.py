"""The Lab Streaming Layer: what a receiver on the network gets."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

import pylsl
import pytest

from emorec.columns import FACE, SECOND
from emorec.emotions import EMOTIONS
from emorec.streams.feed import Feed
from emorec.streams.lsl import FACE_CHANNELS, SECOND_CHANNELS, LabStreams
from testkit.room import PICTURE, frame, happy

pytestmark = pytest.mark.long  # finding the streams on the network takes seconds

START = datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
HEADER = {"emorec": "0.2.0", "notice": "apparent expression"}


@pytest.fixture
def streams() -> Iterator[LabStreams]:
    """Streams that began two seconds ago."""
    return LabStreams(HEADER, f"rtsp://me:secret@{uuid4()}", monotonic() - 2)


def inlet(what: str) -> Any:
    """Return a receiver that is connected."""
    (found,) = pylsl.resolve_byprop("name", f"EmoRec {what}", timeout=10)
    made = pylsl.StreamInlet(found)
    made.open_stream(timeout=10)
    return made


def test_a_receiver_gets_faces_seconds_and_markers(streams: LabStreams) -> None:
    with Feed(START, [streams]) as feed:
        faces, seconds, markers = inlet("faces"), inlet("aggregates"), inlet("markers")
        now_s = pylsl.local_clock()
        feed.mark("Frage – 3", 0.25)
        shown = {1: happy(0.8), 2: happy(-0.6), 3: None, 4: happy(0.1)}
        for number in range(6):
            feed.add(PICTURE, frame(number / 4, shown))
        samples = [faces.pull_sample(timeout=10) for _ in range(24)]
        second, second_s = seconds.pull_sample(timeout=10)
        marker, marker_s = markers.pull_sample(timeout=10)
        about = {"faces": faces.info(), "aggregates": seconds.info(), "markers": markers.info()}
    assert marker == ["Frage – 3"]
    rows = [dict(zip(FACE_CHANNELS, values, strict=True)) for values, _ in samples]
    assert [row["track_id"] for row in rows] == [1, 2, 3, 4] * 6
    happy_, sad, dark, calm = rows[:4]
    assert happy_["happy"] == pytest.approx(0.8)
    assert happy_["emotion"] == EMOTIONS.index("happy")
    assert (sad["emotion"], calm["emotion"]) == (EMOTIONS.index("sad"), EMOTIONS.index("neutral"))
    assert math.isnan(dark["happy"]) and math.isnan(dark["emotion"]) and dark["x2_px"] == 40
    assert (rows[0]["frame"], rows[-1]["frame"]) == (0, 37)
    times = [time_s for _, time_s in samples]
    assert times[0] == times[3] and times[4] - times[0] == pytest.approx(0.25, abs=1e-6)
    assert marker_s - second_s == pytest.approx(0.25, abs=1e-6)
    assert times[0] == second_s
    assert 2 <= now_s - times[0] < 30  # the streams began two seconds before they were opened
    room = dict(zip(SECOND_CHANNELS, second, strict=True))
    assert (room["most_at_once"], room["in_view"]) == (3, 4)
    assert room["happy"] == pytest.approx(0.3) and math.isnan(room["mood"])
    for what, names, columns in (
        ("faces", FACE_CHANNELS, FACE),
        ("aggregates", SECOND_CHANNELS, SECOND),
    ):
        info = about[what]
        assert tuple(info.get_channel_labels()) == names and set(EMOTIONS) < set(names)
        units = dict(zip(names, info.get_channel_units(), strict=True))
        assert units["happy"] == columns["happy"].unit == "0 to 1"
        assert units.get("emotion", "0 to 7") == "0 to 7"
    assert about["markers"].type() == "Markers"
    for info in about.values():
        assert json.loads(info.desc().child_value("emorec")) == HEADER
        assert "secret" not in info.as_xml()


def test_with_group_only_there_is_no_stream_of_faces() -> None:
    with LabStreams(HEADER, str(uuid4()), monotonic(), faces=False):
        assert len(pylsl.resolve_byprop("name", "EmoRec aggregates", timeout=10)) == 1
        assert not pylsl.resolve_byprop("name", "EmoRec faces", timeout=1)


def test_a_restart_keeps_the_streams_ids() -> None:
    camera, ids = str(uuid4()), []
    for _ in range(2):
        with LabStreams(HEADER, camera, monotonic()):
            (found,) = pylsl.resolve_byprop("name", "EmoRec markers", timeout=10)
            ids.append(found.source_id())
    assert ids[0] == ids[1]
