"""What is over ends by itself: kept sessions after their days, and tabs that were closed."""

from __future__ import annotations

import asyncio
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.runtime.memory_session_storage import MemorySessionStorage

from emorec.deployment import Deployment
from emorec.server import expiry
from emorec.sessions.kept import About
from emorec.sessions.store import SessionStore, open_sessions

WAIT_S = 60


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "_FIRST_S", 0.0)
    monkeypatch.setattr(expiry, "_EVERY_S", 0.05)


def keep_one_that_is_over(store: SessionStore) -> None:
    now = datetime.now(UTC)
    about = About(owner="ada", started_at=now, purpose="event", made_with={}, keep_days=1)
    id_ = store.begin(about)
    with store._engine.begin() as connection:
        over = {"over": now - timedelta(days=1), "id": id_}
        connection.execute(text("UPDATE session SET delete_after = :over WHERE id = :id"), over)


def left(store: SessionStore) -> int:
    with store._engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM session")) or 0)


def test_they_are_deleted_after_the_start_and_again_while_the_app_runs(store: str) -> None:
    async def run() -> None:
        task = asyncio.create_task(expiry.sweep(Deployment.from_env()))
        async with asyncio.timeout(WAIT_S):
            for _ in range(2):
                while left(sessions):
                    await asyncio.sleep(0.01)
                keep_one_that_is_over(sessions)
            while left(sessions):
                await asyncio.sleep(0.01)
        task.cancel()

    sessions = open_sessions()
    keep_one_that_is_over(sessions)
    asyncio.run(run())
    sessions.close()


def test_where_nothing_was_kept_no_store_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    expiry._delete(Deployment.from_env())
    assert not (tmp_path / "data").exists()


def test_a_store_that_does_not_answer_is_one_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "emorec.sqlite").write_text("no database")
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    async def run() -> None:
        task = asyncio.create_task(expiry.sweep(Deployment.from_env()))
        async with asyncio.timeout(WAIT_S):
            while len(caplog.records) < 2:  # it goes on
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert "is no database" in caplog.records[0].message and caplog.records[0].exc_info is None


class Tab:
    """Stands for Streamlit's record of a tab, whose session is known by its id."""

    id = "a"

    @property
    def session(self) -> Tab:
        return self


def test_a_tab_that_was_closed_is_let_go_without_another_one() -> None:
    storage = MemorySessionStorage(ttl_seconds=0)
    tab = Tab()
    storage.save(tab)  # type: ignore[arg-type]
    held = weakref.ref(tab)
    del tab
    assert held() is not None
    expiry._let_go(storage)
    assert held() is None
