"""What takes too long or too much costs the process that does it and its caller, nobody else."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator

import pytest

from emorec.errors import EmorecError, ImageError
from emorec.media.workers import Queue, WorkerError, Workers


class Visitor:
    pass


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    made = Workers(time.monotonic, count=2, job_s=8.0, job_mb=64)
    yield made
    made.close()


def test_a_job_returns_what_it_computes(workers: Workers) -> None:
    assert workers.run(Visitor(), math.sqrt, 9) == 3.0


def test_while_one_job_takes_all_its_time_another_visitors_is_done(workers: Workers) -> None:
    caught: list[BaseException] = []

    def attack() -> None:
        try:
            workers.run(Visitor(), time.sleep, 60)
        except EmorecError as error:
            caught.append(error)

    attacker = threading.Thread(target=attack)
    attacker.start()
    for number in range(5):
        assert workers.run(Visitor(), math.sqrt, number**2) == number
    assert attacker.is_alive()
    attacker.join(30)
    assert "takes more than 8 s" in str(caught[0])
    assert workers.run(Visitor(), math.sqrt, 4) == 2.0  # in a new process


def test_a_job_that_takes_too_much_memory_is_told(workers: Workers) -> None:
    with pytest.raises(MemoryError):
        workers.run(Visitor(), bytearray, 2**31)
    assert len(workers.run(Visitor(), bytearray, 2**20)) == 2**20


def test_a_process_that_ends_is_replaced(workers: Workers) -> None:
    with pytest.raises(ImageError, match="ended unexpectedly"):
        workers.run(Visitor(), os.abort)
    assert workers.run(Visitor(), math.sqrt, 16) == 4.0


def test_an_error_of_a_job_is_the_callers(workers: Workers) -> None:
    with pytest.raises(WorkerError, match="math domain error"):
        workers.run(Visitor(), math.sqrt, -1)


def test_what_a_job_prints_is_no_answer(workers: Workers) -> None:
    assert workers.run(Visitor(), print, "not an answer") is None
    assert workers.run(Visitor(), math.sqrt, 25) == 5.0


def test_the_visitor_who_has_used_the_least_time_is_next() -> None:
    queue, costly, fresh = Queue(1), Visitor(), Visitor()
    with queue.place(costly):
        time.sleep(0.05)
    order = []

    def wait(visitor: Visitor, name: str) -> None:
        with queue.place(visitor):
            order.append(name)

    with queue.place(Visitor()):
        threads = []
        for visitor, name in ((costly, "costly"), (fresh, "fresh")):
            threads.append(threading.Thread(target=wait, args=(visitor, name)))
            threads[-1].start()
            while len(queue._waiting) < len(threads):
                time.sleep(0.01)
    for thread in threads:
        thread.join(10)
    assert order == ["fresh", "costly"]


def test_who_waits_too_long_is_told() -> None:
    queue = Queue(1, wait_s=0.05)
    with (
        queue.place(Visitor()),
        pytest.raises(EmorecError, match="busy with other pictures"),
        queue.place(Visitor()),
    ):
        pass
    with queue.place(Visitor()):  # it is free again
        pass
