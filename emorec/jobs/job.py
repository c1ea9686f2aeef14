"""One uploaded video that is read: it waits for its turn, then a process of its own reads it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show
from emorec.emotions import EMOTIONS
from emorec.jobs.gallery import answered
from emorec.jobs.place import Place
from emorec.media.workers import worker_environment
from emorec.people.matching import Matcher
from emorec.words import ENGLISH, N_, said_in

log = logging.getLogger(__name__)

State = Literal["waiting", "reading", "done", "failed", "cancelled"]

NO_ROOM = N_("the server's disk has no room for the results now; try a shorter video, or later.")

_LONGEST_S = 6 * 3600.0  # a video that takes longer to read makes room for others
_SILENT_S = 1800.0  # a worker tells twice a second how far it is, if live visitors leave it time
_WATCH_S = 5.0
_SOON_S = 2.0  # before, the speed says little
_LINE = 2**22  # bytes: of the longest line of a worker
_TOO_LONG = N_("reading it takes too long.")
_KILLED = N_("the process that read it was ended; the video may need more memory than there is.")


@dataclass(frozen=True, slots=True)
class Order:
    """How a video is read.

    Attributes:
        model: the model's file.
        settings: of `emorec.settings.Settings`, by name.
        show: what is drawn of a face.
        group_only: whether nothing but totals is written and shown.
        names: whether faces get the names of people enrolled; never with blur or ``group_only``.
        language: of what is drawn and of the report, one of `emorec.words.LANGUAGES`.
    """

    model: str
    settings: Mapping[str, Any]
    show: Show
    group_only: bool
    names: bool = False
    language: str = ENGLISH


class Turns:
    """Lets so many jobs run at once, the first to come first.

    Args:
        at_once: jobs that may run at once.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._jobs: list[Job] = []
        self._changed = threading.Condition()

    def before(self, job: Job) -> int:
        """Return how many jobs must end before this one begins."""
        with self._changed:
            return max(0, self._jobs.index(job) - self._at_once + 1) if job in self._jobs else 0

    def join(self, job: Job) -> None:
        """Put a job at the end of the queue."""
        with self._changed:
            self._jobs.append(job)

    def wait(self, job: Job) -> None:
        """Wait for a job's turn, or until it is cancelled."""
        with self._changed:
            self._changed.wait_for(
                lambda: job.state == "cancelled" or self._jobs.index(job) < self._at_once
            )

    def leave(self, job: Job) -> None:
        """Take a job out of the queue."""
        with self._changed:
            self._jobs.remove(job)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let the jobs that wait see what has changed."""
        with self._changed:
            self._changed.notify_all()


class Job:
    """Reads the video of a place. One thread watches; the visitor's pages look at the attributes.

    Args:
        place: where the video lies; closing it cancels the job.
        order: how the video is read.
        turns: of all jobs of this process.
        room: returns whether the place may hold what lies there now.
        gallery: asked who a face is, where the order has names.

    Attributes:
        state: where the job stands.
        error: why it failed, in words; "" if it did not.
        time_s: second of the video that was read last.
        duration_s: of the video; None if its file does not say.
        result: what the worker reports at the end: ``report``, ``moments`` and ``notes``.
    """

    def __init__(
        self,
        place: Place,
        order: Order,
        turns: Turns,
        room: Callable[[], bool],
        gallery: Matcher | None = None,
    ) -> None:
        self.order = order
        self.state: State = "waiting"
        self.error = ""
        self.time_s = 0.0
        self.duration_s: float | None = None
        self.result: dict[str, Any] | None = None
        self._place = place
        self._turns = turns
        self._room = room
        self._gallery = gallery
        self._began_s = self._heard_s = 0.0
        self._ended = threading.Event()
        self._first: tuple[float, float] | None = None
        self._curve: list[list[float]] = []
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Queue the job, and return at once.

        Raises:
            NoPlaceError: the place is closed, or its upload is not complete.
        """
        self._place.take()
        self._place.on_close = self.cancel
        self._turns.join(self)
        threading.Thread(target=self._run, name="video job", daemon=True).start()

    def cancel(self) -> None:
        """End the job; does nothing if it has ended."""
        with self._lock:
            if self.state in ("waiting", "reading"):
                self.state = "cancelled"
            if self._process is not None:
                self._process.kill()
        self._turns.wake()

    @property
    def before(self) -> int:
        """How many videos of others are read before this one."""
        return self._turns.before(self)

    @property
    def left_s(self) -> float | None:
        """Seconds until the end, at the speed so far; None if that cannot be told yet."""
        if self._first is None or not self.duration_s:
            return None
        first_s, at_s = self._first  # from there on: loading the model says nothing of the speed
        read_s, spent_s = self.time_s - first_s, monotonic() - at_s
        left_s = max(0.0, self.duration_s - self.time_s)
        return left_s * spent_s / read_s if read_s > 0 and spent_s > _SOON_S else None

    def readings(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
        """Return what was read so far, as `emorec.drawing.charts.mood` takes it.

        Returns:
            Seconds, float64 of shape (n,), two a second; and the mean probabilities of all faces
            in view, float32 of shape (n, 7).
        """
        with self._lock:
            table = np.array(self._curve, np.float64).reshape(-1, 1 + len(EMOTIONS))
        return table[:, 0].copy(), table[:, 1:].astype(np.float32)

    def _run(self) -> None:
        try:
            self._turns.wait(self)
            self._work()
        except OSError as error:
            log.error("a video cannot be read: %s", error.strerror)
            self._end("failed", N_("the server cannot start the process that reads it."))
        finally:
            self._turns.leave(self)
            self._place.source.unlink(missing_ok=True)
            if self.state in ("cancelled", "failed"):
                self._place.close()
                self._place.wipe()  # what the worker wrote while the place was closed

    def _work(self) -> None:
        with self._lock:
            if self.state == "cancelled":
                return
            self._process = process = _start_worker()
            self.state = "reading"
            self._began_s = self._heard_s = monotonic()
        assert process.stdin is not None and process.stdout is not None
        order = {
            **{name: getattr(self.order, name) for name in Order.__slots__},
            "settings": dict(self.order.settings),
            "source": str(self._place.source),
        }
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()  # it stays open: the worker ends when it is closed
            while line := process.stdout.readline(_LINE):
                self._heard_s = monotonic()
                told = json.loads(line)
                if "match" in told and self._gallery is not None:
                    answer = said_in(order["language"], answered, told["match"], self._gallery)
                    process.stdin.write(answer.encode())
                    process.stdin.flush()
                else:
                    self._take(told)
        except (BrokenPipeError, ValueError):  # it was killed, perhaps in the middle of a line
            self._end("failed", _KILLED)
        finally:
            self._ended.set()
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        if self.state == "reading":
            log.error("a video's worker has ended with code %d", process.returncode)
            self._end("failed", _KILLED)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """End a worker that has told nothing for long, or that takes too long."""
        while not self._ended.wait(_WATCH_S):
            now_s = monotonic()
            if now_s - self._heard_s > _SILENT_S or now_s - self._began_s > _LONGEST_S:
                self._end("failed", _TOO_LONG)
                process.kill()

    def _take(self, told: dict[str, Any]) -> None:
        if "error" in told:
            self._end("failed", told["error"])
        elif not self._room():
            self._end("failed", NO_ROOM)
            assert self._process is not None
            self._process.kill()
        elif "done" in told:
            self.result = told["done"]
            self._place.source.unlink(missing_ok=True)  # before the page says that it is read
            self._end("done")
        else:
            with self._lock:
                self.time_s, self.duration_s = told["time_s"], told["duration_s"]
                self._curve += told["curve"]
                self._first = self._first or (self.time_s, monotonic())

    def _end(self, state: State, error: str = "") -> None:
        with self._lock:
            if self.state in ("waiting", "reading"):
                self.error = error
                self.state = state


def _start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "emorec.jobs.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=worker_environment() | {"OMP_NUM_THREADS": "1"},
    )
