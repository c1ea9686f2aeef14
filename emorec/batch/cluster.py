"""Dask: the workers of this machine or of a cluster, and the tasks that they do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from time import monotonic
from typing import Any, TypeVar

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed
from distributed.client import FutureCancelledError

from emorec.errors import EmorecError

AHEAD = 3
"""Tasks a thread that Dask holds at a time: enough that no worker waits; of a million tasks the
scheduler never knows more."""

_COUNT_S = 5.0  # between two counts of the threads, as workers come and go
_CONNECT_S = 10.0
_DEATHS = 2  # a task is given up when so many workers have died at it

T = TypeVar("T")
R = TypeVar("R")


class LostError(EmorecError):
    """The workers that did a task have died."""


@contextmanager
def connected(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """Connect to a scheduler, or start workers on this machine and end them afterwards.

    Args:
        scheduler: its address, as ``tcp://host:8786``; None: workers of this machine.
        workers: how many, with one thread each; None: as many as there are cores.

    Raises:
        EmorecError: the scheduler cannot be reached.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is told by `results`
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            why = str(error).partition("\n")[0]
            raise EmorecError(f"{scheduler}: no Dask scheduler answers there ({why}).") from None
        with client:
            yield client
        return
    settings = {
        "distributed.scheduler.allowed-failures": _DEATHS - 1,
        "distributed.worker.daemon": True,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            preload="emorec.batch.local_worker",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def has_dashboard() -> bool:
    """Return whether Dask's dashboard has the package that draws it."""
    return find_spec("bokeh") is not None


def results(
    client: Client, tasks: Iterator[T], do: Callable[[T], R]
) -> Iterator[tuple[T, R | LostError]]:
    """Yield each task with its result as soon as a worker has done it.

    Args:
        client: of the cluster.
        tasks: taken when there is room for them.
        do: does a task on a worker; workers import the module that defines it.

    Raises:
        EmorecError: the scheduler has gone.
    """
    running: dict[Future, T] = {}
    completed = as_completed()
    counted_s, room = float("-inf"), 0

    def submit() -> None:
        nonlocal counted_s, room
        if monotonic() - counted_s > _COUNT_S:
            room = AHEAD * max(sum(client.nthreads().values()), 1)
            counted_s = monotonic()
        for task in islice(tasks, max(room - len(running), 0)):
            future = client.submit(do, task, pure=False)
            running[future] = task
            completed.add(future)

    submit()
    while running:
        future = next(completed)
        task = running.pop(future)
        try:
            result: Any = future.result()
        except KilledWorker:
            result = LostError("the worker that read it has died, and another that tried again.")
        except FutureCancelledError:
            raise EmorecError(
                "the connection to the Dask scheduler is lost; --resume goes on."
            ) from None
        submit()
        yield task, result
