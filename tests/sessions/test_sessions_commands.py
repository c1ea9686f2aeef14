"""`emorec sessions …`."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import pytest

from emorec.cli import main
from emorec.sessions import commands
from emorec.sessions.downloads import KINDS
from emorec.sessions.store import SessionStore
from emorec.sessions.timeline import Marker
from tests.sessions.conftest import MADE_WITH, Keep, played

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


def test_list_show_export_and_delete(
    sessions: SessionStore, keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file_of_store = tmp_path / "data" / "emorec.sqlite"
    assert main(["sessions", "list"]) == 0
    assert capsys.readouterr().out == f"No sessions kept in {file_of_store}\n"
    first = keep(played(90), title="Talk <1>")
    second = keep(title="=other", owner="bob", made_with=MADE_WITH | {"source": "example"})
    sessions.set_markers(first, [Marker(1, 3.0, "question 3")])

    assert main(["sessions", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "start", "(UTC)", "length", "faces", "source", "title"]
    assert [line.split()[0] for line in lines] == [str(second), str(first)]
    assert lines[0].endswith("  example  =other")
    assert lines[1].split()[1:5] == ["2026-11-28", "14:05", "1:29", "5"], "as long as on the page"
    assert head.index("title") == lines[0].index("=other")
    assert main(["sessions", "list", "--search", "QUESTION"]) == 0
    assert "Talk" in (out := capsys.readouterr().out) and "other" not in out

    assert main(["sessions", "show", str(first)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["session"]["title"], told["summary"]["faces_seen"]) == ("Talk <1>", 5)
    assert told["markers"][0]["label"] == "question 3"

    assert main(["sessions", "export", str(first), "--out", str(tmp_path)]) == 0
    file = tmp_path / "emorec_2026-11-28_1405_session.csv"
    assert capsys.readouterr().out == f"{file}\n"
    assert len(file.read_text(encoding="utf-8").splitlines()) == 91
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    named = tmp_path / "mine.json"
    assert main(["sessions", "export", str(first), "--format", "json", "--out", str(named)]) == 0
    assert json.loads(named.read_text(encoding="utf-8"))["session"]["session"] == "Talk <1>"

    capsys.readouterr()
    assert main(["sessions", "delete", "99", str(first)]) == 2
    assert capsys.readouterr().err == "emorec: no session has the id 99.\n"
    assert [each.id for each in sessions.sessions()] == [second]


@pytest.mark.parametrize(
    ("words", "code"),
    [(["list"], 0), (["show", "1"], 2), (["export", "1"], 2), (["delete", "1"], 2)],
)
def test_a_store_that_is_only_looked_at_is_not_made(
    store: str, words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", *words]) == code
    shown = capsys.readouterr()
    file = tmp_path / "data" / "emorec.sqlite"
    wanted = f"emorec: {file}: nothing is kept there yet.\n" if code else ""
    assert shown.err == wanted and not file.parent.exists()
    assert (f"No sessions kept in {file}" in shown.out) is not bool(code)


def test_deleting_all_asks_first(
    sessions: SessionStore,
    keep: Keep,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep()
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["sessions", "delete", "--all"]) == 2
    assert "not confirmed" in capsys.readouterr().err and sessions.sessions()
    assert main(["sessions", "delete", "--all", "--yes"]) == 0
    assert sessions.sessions() == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["show", "7"], "no session has the id 7."),
        (["export", "7"], "no session has the id 7."),
        (["delete"], "name the ids"),
        (["delete", "1", "--all"], "name the ids"),
    ],
)
def test_what_is_wrong_is_one_line(
    sessions: SessionStore, words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", *words]) == 2
    told = capsys.readouterr().err
    assert line in told and told.count("\n") == 1


def test_a_folder_that_is_not_there_is_one_line(
    keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "gone" / "file.csv"
    assert main(["sessions", "export", str(keep()), "--out", str(out)]) == 2
    assert "file.csv: cannot be written (No such file or directory)." in capsys.readouterr().err


def test_the_kinds_of_file_are_those_of_the_library(store: str) -> None:
    assert tuple(KINDS) == commands._KINDS
