"""What holds for the whole suite."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

# Loaded after TensorFlow, which some tests need, libsrtp crashes the process. The app is safe: its
# pages load libsrtp before any model is loaded.
import pylibsrtp  # noqa: F401
import pytest

from testkit import postgres
from testkit.coturn import TurnServer, running_turn, turn_path


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
def turn_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TurnServer]:
    """A real coturn with a shared secret; skipped as the database is."""
    if turn_path() is None and not os.environ.get("CI"):
        pytest.skip("no coturn here: apt-get install coturn")
    with running_turn(tmp_path_factory.mktemp("turn")) as server:
        yield server
