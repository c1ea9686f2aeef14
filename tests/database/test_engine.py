from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import delete, insert, text, update

from emorec.database.engine import connect, file_of, reading, wipe, writing
from emorec.database.tables import Base, PersonRow, StoreRow
from emorec.database.upgrade import MIGRATIONS, migrations
from emorec.deployment import Deployment
from emorec.errors import StoreError

SECRET = "s3cret-word"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def opened():
    """Open the store that the environment names."""
    chosen = Deployment.from_env()
    return connect(chosen.database_url, chosen.data_folder)


def revision(engine) -> int:
    with reading(engine) as session:
        return session.get_one(StoreRow, 1).people_revision


def test_a_new_store_has_the_tables_that_the_program_knows(store: str) -> None:
    engine = opened()
    assert engine.dialect.name == store
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert revision(engine) == 0


def test_the_migrations_that_are_known_are_those_of_alembic() -> None:
    steps = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert migrations() == [step.revision for step in steps][::-1]


def test_a_store_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    """It takes as long to load as all else that the Sessions page needs."""
    connect(None, tmp_path).dispose()
    code = (
        "import sys; from pathlib import Path; from emorec.database.engine import connect\n"
        "connect(None, Path(sys.argv[1])).dispose(); print('alembic' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert run.stdout == "False\n", run.stderr


def test_migrations_run_once(store: str) -> None:
    engine = opened()
    with writing(engine) as session:
        session.get_one(StoreRow, 1).people_revision = 7
    engine.dispose()
    assert revision(opened()) == 7


@pytest.mark.long
def test_processes_that_start_at_once_all_find_the_tables(store: str) -> None:
    code = "from emorec.people.gallery import open_gallery; open_gallery().close()"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [
        ("", 0)
    ] * 3
    assert revision(opened()) == 0


def test_a_new_file_that_another_program_writes_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "emorec.sqlite"
    with closing(sqlite3.connect(file, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        soon = threading.Timer(0.3, other.rollback)
        soon.start()
        engine = connect(None, tmp_path)
        soon.join()
    assert revision(engine) == 0


def test_opening_a_store_twice_leaves_its_log_to_the_process_that_has_it_open(
    tmp_path: Path,
) -> None:
    # Where the second opening dropped the locks of the first, the other process deleted the log.
    first = connect(None, tmp_path)
    with first.connect() as held:
        held.execute(text("SELECT count(*) FROM store")).scalar()
        held.rollback()
        connect(None, tmp_path).dispose()
        other = (
            "import sqlite3, sys\n"
            "file = sqlite3.connect(sys.argv[1])\n"
            "file.execute('SELECT count(*) FROM store').fetchone()\n"
            "file.close()\n"
        )
        subprocess.run([sys.executable, "-c", other, tmp_path / "emorec.sqlite"], check=True)
        assert (tmp_path / "emorec.sqlite-wal").exists()
    first.dispose()


def test_a_store_of_a_newer_program_is_refused(store: str) -> None:
    with opened().begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"newer EmoRec \(its tables are at 9999\)"):
        opened()


def test_changes_are_kept_all_together_or_not_at_all(store: str) -> None:
    engine = opened()

    def fail_half_way() -> None:
        with writing(engine) as session:
            session.get_one(StoreRow, 1).people_revision = 7
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert revision(engine) == 0


@pytest.mark.parametrize("seed", [3, 18, 30])  # where secure_delete alone leaves traces
def test_wiping_leaves_no_trace_of_what_was_deleted_or_replaced(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    engine = connect(None, tmp_path)
    kept: dict[int, bytes] = {}
    gone: list[bytes] = []
    with writing(engine) as session:
        for id_ in range(900):
            value = draw.randbytes(draw.choice([30, 60, 541, 541]))
            if len(kept) < 5 or draw.random() < 0.55:
                row = {"id": id_, "name": value, "consented_at": NOW, "consent_version": 1}
                session.execute(insert(PersonRow).values(row))
                kept[id_] = value
                continue
            chosen = draw.choice(list(kept))
            gone.append(kept.pop(chosen))
            if draw.random() < 0.7:
                session.execute(delete(PersonRow).filter_by(id=chosen))
            else:
                session.execute(update(PersonRow).filter_by(id=chosen).values(name=value))
                kept[chosen] = value
    wipe(engine)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert all(value in left for value in kept.values())
    pieces = {value[at : at + 10] for value in gone for at in range(0, len(value) - 9, 10)}
    assert pieces and not pieces & {left[at : at + 10] for at in range(len(left) - 9)}


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        f"mysql://me:{SECRET}@localhost/emorec",
        f"postgres://me:{SECRET}@localhost:port/emorec",
        f"postgres://me:{SECRET}@[::1/emorec",
        f"postgres://me:{SECRET}@127.0.0.1:1/emorec",
        f"postgresql://127.0.0.1:1/emorec?user=me&password={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:1/emorec?sslmode=nonsense",
        f"postgresql://me@127.0.0.1:1/emorec?{SECRET}=1&password={SECRET}",
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(StoreError, match=r"^DATABASE_URL: .+\.$") as raised:
        connect(url, None)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_an_address_goes_before_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "there.sqlite"
    engine = connect(f"sqlite:///{file}", tmp_path)
    assert file_of(engine) == file
    assert [path.name for path in tmp_path.glob("*.sqlite")] == ["there.sqlite"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other ways to say who may read")
def test_nobody_else_may_read_what_is_kept(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        engine = connect(None, tmp_path / "data")
        with reading(engine) as session:
            session.get_one(StoreRow, 1)
            modes = {
                path.name: stat.S_IMODE(path.stat().st_mode)
                for path in [tmp_path / "data", *(tmp_path / "data").iterdir()]
            }
    finally:
        os.umask(before)
    assert modes == {
        "data": 0o700,
        "emorec.reserve": 0o600,
        "emorec.sqlite": 0o600,
        "emorec.sqlite-shm": 0o600,
        "emorec.sqlite-wal": 0o600,
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: folder.write_bytes(b"a file, no folder"),
        lambda folder: (folder / "emorec.sqlite").mkdir(parents=True),
        lambda folder: (
            folder.mkdir(),
            (folder / "emorec.sqlite").write_bytes(b"something else entirely " * 99),
        ),
    ],
    ids=["folder-is-a-file", "file-is-a-folder", "no-database"],
)
def test_a_file_that_cannot_be_used_is_named(spoil, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    spoil(folder)
    with pytest.raises(StoreError, match=r"data/emorec\.sqlite: .+\.$") as raised:
        connect(None, folder)
    assert "\n" not in str(raised.value)


def test_a_user_without_a_home_is_told_what_to_set() -> None:
    with pytest.raises(StoreError, match="EMOREC_DATA: not set"):
        connect(None, None)
