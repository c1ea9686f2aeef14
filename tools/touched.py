"""Print the test files and folders that belong to what a change touches, one a line.

usage: touched.py

The change is what differs from the commit at which this branch left origin/main; on main itself,
what the last commit changed. Where git has neither, as in a clone of one commit, that is ``tests``:
everything.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = ("tests",)

_NOTEBOOK = ("tests/test_notebook.py",)
_VISITORS = ("tests/benchmarks", "tests/browser")
_READING = (*_NOTEBOOK, "tests/test_cli.py")
ALSO = {
    "app.py": _VISITORS,
    "emorec/live": (*_VISITORS, "tests/server"),
    "emorec/pages": (*_VISITORS, "tests/server"),
    "emorec/server": (*_VISITORS, "tests/test_proxy.py"),
    "deploy": ("tests/test_deploy.py", "tests/test_proxy.py"),
    "emorec/jobs": (*_VISITORS, "tests/server", "tests/pages"),
    "emorec/videos": ("tests/jobs",),
    "emorec/model": ("tests/training", *_VISITORS, *_READING),
    "emorec/pipeline": (*_VISITORS, *_READING),
    "emorec/training": _NOTEBOOK,
    "emorec/database": ("tests/people", "tests/sessions"),
    "emorec/drawing": _READING,
    "emorec/media": _READING,
    "emorec/people": (*_NOTEBOOK, "tests/browser"),
    "emorec/sessions": _NOTEBOOK,
    "models": ("tests/model", "tests/training", *_VISITORS, *_READING),
    "notebooks": _NOTEBOOK,
    **dict.fromkeys((".ci", "Makefile", "pyproject.toml", "testkit", "tools"), EVERYTHING),
    **dict.fromkeys(("requirements.txt", "requirements-dev.txt"), EVERYTHING),
    "requirements-batch.txt": ("tests/batch",),
    "requirements-lsl.txt": ("tests/streams",),
    "requirements-people.txt": _NOTEBOOK,
    "requirements-train.txt": ("tests/training", *_NOTEBOOK),
}
"""What else is touched by a file or by anything in a folder, beside the tests of the same name."""


def main(argv: Sequence[str]) -> int:
    """Print what is touched and return the exit code."""
    if argv:
        print(__doc__, file=sys.stderr)
        return 2
    files = changed()
    found = EVERYTHING if files is None else touched(files)
    print("\n".join(path for path in found if (ROOT / path).exists()))
    return 0


def touched(files: Iterable[str]) -> tuple[str, ...]:
    """Return the tests that belong to these files, without those in a folder that is named too."""
    found: set[str] = set()
    for file in files:
        found |= {*_own(PurePosixPath(file))}
        for place, tests in ALSO.items():
            if PurePosixPath(file).is_relative_to(place):
                found |= {*tests}
    paths = [PurePosixPath(path) for path in found]
    return tuple(
        sorted(
            str(path)
            for path in paths
            if not any(path != other and path.is_relative_to(other) for other in paths)
        )
    )


def _own(file: PurePosixPath) -> list[str]:
    """Return the tests of the same name as a file, which need not exist."""
    match file.parts:
        case ("tests", *_, name):
            # What all tests of a folder share is named conftest.py.
            return [str(file.parent if name == "conftest.py" else file)]
        case ("emorec", name):
            return [f"tests/test_{name}"]
        case ("emorec", folder, *_):
            return [f"tests/{folder}"]
        case ("benchmarks", name):
            return [f"tests/benchmarks/test_{name}"]
    return []


def changed() -> list[str] | None:
    """Return the files that the change touches; None where git cannot say."""
    head = _git("rev-parse", "HEAD")
    base = _git("merge-base", "HEAD", "origin/main")
    if base is None or base == head:
        base = _git("rev-parse", "--verify", "--quiet", "HEAD~1")
    files = None if base is None else _git("diff", "--name-only", base)
    return None if files is None else files.splitlines()


def _git(*command: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )
    except OSError:  # there is no git
        return None
    return done.stdout.strip() if done.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
