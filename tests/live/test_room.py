"""So many places, whoever comes and however they leave."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from emorec.live import room as module
from emorec.live.room import Room, cores, places, source_of


class Visitor:
    def __init__(self) -> None:
        self.live = self.received = False

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


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Attacker(Visitor):
    """Takes a place, sends nothing, and asks for the next in the moment in which it is over."""

    def __init__(self, room: Room, clock: Clock, address: str | None) -> None:
        super().__init__()
        self.room, self.clock, self.address, self.since_s = room, clock, address, 0.0

    def act(self) -> None:
        if self.live and self.clock.now_s - self.since_s >= 19:
            self.room.leave(self)
        if not self.live and self.room.enter(self, self.address):
            self.since_s = self.clock.now_s


@pytest.mark.parametrize("addresses", [(None, None), ("192.0.2.1", "192.0.2.1")])
def test_those_who_take_places_and_send_nothing_keep_no_one_out(addresses):
    clock = Clock()
    room = Room(2, clock)
    attackers = [Attacker(room, clock, address) for address in addresses]
    for _ in range(100):
        for attacker in attackers:
            attacker.act()
        clock.now_s += 1
    for _ in range(12):
        honest, began_s = Visitor(), clock.now_s
        while not room.enter(honest, "192.0.2.9"):
            for _ in range(2):  # the page of one that waits asks every two seconds
                clock.now_s += 1
                for attacker in attackers:
                    attacker.act()
            assert clock.now_s - began_s <= 22
        honest.received = True
        for _ in range(30):
            clock.now_s += 1
            for attacker in attackers:
                attacker.act()
        assert honest.live
        room.leave(honest)


def test_silence_costs_more_each_time_and_is_forgiven():
    clock = Clock()
    room = Room(1, clock)

    def silent(address: str) -> None:
        visitor = Visitor()
        assert room.enter(visitor, address)
        clock.now_s += 20
        visitor.live = False
        assert room.live == 0

    def goes_to(*addresses: str) -> str:
        holder, rivals = Visitor(), {address: Visitor() for address in addresses}
        assert room.enter(holder)
        holder.received = True
        for address, rival in rivals.items():
            assert not room.enter(rival, address)
            clock.now_s += 1
        room.leave(holder)
        (winner,) = [a for a, rival in rivals.items() if room.enter(rival, a)]
        rivals[winner].received = True
        for rival in rivals.values():
            room.leave(rival)
        return winner

    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        silent(address)
    assert goes_to("192.0.2.1", "192.0.2.2", "192.0.2.3") == "192.0.2.3"
    assert goes_to("192.0.2.1", "192.0.2.2") == "192.0.2.2"
    clock.now_s += 600
    assert goes_to("192.0.2.1", "192.0.2.2") == "192.0.2.1"


def test_who_was_silent_leaves_a_place_to_those_who_only_see_that_the_room_is_full():
    clock = Clock()
    room, silent, other, watcher = Room(1, clock), Visitor(), Visitor(), Visitor()
    assert room.enter(silent, "192.0.2.1")
    for _ in range(10):
        assert not room.watch(watcher, "192.0.2.2")
        clock.now_s += 2
    room.leave(silent)
    assert not room.enter(silent, "192.0.2.1"), "though it asks first, and again at once"
    assert room.watch(watcher, "192.0.2.2") and room.enter(watcher, "192.0.2.2")
    room.leave(watcher)
    room.watch(watcher, "192.0.2.2")
    assert room.enter(other, "192.0.2.3"), "nobody else has to wait for those who may never ask"
    room.leave(other)
    clock.now_s += 11
    assert room.enter(silent, "192.0.2.1"), "nor does it, once they look no more"


def test_an_address_with_many_sessions_leaves_places_to_others():
    room = Room(3)
    many = [Visitor() for _ in range(6)]
    inside = [one for one in many if room.enter(one, "2001:db8::1")]
    assert len(inside) == 3
    other = Visitor()
    assert not room.enter(other, "192.0.2.9")
    room.leave(inside[0])
    assert not any(room.enter(one, "2001:db8::2") for one in many if one not in inside)
    assert room.enter(other, "192.0.2.9")


def test_a_page_that_is_gone_is_not_waited_for_and_a_hidden_one_keeps_its_turn():
    clock = Clock()
    room = Room(1, clock)
    holder, hidden, other = Visitor(), Visitor(), Visitor()
    assert room.enter(holder) and not room.enter(hidden) and not room.enter(other)
    room.leave(holder)
    clock.now_s += 11
    assert room.enter(other)  # the first in line does not ask
    assert not room.enter(hidden)
    third = Visitor()
    assert not room.enter(third)
    clock.now_s += 60
    assert not room.enter(third) and not room.enter(hidden)
    room.leave(other)
    assert not room.enter(third) and room.enter(hidden)


@pytest.mark.parametrize(
    ("address", "source"),
    [
        (None, ""),
        ("no address", ""),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_an_address_stands_for_a_line(address, source):
    assert source_of(address) == source
