"""A full disk can be read and emptied."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emorec.database import reserve
from emorec.database.engine import connect
from emorec.database.reserve import RESERVE_BYTES, file_of_reserve, hold, released

ROOT = Path(__file__).resolve().parents[2]


def test_a_store_has_a_reserve_that_is_made_once(tmp_path: Path) -> None:
    connect(None, tmp_path).dispose()
    file = file_of_reserve(tmp_path / "emorec.sqlite")
    assert file.stat().st_size == RESERVE_BYTES
    made = file.stat().st_mtime_ns
    connect(None, tmp_path).dispose()
    assert file.stat().st_mtime_ns == made


def test_it_is_given_back_while_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "emorec.sqlite"
    hold(database)
    with released(database) as short:
        assert not short and file_of_reserve(database).exists()
    monkeypatch.setattr(reserve, "_free", lambda path: RESERVE_BYTES - 1)
    with released(database) as short:
        assert short and not file_of_reserve(database).exists()
    assert 0 < file_of_reserve(database).stat().st_size < RESERVE_BYTES
    file_of_reserve(database).unlink()
    hold(database)
    assert not file_of_reserve(database).exists(), "a disk with little room is left alone"
    with released(None) as short:
        assert not short


_ON_A_FULL_DISK = """
import os, sys
from pathlib import Path
from emorec.errors import StoreError
from emorec.sessions.store import open_sessions
from tests.sessions.conftest import about, played

folder = Path(os.environ["EMOREC_DATA"])
store = open_sessions()
timeline = played(600, faces=12)
ids = []
for _ in range(2):
    ids.append(store.begin(about(keeps_faces=True)))
    store.append(ids[-1], timeline.finished(), timeline.face_seconds(), (0, 600), 12, True)
store.close()
filler = open(folder / "filler", "wb", buffering=0)
try:
    while True:
        filler.write(bytes(4096))
except OSError:
    pass
assert os.statvfs(folder).f_bavail == 0
again = open_sessions()
assert len(again.sessions()) == 2 and len(again.seconds(ids[0])) == 600
try:
    again.append(ids[0], timeline.finished(), timeline.face_seconds(), (0, 600), 12, True)
    raise AssertionError("a full disk takes nothing")
except Exception as error:
    assert type(error).__name__ in ("StoreError", "IntegrityError"), error
again.delete(ids[0])
assert [each.id for each in again.sessions()] == [ids[1]]
again.close()
last = open_sessions()
try:
    assert last.delete_all() == 1
except StoreError as error:
    assert "deleted, but the disk is full" in str(error), error
assert last.sessions() == []
print("fine")
"""


@pytest.mark.long
def test_a_full_disk_can_be_read_and_emptied(tmp_path: Path) -> None:
    """On a file system of 16 MB, in a mount name space of its own."""
    mount = f'mount -t tmpfs -o size=16m tmpfs {tmp_path} && exec {sys.executable} -c "$CODE"'
    unshared = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    done = subprocess.run(
        [*unshared, "sh", "-c", mount],
        env=env | {"EMOREC_DATA": str(tmp_path), "CODE": _ON_A_FULL_DISK, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr
