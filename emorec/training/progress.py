"""How far a run is, and how long the rest of it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras

_BAR = 12


class Progress(keras.callbacks.Callback):
    """The clock of a run and, on a terminal, a bar on standard error while an epoch runs.

    Args:
        plan: (side in pixels, steps) of every epoch; a step's time goes with the pixels.
        first: the epoch, from 0, that the run begins or goes on with.
    """

    def __init__(self, plan: Sequence[tuple[int, int]], first: int) -> None:
        super().__init__()
        self._plan, self._first, self._epoch = plan, first, first
        self._began = time.monotonic()
        self._live = sys.stderr.isatty()

    def start(self, epoch: int) -> None:
        """Say which epoch (from 0) runs now; Keras counts from 0 at each call of its `fit`."""
        self._epoch = epoch

    def left(self, step: int) -> str:
        """Return the time that the run takes after so many steps of this epoch, such as 5 min."""
        side, _ = self._plan[self._epoch]
        done = _pixels(self._plan[self._first : self._epoch]) + side**2 * step
        rest = _pixels(self._plan[self._first :]) - done
        minutes = (time.monotonic() - self._began) * rest / done / 60
        return (
            f"{minutes // 60:.0f} h {minutes % 60:02.0f} min"
            if minutes >= 60
            else (f"{minutes:.0f} min")
        )

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if not self._live:
            return
        (side, steps), step = self._plan[self._epoch], batch + 1
        done = _BAR * step // steps
        sys.stderr.write(
            f"\r\x1b[Kepoch {self._epoch + 1} of {len(self._plan)}, {side} px"
            f"  {'█' * done}{'░' * (_BAR - done)} {step}/{steps} steps"
            f"  loss {float((logs or {}).get('loss', float('nan'))):.3f}  {self.left(step)} left"
        )
        sys.stderr.flush()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _pixels(plan: Sequence[tuple[int, int]]) -> int:
    return sum(side**2 * steps for side, steps in plan)
