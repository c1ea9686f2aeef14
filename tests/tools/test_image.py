from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath

import pytest

from tools import image

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the image is Linux's")


@pytest.mark.parametrize(
    ("dockerfile", "expected"),
    [
        ("", []),
        ("# nothing\n\n", []),
        ("FROM python:3", [("FROM", "python:3")]),
        ("ENV A=1 \\\n    B=2\nUSER 1:1", [("ENV", "A=1      B=2"), ("USER", "1:1")]),
        ("RUN a \\\n# why\n  b", [("RUN", "a    b")]),
    ],
)
def test_instructions_are_read(dockerfile: str, expected: list[tuple[str, str]]) -> None:
    assert list(image.steps(dockerfile)) == expected


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        ("a", [], False),
        ("a", ["*"], True),
        ("a/b", ["a"], True),
        ("ab", ["a"], False),
        ("a/b", ["*", "!a"], False),
        ("a/b", ["*", "!a/b"], False),
        ("a/c", ["*", "!a/b"], True),
        ("a/x/c", ["*", "!a", "**/x"], True),
        ("a", ["!a", "*"], True),
    ],
)
def test_the_last_pattern_that_fits_decides(path: str, patterns: list[str], expected: bool) -> None:
    assert image.is_ignored(PurePosixPath(path), patterns) is expected


def test_steps_change_what_the_next_ones_see(tmp_path: Path) -> None:
    dockerfile = 'ENV A=1 B="2 3"\nWORKDIR /app\nARG C=4\nRUN echo "$A $B $C" > said\nUSER 5:6\n'
    made = image.build(image.steps(dockerfile + 'EXPOSE 1\nCMD ["x"]'), tmp_path)
    assert (tmp_path / "app" / "said").read_text() == "1 2 3 4\n"
    assert made.user == (5, 6)
    assert made.start == ["x"]


@pytest.mark.parametrize(
    ("dockerfile", "complaint"),
    [("RUN exit 3", "RUN exit 3: failed"), ("VOLUME /data", "VOLUME: not rehearsed")],
)
def test_a_step_that_fails_is_named(tmp_path: Path, dockerfile: str, complaint: str) -> None:
    with pytest.raises(image.RehearsalError, match=complaint):
        image.build(image.steps(dockerfile), tmp_path)


def test_an_app_that_ends_at_once_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = image.Image(tmp_path, place=tmp_path, health=["false"], start=["false"])
    with pytest.raises(image.RehearsalError, match="no healthy app"):
        image.serve(made)


def test_an_app_that_does_not_stop_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "PATIENCE_S", 2)
    monkeypatch.setattr(image, "PAGE", "")
    (tmp_path / "python" / "bin").mkdir(parents=True)
    (tmp_path / "python" / "bin" / "python").symlink_to(sys.executable)
    deaf = "trap '' TERM; touch ready; while :; do sleep 1; done"
    made = image.Image(tmp_path, place=tmp_path, health=["test", "-e", "ready"])
    made.start = ["sh", "-c", deaf]
    monkeypatch.setattr(image.subprocess, "run", lambda command, check: None)  # stays writable
    with pytest.raises(image.RehearsalError, match="did not end it"):
        image.serve(made)


def test_a_folder_that_is_kept_out_may_hold_a_file_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "ROOT", tmp_path)
    for name in ("in/a", "in/__pycache__/b", "out/c", "out/d", "e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    patterns = ["*", "!in", "!out/d", "**/__pycache__"]
    found = {str(path.relative_to(tmp_path)) for path in image.context(tmp_path, patterns)}
    assert found == {"in/a", "out/d"}
