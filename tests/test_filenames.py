"""One way to name files and to write lengths, for pages and commands alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from emorec.clock import clock
from emorec.filenames import dated
from emorec.sessions.downloads import file_name

START = datetime(2026, 11, 28, 14, 5, 59, tzinfo=UTC)


def test_a_file_is_named_by_its_moment_in_utc() -> None:
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    for moment in (START, elsewhere):
        assert dated("photos.csv", moment) == "emorec_2026-11-28_1405_photos.csv"
        assert file_name(moment, "html") == "emorec_2026-11-28_1405_session.html"
        assert file_name(moment, "faces-csv") == "emorec_2026-11-28_1405_faces.csv"
    assert datetime.strptime(dated("x"), "emorec_%Y-%m-%d_%H%M_x")


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00"), (59.9, "0:59"), (65, "1:05"), (3599.9, "59:59"), (3845, "1:04:05")],
)
def test_a_length_is_written_in_one_way(time_s: float, text: str) -> None:
    assert clock(time_s) == text
