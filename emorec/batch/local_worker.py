"""What Dask runs in each worker of this machine before its first task (``preload``)."""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Leave Ctrl+C to the command: a terminal sends it to the workers too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
