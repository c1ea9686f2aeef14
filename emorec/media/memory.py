"""The memory of this process: how much it has, how much it may take, and giving it back."""

from __future__ import annotations

import ctypes
import re
import sys
from contextlib import suppress
from pathlib import Path

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_STATUS = Path("/proc/self/status")
_DATA = re.compile(r"^VmData:\s*(\d+) kB", re.MULTILINE)


def keep_pictures_apart() -> None:
    """Have glibc ask the system for the memory of a picture, and give it back when it is freed.

    Otherwise, once a large block was freed, glibc takes the next ones from the memory that it keeps
    for each thread, between small blocks that stay in use: a server with visitors grew by megabytes
    a minute.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


def limit_growth(megabytes: int) -> None:
    """Let this process take so much more memory than it has now; more raises MemoryError.

    A C library may end the process instead. Only on Linux: other systems do not enforce it.
    """
    if sys.platform != "linux":
        return
    import resource

    with suppress(OSError):  # no /proc in this container
        found = _DATA.search(_STATUS.read_text())
        if found is not None:
            most = int(found[1]) * 1024 + megabytes * 2**20
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            if hard == resource.RLIM_INFINITY or most <= hard:
                resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
