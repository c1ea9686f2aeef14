"""So many places, whoever comes and however they leave."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from emorec.live import room as module
from emorec.live.room import Room, cores, places


class Visitor:
    def __init__(self) -> None:
        self.live = False

    def start(self) -> None:
        self.live = True

    def stop(self) -> None:
        self.live = False


def test_an_empty_room_has_nobody_in_it():
    room = Room(1)
    assert (room.live, room.places) == (0, 1)
    room.leave(Visitor())
    assert room.live == 0


def test_the_last_place_is_free_again_after_leaving():
    room, first, second = Room(1), Visitor(), Visitor()
    assert room.enter(first) and first.live
    assert room.enter(first) and room.live == 1  # once more is the same place
    assert not room.enter(second) and not second.live
    room.leave(first)
    assert not first.live and room.live == 0
    assert room.enter(second)


@pytest.mark.parametrize("how", ["it fell silent", "nobody knows it any more"])
def test_a_place_is_given_back_without_a_word(how):
    room, first = Room(1), Visitor()
    assert room.enter(first)
    if how == "it fell silent":
        first.live = False
    else:
        del first
        gc.collect()
    assert room.live == 0 and room.enter(Visitor())


def test_who_was_silent_has_to_find_a_place_again():
    room, first, second = Room(1), Visitor(), Visitor()
    assert room.enter(first)
    first.live = False
    assert room.enter(second)
    assert not room.enter(first) and not first.live


def test_of_many_at_the_same_moment_as_many_come_in_as_there_are_places():
    room, visitors, moment = Room(3), [Visitor() for _ in range(16)], Barrier(16)

    def press_start(visitor):
        moment.wait(60)
        return room.enter(visitor)

    with ThreadPoolExecutor(16) as pool:
        let_in = list(pool.map(press_start, visitors))
    assert sum(let_in) == room.live == 3
    assert [visitor.live for visitor in visitors] == let_in


@pytest.mark.parametrize(
    ("quota", "own", "expected"),
    [
        (None, 4, 4.0),
        ("max 100000\n", 4, 4.0),
        ("50000 100000\n", 4, 0.5),
        ("800000 100000\n", 4, 4.0),
        ("", 4, 4.0),
    ],
)
def test_a_containers_share_of_the_cores_counts(quota, own, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: range(own), raising=False)
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota)
    assert cores(tmp_path / "cpu.max") == expected


@pytest.mark.parametrize(
    ("max_live", "own", "expected"), [(None, 0.5, 2), (None, 16, 3), (1, 16, 1), (40, 2, 40)]
)
def test_the_deployer_says_how_many_else_the_cores(max_live, own, expected, monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: own)
    monkeypatch.setattr(module, "SESSIONS_PER_CORE", 1)
    assert places(max_live) == expected
