"""The disk that uploaded videos lie on, and the queue of those that are read: of all visitors."""

from __future__ import annotations

import logging
from functools import cache

from emorec.errors import EmorecError
from emorec.jobs.disk import Disk
from emorec.jobs.job import Turns
from emorec.live.room import cores
from emorec.pages.parts.deployment import deployment

log = logging.getLogger(__name__)

_MB = 2**20


@cache
def disk() -> Disk | None:
    """Return where videos lie; None: there is no Video page.

    There is none where the deployer wants none, or where the folder cannot be used.
    """
    chosen = deployment()
    if not chosen.video_mb:
        return None
    try:
        return Disk(chosen.video_mb * _MB, chosen.video_disk_mb * _MB)
    except EmorecError as error:
        log.warning("there is no Video page: %s", error)
        return None


@cache
def turns() -> Turns:
    """Return the queue: one video at a time for two cores, as a process uses more than one."""
    return Turns(max(1, int(cores()) // 2))
