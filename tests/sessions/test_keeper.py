"""The keeper writes while a session runs, never holds the reader up, and gives up in words."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from threading import Event
from time import monotonic

import pytest

from emorec.errors import StoreError
from emorec.sessions import keeper as keeper_module
from emorec.sessions.keeper import GIVE_UP_S, Keeper
from emorec.sessions.store import SessionStore, open_sessions
from emorec.sessions.timeline import Timeline
from emorec.words import speaking
from testkit.proxy import proxy
from testkit.room import PICTURE, frame, happy
from tests.sessions.conftest import START, about, played

SHORT_S = 0.05


def wait_until(done: Callable[[], object], limit_s: float = 30.0) -> None:
    until = monotonic() + limit_s
    while not done():
        assert monotonic() < until, "it never happened"
        time.sleep(0.02)


def test_a_session_that_runs_is_kept_from_the_press_on(sessions: SessionStore) -> None:
    timeline = played(10, ended=False)
    with Keeper(timeline, open_sessions, about(keeps_faces=True), every_s=SHORT_S) as keeper:
        for i in range(20, 40):
            timeline.add(PICTURE, frame(i / 2, {1: happy(0.3)}))
        marker = timeline.mark("now")
        wait_until(lambda: keeper.written_s == 19.0)
        assert (keeper.state, keeper.problem) == ("keeping", None)
        wait_until(lambda: keeper.session_id and sessions.markers(keeper.session_id) == (marker,))
        assert not sessions.session(keeper.session_id).ended
        timeline.__exit__()
    assert keeper.state == "ended"
    stored = sessions.session(keeper.session_id)
    assert (stored.first_s, stored.last_s, stored.ended) == (10.0, 19.5, True)
    assert sessions.seconds(stored.id)["second"].tolist() == list(range(10, 20))
    assert sessions.face_seconds(stored.id)["second"].tolist() == list(range(10, 20))


def test_or_from_its_start(sessions: SessionStore) -> None:
    with Keeper(played(5), open_sessions, about(), from_start=True, every_s=SHORT_S) as keeper:
        wait_until(lambda: keeper.state == "ended")
    assert sessions.seconds(keeper.session_id)["second"].tolist() == [0, 1, 2, 3, 4]


def test_a_store_that_cannot_be_opened_is_told_and_harms_nobody() -> None:
    def fail() -> SessionStore:
        raise StoreError("DATABASE_URL: the database does not answer ({why}).", why="refused")

    timeline = played(3, ended=False)
    with Keeper(timeline, fail, about(), every_s=SHORT_S) as keeper:
        wait_until(lambda: keeper.state == "given up")
        assert keeper.problem == (
            "Nothing is kept: DATABASE_URL: the database does not answer (refused)."
        )
        with speaking("de"):
            assert keeper.problem == (
                "Nichts ist gespeichert: DATABASE_URL: Die Datenbank antwortet nicht (refused)."
            )
        timeline.add(PICTURE, frame(9.0, {}))
    assert timeline.span_s == (0.0, 9.0)


def test_group_only_holds_for_what_was_kept_before(sessions: SessionStore) -> None:
    timeline = Timeline(START)
    add(timeline, 0, 4, faces=5)
    add(timeline, 4, 8, faces=2)
    keeper = Keeper(timeline, open_sessions, about(keeps_faces=True), True, every_s=SHORT_S)
    wait_until(lambda: keeper.written_s == 7.0)
    assert len(sessions.face_seconds(keeper.session_id)) == 4 * 5 + 3 * 2
    keeper.groups_only()
    add(timeline, 8, 10, faces=2)
    add(timeline, 10, 12, faces=4)
    timeline.__exit__()
    keeper.close(30)
    stored = sessions.session(keeper.session_id)
    assert (stored.group_only, stored.keeps_faces) == (True, False)
    assert sessions.seconds(stored.id)["second"].tolist() == [0, 1, 2, 3, 10, 11]
    assert not len(sessions.face_seconds(stored.id))


def add(timeline: Timeline, start_s: int, end_s: int, faces: int) -> None:
    for i in range(start_s * 2, end_s * 2):
        timeline.add(PICTURE, frame(i / 2, {k: happy(0.1) for k in range(1, faces + 1)}))


def test_a_store_that_does_not_come_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "GIVE_UP_S", 0.1)
    frozen = Event()

    def freeze() -> SessionStore:
        frozen.wait(60)
        raise StoreError("too late")

    keeper = Keeper(played(3), freeze, about(), every_s=SHORT_S)
    assert keeper.state == "keeping"
    wait_until(lambda: keeper.state == "given up")
    assert keeper.problem == "Nothing is kept: the store has not answered for 0 seconds."
    began = monotonic()
    keeper.close(0.1)
    assert monotonic() - began < 5
    frozen.set()
    keeper.close(30)  # its last words belong to this test's output


_WRITER = """
import sys, time
from emorec.sessions.keeper import Keeper
from emorec.sessions.store import open_sessions
from emorec.sessions.timeline import Timeline
from testkit.room import PICTURE, frame, happy
from tests.sessions.conftest import START, about
timeline, began = Timeline(START), time.monotonic()
keeper = Keeper(timeline, open_sessions, about(owner=sys.argv[1]), from_start=True)
until_s = float(sys.argv[2])
while (now := time.monotonic() - began) < until_s:
    timeline.add(PICTURE, frame(now, {k: happy(0.1) for k in range(1, 26)}))
    print(now, flush=True)
    time.sleep(0.1)
timeline.__exit__()
keeper.close(30)
print(keeper.state, keeper.problem, file=sys.stderr)
"""


def writer(owner: str, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, owner, str(seconds)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=sys.path[0] or None
    )


@pytest.mark.long
def test_a_program_that_is_killed_loses_at_most_five_seconds(sessions: SessionStore) -> None:
    process = writer("ada", 600)
    assert process.stdout
    last = 0.0
    for line in process.stdout:
        last = float(line)
        if last > 12:
            process.kill()
            break
    process.wait()
    (stored,) = sessions.sessions("ada")
    seconds = sessions.seconds(stored.id)["second"]
    assert seconds.tolist() == list(range(len(seconds)))
    assert last - (seconds[-1] + 1) <= 5.0
    assert not stored.ended


@pytest.mark.long
def test_two_processes_write_at_once(sessions: SessionStore) -> None:
    processes = [writer(owner, 10) for owner in ("ada", "bob")]
    for process in processes:
        _, told = process.communicate(timeout=120)
        assert (process.returncode, told) == (0, "ended None\n")
    for owner in ("ada", "bob"):
        (stored,) = sessions.sessions(owner)
        seconds = sessions.seconds(stored.id)
        assert stored.ended and seconds["second"].tolist() == list(range(len(seconds)))
        assert len(seconds) >= 9 and set(seconds["faces"].tolist()) == {25}


@pytest.mark.long
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_database_that_freezes_is_given_up(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    with proxy(os.environ["DATABASE_URL"]) as between:
        monkeypatch.setenv("DATABASE_URL", between.url)
        timeline = played(4, ended=False)
        keeper = Keeper(timeline, open_sessions, about(), from_start=True, every_s=0.5)
        wait_until(lambda: keeper.written_s == 3.0)
        opened = open_sessions()
        between.frozen.set()
        frozen_s, slowest_s, i = monotonic(), 0.0, 8
        while keeper.state == "keeping":
            before = monotonic()
            timeline.add(PICTURE, frame(i / 2, {1: happy(0.1)}))
            i += 1
            slowest_s = max(slowest_s, monotonic() - before)
            assert monotonic() - frozen_s < 2 * GIVE_UP_S + 1
            time.sleep(0.05)
        assert slowest_s < 0.5, "the reader never waits"
        assert str(keeper.problem).startswith("From now on nothing is kept: ")
        began = monotonic()
        with pytest.raises(StoreError, match="does not answer"):
            opened.sessions()
        with pytest.raises(StoreError, match="does not answer"):
            open_sessions()
        assert monotonic() - began < 25
        between.frozen.clear()
        wait_until(lambda: len(open_sessions().sessions()) == 1)
        opened.close()
