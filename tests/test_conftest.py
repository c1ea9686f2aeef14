"""What tests/conftest.py holds: the time box of the long tests, and one worker for each group."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with tests/conftest.py and no test yet."""
    own = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    pytester.mkdir("tests").joinpath("conftest.py").write_text(own, encoding="utf-8")
    pytester.makepyprojecttoml(
        "[tool.pytest.ini_options]\n"
        f"pythonpath = ['{ROOT}']\ntestpaths = ['tests']\naddopts = ['--import-mode=importlib']\n"
    )
    return pytester


def write(project: pytest.Pytester, name: str, content: str) -> None:
    file = project.path / "tests" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content, encoding="utf-8")


@pytest.mark.long
def test_one_worker_runs_a_group(project: pytest.Pytester) -> None:
    for name in ("model/test_a.py", "training/test_b.py", "test_c.py", "test_d.py"):
        write(project, name, "def test_1(): pass\ndef test_2(): pass\n")
    done = project.runpytest_subprocess("-v", "-n", "2", "--dist", "loadscope")
    workers: dict[str, set[str]] = {}
    for worker, file in re.findall(r"\[(gw\d)\].* tests/(\S+)::", done.stdout.str()):
        workers.setdefault(file, set()).add(worker)
    assert len(workers) == 4
    assert all(len(own) == 1 for own in workers.values())
    assert workers["model/test_a.py"] == workers["training/test_b.py"]


def test_what_is_not_started_in_time_is_listed_and_a_failure_stays_one(
    project: pytest.Pytester,
) -> None:
    write(
        project,
        "test_all.py",
        "import time\n"
        "def test_a(): pass\n"
        "def test_b(): time.sleep(0.3); assert False\n"
        "def test_c(): pass\n",
    )
    done = project.runpytest_subprocess("--start-none-after", "0.2")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*not run for want of time*", "*::test_c"])
    done.assert_outcomes(passed=1, failed=1, skipped=1)
