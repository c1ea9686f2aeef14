from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tools import touched


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], []),
        (["README.md", "docs/names.md"], []),
        (["emorec/geometry.py"], ["tests/test_geometry.py"]),
        (["emorec/doctor/network.py"], ["tests/doctor"]),
        (
            ["emorec/live/ice.py"],
            ["tests/benchmarks", "tests/browser", "tests/live", "tests/server"],
        ),
        (["benchmarks/soak.py"], ["tests/benchmarks/test_soak.py"]),
        (
            ["benchmarks/soak.py", "emorec/server/start.py"],
            ["tests/benchmarks", "tests/browser", "tests/server", "tests/test_proxy.py"],
        ),
        (["benchmarks/results/2026-11-21-load.json"], []),
        (["tests/people/conftest.py"], ["tests/people"]),
        (["tests/people/test_rule.py"], ["tests/people/test_rule.py"]),
        (["tests/conftest.py", "tests/people/test_rule.py"], ["tests"]),
        (["pyproject.toml", "emorec/live/ice.py"], ["tests"]),
        (["notebooks/emotion_recognition.ipynb"], ["tests/test_notebook.py"]),
    ],
    ids=" ".join,
)
def test_a_file_touches_its_tests(files: list[str], expected: list[str]) -> None:
    assert list(touched.touched(files)) == expected


def test_everything_named_is_there() -> None:
    for place, tests in touched.ALSO.items():
        assert (touched.ROOT / place).exists(), place
        assert all((touched.ROOT / path).exists() for path in tests)


def test_every_module_with_long_tests_is_touched_by_something() -> None:
    marked = [
        str(path.relative_to(touched.ROOT))
        for path in (touched.ROOT / "tests").rglob("test_*.py")
        if re.search(r"\bmark\.long\b", path.read_text(encoding="utf-8"))
    ]
    sources = [
        str(path.relative_to(touched.ROOT))
        for folder in ("emorec", "benchmarks")
        for path in (touched.ROOT / folder).rglob("*.py")
    ]
    beside = {
        "tests/test_conftest.py": "tests/conftest.py",
        "tests/test_deploy.py": "deploy/kubernetes/x.yaml",
        "tests/test_notebook.py": "notebooks/x.ipynb",
        "tests/test_project.py": "pyproject.toml",
        "tests/testkit/test_scenes.py": "testkit/scenes.py",
    }
    by_the_package = touched.touched(sources)
    for path in marked:
        found = touched.touched([beside[path]]) if path in beside else by_the_package
        assert any(Path(path).is_relative_to(place) for place in found), path


class TestChanged:
    """What a change is, in repositories made for it."""

    @pytest.fixture
    def repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(touched, "ROOT", tmp_path)
        for name, value in (("NAME", "a"), ("EMAIL", "a@example.org")):
            monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
            monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
        git(tmp_path, "init", "--quiet", "--initial-branch=main")
        return tmp_path

    def commit(self, repository: Path, name: str) -> None:
        (repository / name).touch()
        git(repository, "add", name)
        git(repository, "commit", "--quiet", "--message", name)

    def test_no_history_is_unknown(self, repository: Path) -> None:
        assert touched.changed() is None
        self.commit(repository, "a")
        assert touched.changed() is None

    def test_on_main_it_is_the_last_commit(self, repository: Path) -> None:
        for name in "abc":
            self.commit(repository, name)
        assert touched.changed() == ["c"]
        git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
        assert touched.changed() == ["c"]

    def test_on_a_branch_it_is_all_since_main_and_what_is_not_committed(
        self, repository: Path
    ) -> None:
        self.commit(repository, "a")
        git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
        for name in "bc":
            self.commit(repository, name)
        (repository / "a").write_text("changed")
        assert touched.changed() == ["a", "b", "c"]

    def test_outside_git_it_is_unknown_and_everything_is_touched(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(touched, "ROOT", tmp_path)
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        (tmp_path / "tests").mkdir()
        assert touched.main([]) == 0
        assert capsys.readouterr().out == "tests\n"


def git(folder: Path, *command: str) -> None:
    subprocess.run(["git", *command], cwd=folder, check=True)


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert touched.main(["tests"]) == 2
    assert "usage: touched.py" in capsys.readouterr().err
