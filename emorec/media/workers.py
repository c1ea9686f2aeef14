"""Processes that do what may take too long or too much memory, such as decoding a stranger's file.

A caller waits for its own job only. A job that takes too long or too much memory costs the process
that does it, which is replaced, and its caller, who gets one error line.

`multiprocessing` does not suit: its children import the program's main module again, and here that
is the Streamlit script.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from emorec.deployment import VARIABLES
from emorec.errors import EmorecError, ImageError
from emorec.media.memory import keep_pictures_apart, limit_growth
from emorec.words import _

Result = TypeVar("Result")

WORKERS = 2
"""Jobs that are done at once: while one takes its full time, the other process is free."""
JOB_S = 30.0
"""Longest time of a job. A photo of 50 megapixels takes about 3 s on two cores with AVX2."""
JOB_MB = 900
"""Memory that a job may take beside what its process has anyway, about 80 MB. A photo of 50
megapixels takes 100 MB as a JPEG, and as a WebP 800 MB (`benchmarks/photo_memory.py`)."""

_START_S = 120.0  # longest time until a new process has loaded what it needs
_WAIT_S = 60.0  # longest time for which a caller waits for a free process
_JOBS = 200  # of one process: then a new one replaces it, and with it what libraries leaked


class WorkerError(Exception):
    """A job raised an error that it should not have; the text is its traceback."""


class Workers:
    """A fixed number of processes that do jobs; they start with the first jobs.

    Several threads may share it.

    Args:
        prepare: a function of a module; each process calls it once, before its first job.
        count: how many processes there are.
        job_s: longest time of a job, in seconds.
        job_mb: memory that a job may take, in megabytes.
    """

    def __init__(
        self,
        prepare: Callable[[], object],
        count: int = WORKERS,
        job_s: float = JOB_S,
        job_mb: int = JOB_MB,
    ) -> None:
        self._prepare = prepare
        self._job_s, self._job_mb = job_s, job_mb
        self._queue = Queue(count)
        self._idle: list[_Process] = []
        atexit.register(self.close)

    def run(self, key: object, job: Callable[..., Result], *args: object) -> Result:
        """Have a process do a job, and return what it returns.

        Args:
            key: the visitor that the job is for; see `Queue`.
            job: a function of a module. It, its arguments and its result must be picklable.
            args: the job's arguments.

        Raises:
            EmorecError: raised by the job; or it took too long, or its process ended; or there was
                no free process for a minute.
            MemoryError: the job needs too much memory.
            WorkerError: the job raised any other error.
        """
        with self._queue.place(key):
            try:
                process = self._idle.pop()
            except IndexError:
                process = _Process(self._prepare)
            try:
                succeeded, answer = process.ask((job, args, self._job_mb), self._job_s)
            except BaseException:
                process.end()
                raise
            if process.jobs < _JOBS:
                self._idle.append(process)
            else:
                process.end()
        if not succeeded:
            raise answer
        result: Result = answer
        return result

    def close(self) -> None:
        """End the processes that are idle; a later job starts a new one."""
        while self._idle:
            self._idle.pop().end()


class Queue:
    """Gives out places; of those that wait, the one whose key has used the least time is next.

    So a visitor whose pictures take long waits for visitors whose pictures take little time.

    Args:
        places: how many there are.
        wait_s: longest time for which a caller waits.
    """

    def __init__(self, places: int, wait_s: float = _WAIT_S) -> None:
        self._free = places
        self._wait_s = wait_s
        self._waiting: list[tuple[object]] = []
        self._used_s: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._changed = threading.Condition()

    @contextmanager
    def place(self, key: object) -> Iterator[None]:
        """Hold a place; the time is charged to the key.

        Args:
            key: any object that can be hashed and weakly referenced.

        Raises:
            EmorecError: no place was free for too long.
        """
        mine = (key,)
        with self._changed:
            self._waiting.append(mine)
            try:
                if not self._changed.wait_for(lambda: self._is_next(mine), self._wait_s):
                    raise EmorecError(_("the server is busy with other pictures; try again."))
                self._free -= 1
            finally:
                self._waiting = [one for one in self._waiting if one is not mine]
                self._changed.notify_all()
        began_s = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                used_s = time.monotonic() - began_s
                self._used_s[key] = self._used_s.get(key, 0.0) + used_s
                self._free += 1
                self._changed.notify_all()

    def _is_next(self, mine: tuple[object]) -> bool:
        # Of several with the least time, `min` returns the one that has waited longest.
        return self._free > 0 and mine is min(
            self._waiting, key=lambda one: self._used_s.get(one[0], 0.0)
        )


def worker_environment() -> dict[str, str]:
    """Return the environment of a process that reads visitors' files: without the secrets.

    The package is found there even if this process was started in another folder.
    """
    secrets = {variable.name for variable in VARIABLES.values() if variable.secret}
    kept = {name: value for name, value in os.environ.items() if name not in secrets}
    paths = [str(Path(__file__).parents[2]), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


class _Process:
    """One process that does one job at a time.

    Attributes:
        jobs: how many it was asked to do.
    """

    def __init__(self, prepare: Callable[[], object]) -> None:
        self.jobs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from emorec.media.workers import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=worker_environment(),
        )
        try:
            self._exchange(prepare, _START_S)
        except BaseException:
            self.end()
            raise

    def ask(self, job: object, seconds: float) -> tuple[bool, Any]:
        """Return whether a job succeeded, and its result or the error that it raised.

        Raises:
            ImageError: it took too long, or the process has ended; the process is of no use then.
        """
        self.jobs += 1
        answer: tuple[bool, Any] = self._exchange(job, seconds)
        return answer

    def end(self) -> None:
        """End the process, also in the middle of a job."""
        self._process.kill()
        with suppress(OSError):  # a part of a job that it has not read any more
            self._process.communicate()

    def _exchange(self, message: object, seconds: float) -> Any:
        over, late = threading.Lock(), threading.Event()

        def stop() -> None:
            if over.acquire(blocking=False):
                late.set()
                self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            assert self._process.stdin is not None and self._process.stdout is not None
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            if late.is_set():
                raise ImageError(_too_long(seconds)) from None
            raise ImageError(
                _("reading it ended unexpectedly; the file may be damaged.")
            ) from error
        finally:
            timer.cancel()
        if not over.acquire(blocking=False):
            # The time was over as the answer came: the process is killed, and of no use any more.
            raise ImageError(_too_long(seconds))
        return answer


def serve() -> None:
    """Do jobs until the input ends: what each process of `Workers` runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this too
    keep_pictures_apart()
    # A library that writes to the standard output must not write between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    jobs = sys.stdin.buffer
    pickle.load(jobs)()
    _answer(answers, None)
    with suppress(EOFError):
        while True:
            job, args, job_mb = pickle.load(jobs)
            limit_growth(job_mb)
            try:
                answer = True, job(*args)
            except (EmorecError, MemoryError) as error:
                answer = False, error
            except Exception:  # noqa: BLE001 (the caller raises it)
                answer = False, WorkerError(traceback.format_exc())
            del job, args
            _answer(answers, answer)
            del answer


def _answer(answers: Any, answer: object) -> None:
    pickle.dump(answer, answers)
    answers.flush()


def _too_long(seconds: float) -> str:
    says = _("takes more than {seconds} s to read: too long.")
    return says.format(seconds=f"{seconds:.0f}")
