"""The time box of the long tests: what is not started is listed, and what failed still fails."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parents[1]


def test_what_is_not_started_in_time_is_listed_and_a_failure_stays_one(
    pytester: pytest.Pytester,
) -> None:
    own = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    pytester.makeconftest(own)
    pytester.makepyprojecttoml(f"[tool.pytest.ini_options]\npythonpath = ['{ROOT}']\n")
    pytester.makepyfile(
        "import time\n"
        "def test_a(): pass\n"
        "def test_b(): time.sleep(0.3); assert False\n"
        "def test_c(): pass\n"
    )
    done = pytester.runpytest_subprocess("--start-none-after", "0.2")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["*not run for want of time*", "*::test_c"])
    done.assert_outcomes(passed=1, failed=1, skipped=1)
