"""What holds for the whole suite: the order of the tests, the time box, the shared servers.

`make test` runs two workers. Each takes a group of tests at a time: a file, or what stands
`TOGETHER`. So that both end at about the same time, the groups of `SLOW_FIRST` come first.
"""

from __future__ import annotations

import base64
import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis

# Loaded after TensorFlow, which some tests need, libsrtp crashes the process. The app is safe: its
# pages load libsrtp before any model is loaded.
import pylibsrtp  # noqa: F401
import pytest

from testkit import postgres
from testkit.coturn import TurnServer, running_turn, turn_path
from testkit.film import write_film

# A busy machine may take long for an example that is right. Each run draws other examples.
hypothesis.settings.register_profile("emorec", deadline=None, max_examples=40)
hypothesis.settings.load_profile("emorec")

TESTS = Path(__file__).parent
TOGETHER = {
    # Each worker that loads TensorFlow takes seconds and 700 MB for it.
    "tensorflow": ("training", "model"),
    # They share an app, and two live pages at once are more than two cores carry.
    "browser": ("browser",),
}
"""Folders whose tests one worker runs, by the name of the group."""
SLOW_FIRST = (
    *(folder for folders in TOGETHER.values() for folder in folders),
    *("test_cli.py", "pipeline", "pages", "server", "people"),
)
"""Folders and files that take longest; the worker that ran the first group takes the third too."""

NOT_STARTED = pytest.StashKey[list[str]]()
BEGAN_S = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--start-none-after",
        type=float,
        metavar="SECONDS",
        help="then skip the tests that are left, and list them at the end",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOT_STARTED] = []


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a worker a whole group at a time.

    xdist's own groups (``--dist loadgroup``) stand in the test's id, which pytest 9.2 no longer
    lets it change: the tests of a group went to both workers.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return Groups(config, log)


def _group(nodeid: str) -> str:
    file = (TESTS.parent / nodeid.split("::")[0]).relative_to(TESTS)
    return next(
        (
            name
            for name, folders in TOGETHER.items()
            if any(file.is_relative_to(folder) for folder in folders)
        ),
        str(file),
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    file = item.path.relative_to(TESTS)
    slow = (i for i, name in enumerate(SLOW_FIRST) if file.is_relative_to(name))
    return next(slow, len(SLOW_FIRST))


def pytest_collection_finish(session: pytest.Session) -> None:
    # What is imported stays. Looking for garbage in it, at each collection, made the tests of the
    # pages ten times as slow where TensorFlow was loaded.
    gc.collect()
    gc.freeze()
    session.config.stash[BEGAN_S] = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    limit_s = item.config.getoption("--start-none-after")
    if limit_s is not None and time.monotonic() - item.config.stash[BEGAN_S] > limit_s:
        item.config.stash[NOT_STARTED].append(item.nodeid)
        pytest.skip(f"not started: {limit_s:g} seconds were over")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left := config.stash[NOT_STARTED]:
        terminalreporter.section("not run for want of time")
        for nodeid in left:
            terminalreporter.line(nodeid)


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its page as ``__main__``, which a new process would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server; skipped where there is none, but not where every change is tested."""
    if postgres.programs() is None and not os.environ.get("CI"):
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    with postgres.server() as addresses:
        yield addresses


@pytest.fixture(params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A new store for this process and those it starts, on either database."""
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("EMOREC_KEY", raising=False)
    if request.param == "sqlite":
        yield request.param
        return
    monkeypatch.setenv("EMOREC_KEY", base64.b64encode(bytes(range(32))).decode())
    with postgres.database(request.getfixturevalue("postgresql")) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield request.param


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera of a visitor without a browser sends."""
    return write_film(tmp_path_factory.mktemp("camera") / "film.ivf")


@pytest.fixture(scope="session")
def turn_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    """A real coturn with a shared secret; skipped as the database is."""
    if turn_path() is None and not os.environ.get("CI"):
        pytest.skip("no coturn here: apt-get install coturn")
    with running_turn(tmp_path_factory.mktemp("turn")) as server:
        yield server
