"""Reports, and the files that they are taken away as."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from emorec.columns import FACE_SECOND, MARKER, SECOND
from emorec.emotions import EMOTIONS
from emorec.errors import EmorecError
from emorec.model import store as models
from emorec.rows import header
from emorec.sessions import downloads
from emorec.sessions.downloads import KINDS, file_name, write
from emorec.sessions.known_errors import known_errors
from emorec.sessions.report import Report, charts, of_stored, of_timeline
from emorec.sessions.store import SessionStore
from emorec.sessions.tables import second_rows
from emorec.sessions.timeline import Timeline
from emorec.settings import Settings
from tests.sessions.conftest import MADE_WITH, START, Keep, played

EVIL = "</script><script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    timeline = played(120)
    timeline.mark(EVIL, 30.0)
    timeline.mark(FORMULA, 80.0)
    return timeline


@pytest.fixture(scope="module")
def report(timeline: Timeline) -> Report:
    made_with = header(models.load(), Settings())
    return of_timeline(timeline, made_with, single_faces=True)


def test_file_names_say_when(report: Report) -> None:
    names = [file_name(report.started_at, kind) for kind in ("csv", "faces-parquet", "html")]
    assert names == [
        "emorec_2026-11-28_1405_session.csv",
        "emorec_2026-11-28_1405_faces.parquet",
        "emorec_2026-11-28_1405_session.html",
    ]
    in_delhi = datetime.fromisoformat("2026-11-28T19:35:00+05:30")
    assert file_name(in_delhi, "csv") == names[0]


def test_a_row_for_each_second(report: Report) -> None:
    rows = second_rows(report)
    assert {tuple(row) for row in rows} == {tuple(SECOND)}
    assert [row["time_s"] for row in rows] == [float(i) for i in range(120)]
    assert rows[0]["wall_clock"] == "2026-11-28T14:05:00.000+00:00"
    assert rows[100]["mood"] == pytest.approx(0.5, abs=0.01) and rows[0]["mood"] is None
    assert sum(rows[7][emotion] for emotion in EMOTIONS) == pytest.approx(1.0, abs=1e-5)
    assert (rows[7]["faces"], rows[7]["label_neutral"], rows[100]["label_happy"]) == (5, 1.0, 1.0)


def test_csv_and_parquet_hold_the_same(report: Report) -> None:
    text = write(report, "csv").decode()
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    table = pd.read_parquet(io.BytesIO(write(report, "parquet")))
    assert list(table.columns) == list(lines[0]) == list(SECOND)
    assert {name: str(table[name].dtype) for name in SECOND} == {
        name: column.dtype for name, column in SECOND.items()
    }
    moods = [float(line["mood"] or "nan") for line in lines]
    np.testing.assert_allclose(table["mood"], moods, atol=1e-6)
    faces = pd.read_parquet(io.BytesIO(write(report, "faces-parquet")))
    assert list(faces.columns) == list(FACE_SECOND) and len(faces) == 600
    assert faces["valence"].iloc[-1] == pytest.approx(0.7, abs=1e-5)
    assert len(write(report, "faces-csv").splitlines()) == 601


def test_json_says_how_it_was_made(report: Report) -> None:
    told = json.loads(write(report, "json"))
    assert told["header"]["model"]["name"] == "elu_cnn"
    assert told["header"]["settings"]["smoothing_s"] == 0.6
    assert [marker["label"] for marker in told["markers"]] == [EVIL, FORMULA]
    assert len(told["rows"]) == 120 and len(told["faces"]) == 600
    assert "inner feeling" in told["notice"] and told["known_errors"]


def test_a_spreadsheet_explains_every_column_and_computes_nothing(report: Report) -> None:
    book = load_workbook(io.BytesIO(write(report, "xlsx")))
    assert book.sheetnames == ["Session", "Seconds", "Markers", "Faces", "Columns"]
    explained = list(book["Columns"].iter_rows(min_row=2, values_only=True))
    for sheet, columns in (("Seconds", SECOND), ("Markers", MARKER), ("Faces", FACE_SECOND)):
        heads = [cell.value for cell in book[sheet][1]]
        assert heads == list(columns)
        told = {row[1]: (row[2] or "", row[3]) for row in explained if row[0] == sheet}
        assert told == {name: (each.unit, each.meaning) for name, each in columns.items()}
    assert book["Markers"]["C3"].value == FORMULA
    kinds = {cell.data_type for row in book["Markers"].iter_rows() for cell in row}
    assert "f" not in kinds
    assert book["Seconds"].max_row == 121


def test_single_faces_are_told_by_choice_alone(timeline: Timeline) -> None:
    for choices in ({}, {"group_only": True, "single_faces": True}):
        told = of_timeline(timeline, MADE_WITH, **choices)
        assert told.faces is None
        assert "faces" not in json.loads(write(told, "json"))
        with pytest.raises(EmorecError, match="single faces of this session are not kept"):
            write(told, "faces-csv")
    few = of_timeline(played(4, faces=3), MADE_WITH)
    assert few.faces is not None and len(few.faces) == 12
    two = of_timeline(played(4, faces=2), MADE_WITH, group_only=True)
    assert len(two.seconds) == 0 and two.summary.dominant is None


def test_a_kept_session_has_the_report_of_the_one_that_ran(
    sessions: SessionStore, keep: Keep, timeline: Timeline
) -> None:
    id_ = keep(timeline, title="Talk", keeps_faces=True)
    sessions.note(id_, "a note")
    kept = of_stored(sessions, id_, "ada")
    assert second_rows(kept) == second_rows(of_timeline(timeline, MADE_WITH))
    assert (kept.name, kept.notes, kept.purpose) == ("Talk", "a note", "event")
    assert kept.summary == of_timeline(timeline, MADE_WITH).summary
    with pytest.raises(EmorecError, match="no session has the id"):
        of_stored(sessions, id_, "bob")


def test_a_session_in_which_nobody_was_read() -> None:
    nobody = of_timeline(Timeline(START), MADE_WITH)
    assert charts(nobody) == {} and second_rows(nobody) == []
    for kind in ("csv", "json", "parquet", "xlsx", "html"):
        assert write(nobody, kind)
    assert "No face was read" in write(nobody, "html").decode()
    with pytest.raises(EmorecError, match="no chart"):
        write(nobody, "png")
    with pytest.raises(EmorecError, match="expected one of csv"):
        write(nobody, "docx")


@pytest.mark.long
def test_a_long_session_is_drawn_with_few_points() -> None:
    long = played(3 * 3600, rate=1)
    drawn = charts(of_timeline(long, MADE_WITH, single_faces=True))
    assert set(drawn) == {"Mood", "Expressions", "Faces"}
    size = sum(len(json.dumps(chart.to_dict(validate=False))) for chart in drawn.values())
    assert size < 1_500_000


def test_what_the_model_gets_wrong_is_told_or_said_to_be_unknown(report: Report) -> None:
    told = known_errors(report.made_with)
    assert len(told) == 4 and "PrivateTest" in told[0] and told[1].startswith("Of faces that")
    assert known_errors(MADE_WITH) == known_errors({}) != told
    assert "not known" in known_errors({})[0]


def test_a_page_escapes_what_people_entered(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_script", lambda: "")  # it takes seconds; the long test has it
    page = write(report, "html").decode()
    assert EVIL not in page and "&lt;/script&gt;" in page and "\\u003c/script>" in page
    assert 'http-equiv="Content-Security-Policy"' in page and "default-src 'none'" in page
    for heading in ("Mood", "Expressions", "Faces", "Markers", "known to get wrong"):
        assert heading in page


@pytest.mark.long
def test_the_page_opens_without_a_network_and_draws(report: Report, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    from testkit.app import launch_browser

    file = tmp_path / "report.html"
    file.write_bytes(write(report, "html"))
    with sync_playwright() as playwright:
        browser = launch_browser(playwright, None)
        page = browser.new_context(offline=True).new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("#chart2 svg", timeout=60_000)
        drawn = page.locator(".chart svg path[aria-roledescription]").count()
        assert page.locator(".chart svg").count() == 3 and drawn > 100
        assert (said, asked) == ([], [file.as_uri()])
        page.pdf(path=tmp_path / "report.pdf")
        browser.close()
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.long
def test_the_picture_of_the_charts(report: Report) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(write(report, "png")))
    assert picture.width > 1500 and len(picture.convert("RGB").getcolors(10**7)) > 20


def test_all_kinds_have_a_file_ending() -> None:
    assert [kind.rpartition("-")[2] for kind in KINDS] == [
        *("csv", "csv", "json", "parquet", "parquet", "xlsx", "png", "html")
    ]
