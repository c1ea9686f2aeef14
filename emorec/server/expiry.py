"""Deletes kept sessions whose days are over: soon after the start, and again while the app runs.

Opening the store deletes them, as **Keep** and the Sessions page do. Here it is opened where nobody
does either for weeks.
"""

from __future__ import annotations

import asyncio
import logging

from anyio import to_thread

from emorec.deployment import Deployment
from emorec.errors import EmorecError

log = logging.getLogger(__name__)

_FIRST_S = 30.0  # after the first pages: SQLAlchemy takes a second to load
_EVERY_S = 3600.0


async def sweep(chosen: Deployment) -> None:
    """Delete them again and again; runs until it is cancelled.

    Args:
        chosen: says where sessions are kept.
    """
    await asyncio.sleep(_FIRST_S)
    while True:
        try:
            await to_thread.run_sync(_delete, chosen)
        except EmorecError as error:  # nothing is lost: they are never shown
            log.warning("sessions whose days are over were not deleted: %s", error)
        await asyncio.sleep(_EVERY_S)


def _delete(chosen: Deployment) -> None:
    from emorec.database.engine import is_made
    from emorec.sessions.store import open_sessions

    # A store that is not there yet holds none, and is made by those who keep something.
    if is_made(chosen.database_url, chosen.data_folder):
        open_sessions(chosen).close()
