from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tools" / "dev.py"


@pytest.fixture
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("emorec_dev", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three empty requirement files, whose commands are only written down."""
    for name in {*dev.REQUIREMENTS["run"], *dev.REQUIREMENTS["test"], "pyproject.toml"}:
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")

    def create(folder: Path, **options: bool) -> None:
        assert options["clear"]
        python = Path(dev.venv_program("python"))
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        note(["venv", str(folder)])

    def note(command: list[str], environment: dict[str, str] | None = None) -> int:
        with (tmp_path / "calls.txt").open("a") as calls:
            calls.write(" ".join(command) + "\n")
        return 0

    monkeypatch.setattr(dev, "SERVERS", {})
    monkeypatch.setattr(dev, "LONG_SERVERS", {})
    monkeypatch.setattr(dev.venv, "create", create)
    monkeypatch.setattr(dev, "_call", note)
    monkeypatch.setattr(dev, "_check", lambda command: (note(list(command)), ""))
    return tmp_path


def calls(project: Path) -> list[str]:
    """The commands since the last look."""
    file = project / "calls.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    file.write_text("")
    return lines


def program(path: Path, text: str = "\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run", "fast"], ["--help"], ["lint", "-x"]])
def test_wrong_usage_is_told(
    dev: ModuleType, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(arguments) == 2
    assert "usage: dev.py run" in capsys.readouterr().err


def test_an_old_python_is_told_in_one_line(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 12, "final", 0))
    assert dev.main(["run"]) == 2
    error = capsys.readouterr().err
    assert error.splitlines() == ["EmoRec needs Python 3.11 or newer; this is 3.10.12."]


def test_a_python_without_ensurepip_names_the_package(
    dev: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda name: None)
    assert dev.main(["run"]) == 2
    assert "apt install python3-venv" in capsys.readouterr().err
    assert calls(project) == []


def test_the_first_installation_makes_everything(dev: ModuleType, project: Path) -> None:
    dev.install("run")
    made, requirements, package = calls(project)
    assert made.startswith("venv ")
    assert requirements.endswith("-r requirements.txt")
    assert package.endswith("--no-deps --editable .")


def test_a_second_installation_does_nothing(dev: ModuleType, project: Path) -> None:
    dev.install("run")
    calls(project)
    dev.install("run")
    assert calls(project) == []


def test_the_groups_are_installed_apart(dev: ModuleType, project: Path) -> None:
    dev.install("run")
    calls(project)
    dev.install("test")
    requirements, _ = calls(project)
    assert "requirements-train.txt" in requirements
    assert "requirements-dev.txt" in requirements


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_a_changed_file_installs_again(dev: ModuleType, project: Path, name: str) -> None:
    dev.install("run")
    calls(project)
    (project / name).write_text("changed")
    dev.install("run")
    assert len(calls(project)) == 2


def test_a_failed_installation_is_tried_again(
    dev: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(dev, "_call", lambda command, environment=None: 1)
        with pytest.raises(dev.SetupError, match="could not be installed"):
            dev.install("run")
    calls(project)
    dev.install("run")
    assert len(calls(project)) == 2


def test_another_python_makes_the_environment_anew(
    dev: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.install("run")
    calls(project)
    monkeypatch.setattr(sys, "version_info", (3, 99, 0, "final", 0))
    dev.make_venv()
    assert len(calls(project)) == 1


def test_a_lost_interpreter_makes_the_environment_anew(dev: ModuleType, project: Path) -> None:
    dev.install("run")
    calls(project)
    Path(dev.venv_program("python")).unlink()
    dev.make_venv()
    assert len(calls(project)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": "", "b": ""}, {"a": "", "b": "x"}),
        ({"a": "x", "b": ""}, {"a": "", "b": "x"}),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}),
    ],
)
def test_a_fingerprint_tells_contents_apart(
    dev: ModuleType, tmp_path: Path, first: dict[str, str], second: dict[str, str]
) -> None:
    prints = []
    for files in (first, second, second):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        prints.append(dev.fingerprint([tmp_path / name for name in sorted(files)]))
    assert prints[0] != prints[1] == prints[2]


def test_no_browser_is_found_on_an_empty_path(dev: ModuleType, tmp_path: Path) -> None:
    assert dev.find_browser(str(tmp_path), "linux") is None


@pytest.mark.skipif(os.name == "nt", reason="Windows looks in PATHEXT and in the current folder")
@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_a_browser_on_path_is_found(dev: ModuleType, tmp_path: Path, name: str) -> None:
    browser = program(tmp_path / name)
    assert dev.find_browser(str(tmp_path), "linux") == str(browser)


@pytest.mark.skipif(os.name == "nt", reason="snaps are Linux's")
@pytest.mark.parametrize(
    ("place", "text"),
    [("bin", '#!/bin/sh\nexec /snap/bin/chromium "$@"\n'), ("snap/bin", "\x7fELF")],
)
def test_a_snap_is_passed_over(dev: ModuleType, tmp_path: Path, place: str, text: str) -> None:
    snap = program(tmp_path / place / "chromium-browser", text)
    chrome = program(tmp_path / "opt" / "google-chrome")
    path = os.pathsep.join([str(snap.parent), str(chrome.parent)])
    assert dev.find_browser(path, "linux") == str(chrome)


def test_a_browser_in_its_usual_place_is_found(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chrome = program(tmp_path / "Google Chrome.app" / "Google Chrome")
    places = {"darwin": (str(tmp_path / "none"), str(chrome))}
    monkeypatch.setattr(dev, "BROWSER_PLACES", places)
    assert dev.find_browser(str(tmp_path), "darwin") == str(chrome)
    assert dev.find_browser(str(tmp_path), "linux") is None


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (None, False),
        ("", False),
        ("NAME=x\nID=debian\n", True),
        ("ID=ubuntu\nID_LIKE=debian\n", False),
    ],
)
def test_debian_is_known_by_its_id(
    dev: ModuleType, tmp_path: Path, release: str | None, expected: bool
) -> None:
    file = tmp_path / "os-release"
    if release is not None:
        file.write_text(release)
    assert dev.is_debian(file) is expected


class TestBrowser:
    """What the tests are told of their browser, on a machine that has none."""

    @pytest.fixture
    def bare(self, dev: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.delenv("EMOREC_BROWSER", raising=False)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setattr(dev, "find_browser", lambda: None)
        monkeypatch.setattr(dev, "is_debian", lambda: False)
        return project

    def test_a_chosen_one_is_kept(
        self, dev: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EMOREC_BROWSER", "mine")
        assert dev.browser() == {}
        assert calls(bare) == []

    def test_one_found_is_taken(
        self, dev: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dev, "find_browser", lambda: "found")
        assert dev.browser() == {"EMOREC_BROWSER": "found"}
        assert calls(bare) == []

    def test_playwright_brings_its_own(self, dev: ModuleType, bare: Path) -> None:
        assert dev.browser() == {"EMOREC_BROWSER": ""}
        assert "playwright install" in calls(bare)[0]

    def test_debian_installs_one_for_root(
        self, dev: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = iter([None, "/usr/bin/chromium"])
        monkeypatch.setattr(dev, "is_debian", lambda: True)
        monkeypatch.setattr(dev, "_is_root", lambda: True)
        monkeypatch.setattr(dev, "find_browser", lambda: next(found))
        assert dev.browser() == {"EMOREC_BROWSER": "/usr/bin/chromium"}
        assert [line.split()[2] for line in calls(bare)] == ["update", "install"]

    @pytest.mark.parametrize("ci", ["true", "false"])
    def test_none_at_all_fails_in_ci_alone(
        self, dev: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch, ci: str
    ) -> None:
        monkeypatch.setenv("CI", ci)
        monkeypatch.setattr(dev, "_call", lambda command, environment=None: 1)
        if ci == "true":
            with pytest.raises(dev.SetupError, match="no browser"):
                dev.browser()
        else:
            assert dev.browser() == {}


class TestServers:
    """What is installed for the tests, on a machine that has some of it or nothing."""

    NEEDED: ClassVar = {"here": "our-initdb", "missing": "no-such-server"}

    @pytest.fixture
    def debian(self, dev: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        program(project / "postgresql" / "13" / "bin" / "our-initdb")
        monkeypatch.setattr(dev, "POSTGRESQL", project / "postgresql")
        monkeypatch.setattr(dev, "is_debian", lambda: True)
        monkeypatch.setattr(dev, "_is_root", lambda: True)
        return project

    def test_debian_installs_the_missing_for_root(self, dev: ModuleType, debian: Path) -> None:
        dev.servers(self.NEEDED)
        update, install = calls(debian)
        assert update.split()[2] == "update"
        assert install.split()[2] == "install"
        assert install.split()[-1] == "missing"
        assert "here" not in install.split()

    def test_nothing_is_done_where_nothing_is_missing(
        self, dev: ModuleType, debian: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dev.servers({"here": "our-initdb"})
        assert calls(debian) == []

    @pytest.mark.parametrize("lacking", ["is_debian", "_is_root"])
    def test_elsewhere_it_says_what_is_skipped(
        self,
        dev: ModuleType,
        debian: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        lacking: str,
    ) -> None:
        monkeypatch.setattr(dev, lacking, lambda: False)
        dev.servers(self.NEEDED)
        assert calls(debian) == []
        assert "Not installed: missing." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("codes", "expected"),
    [((0,) * 5, 0), ((0, 1, 0, 0, 0), 1), ((0, 0, 2, 0, 1), 2), ((0, 0, 0, 1, 0), 1)],
)
def test_the_worst_exit_code_is_returned(
    dev: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    codes: tuple[int, ...],
    expected: int,
) -> None:
    *checks, pytest_code = codes
    monkeypatch.setenv("EMOREC_BROWSER", "")
    ended = dict(zip(dev.CHECKS, checks, strict=True))
    monkeypatch.setattr(dev, "_check", lambda command: (ended[command], ""))
    monkeypatch.setattr(dev, "_call", lambda command, environment=None: pytest_code)
    assert dev.test([]) == expected


def test_the_checks_run_at_once_and_speak_in_their_order(
    dev: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    met = str(tmp_path / "met")
    waits = "import sys, time, os\nwhile not os.path.exists(sys.argv[1]): time.sleep(.01)"
    comes = "import sys; print('late', file=sys.stderr); open(sys.argv[1], 'w').close()"
    checks = (("python", "-c", f"{waits}\nprint('first')", met), ("python", "-c", comes, met))
    monkeypatch.setattr(dev, "CHECKS", checks)
    monkeypatch.setattr(dev, "venv_program", lambda name: sys.executable)
    assert dev.lint() == 0
    assert capfd.readouterr().out.split() == ["first", "late"]


def test_the_long_tests_run_apart_and_what_is_asked_for_runs_as_asked(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOREC_BROWSER", "")
    commands: list[list[str]] = []
    monkeypatch.setattr(dev, "servers", lambda needed: None)
    monkeypatch.setattr(dev, "lint", lambda: 0)
    monkeypatch.setattr(dev, "_call", lambda command, environment: commands.append(command) or 0)
    dev.test([])
    dev.test(["-k", "photo"])
    dev.test_long(["tests/live"])
    every, asked, long = (command[3:] for command in commands)
    assert every[:2] == ["-n", "2"] and "long" not in every
    assert asked == ["-k", "photo"]
    assert long == ["-m", "long", "tests/live"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("notebook", ["-m", "notebook", "notebooks/emotion_recognition.ipynb"]),
        ("notebook-run", ["-m", "tools.notebook"]),
    ],
)
def test_the_notebook_is_opened_and_run_by_what_is_set_up(
    dev: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    expected: list[str],
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(dev, "start", lambda command: started.append(command) or 0)
    assert dev.main([command]) == 0
    assert started == [[dev.venv_program("python"), *expected]]
    assert "requirements-people.txt" in calls(project)[1]
    assert (ROOT / expected[-1]).is_file() or expected[-1] == "tools.notebook"


@pytest.mark.parametrize("arguments", [["-k", "name"], ["--", "-k", "name"]])
@pytest.mark.parametrize(("command", "before"), [("test", ""), ("test-long", "-m long ")])
def test_what_follows_goes_to_pytest(
    dev: ModuleType,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    command: str,
    before: str,
) -> None:
    monkeypatch.setenv("EMOREC_BROWSER", "")
    assert dev.main([command, *arguments]) == 0
    assert calls(project)[-1].endswith(f"-m pytest {before}-k name")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals of this kind")
def test_a_program_that_a_signal_ended_has_failed(dev: ModuleType) -> None:
    killed = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert dev._call(killed) == 9
