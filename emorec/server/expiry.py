"""Ends what is over while the app runs: kept sessions after their days, and tabs that were closed.

Opening the store deletes kept sessions whose days are over, as **Keep** and the Sessions page do.
Here it is opened where nobody does either for weeks.
"""

from __future__ import annotations

import asyncio
import logging

from anyio import to_thread
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from emorec.deployment import Deployment
from emorec.errors import EmorecError

log = logging.getLogger(__name__)

_FIRST_S = 30.0  # after the first pages: SQLAlchemy takes a second to load
_EVERY_S = 3600.0
_TABS_EVERY_S = 10.0


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


async def let_go_of_closed_tabs() -> None:
    """Have Streamlit let go of closed tabs after its two minutes; runs until it is cancelled.

    It would do so only when the next tab is closed: on a quiet server all that a visitor left was
    held for hours. 96 tabs of one attacker held 288 open files.
    """
    while True:
        await asyncio.sleep(_TABS_EVERY_S)
        if Runtime.exists():
            manager = Runtime.instance()._session_mgr
            assert isinstance(manager, WebsocketSessionManager)
            assert isinstance(manager._session_storage, MemorySessionStorage)
            _let_go(manager._session_storage)


def _let_go(storage: MemorySessionStorage) -> None:
    storage._cache.expire()  # type: ignore[attr-defined]  # a TTLCache of cachetools
