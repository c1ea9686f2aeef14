from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tools import slug


def wheel(folder: Path, name: str, content: bytes) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("module.py", content)
    return path


def test_no_wheels_have_no_size() -> None:
    assert slug.megabytes([]) == slug.unpacked_megabytes([]) == 0
    assert slug.tell([]).endswith("the largest: none")


def test_a_wheel_counts_as_it_is_downloaded(tmp_path: Path) -> None:
    one = wheel(tmp_path, "zeros", bytes(2_000_000))
    assert slug.megabytes([one]) == one.stat().st_size / 1e6 < 0.1
    assert slug.unpacked_megabytes([one]) == 2


@pytest.mark.parametrize(("limit", "code"), [(320, 0), (0, 1)])
def test_over_the_limit_it_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    limit: int,
    code: int,
) -> None:
    wheel(tmp_path, "small", b"pass")
    monkeypatch.setattr(slug.subprocess, "call", lambda command: 0)
    monkeypatch.setattr(slug, "LIMIT_MB", limit)
    assert slug.main([str(tmp_path)]) == code
    output = capsys.readouterr()
    assert output.out.startswith("1 wheels, 0 MB")
    assert bool(output.err) is bool(code)


def test_what_cannot_be_fetched_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(slug.subprocess, "call", lambda command: 1)
    assert slug.main([str(tmp_path)]) == 2
    assert "could not be fetched" in capsys.readouterr().err


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert slug.main([]) == 2
    assert "usage: slug.py" in capsys.readouterr().err
