"""Changes of Uvicorn, Starlette and Streamlit: connections, uploads, downloads, presses."""

from __future__ import annotations

from pathlib import PurePosixPath

from starlette.formparsers import MultiPartParser
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.media_file_manager import MediaFileManager
from uvicorn.protocols.http import h11_impl

from emorec.server.connections import count
from emorec.server.uploads import FILE_BYTES

_MB = 2**20
_PRESSES = {"trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"}
"""What a widget's state holds for one run only (`WidgetState` of `streamlit.proto`)."""


def limit_connections() -> None:
    """`uvicorn.protocols.http.h11_impl.H11Protocol`: a cap, a share for each address, a time-out.

    Uvicorn takes any number of connections, and waits for ever for the rest of a request's headers
    (`H11Protocol.data_received` stops its only timer). A WebSocket is no more counted here:
    `emorec.server.connections.TabRoom` counts it. Streamlit passes no such setting on to Uvicorn
    (`streamlit.web.server.starlette.starlette_server._get_uvicorn_config_kwargs`).
    """
    count(h11_impl.H11Protocol)


def keep_uploads_in_memory() -> None:
    """`starlette.formparsers.MultiPartParser.spool_max_size`: more than an upload may have.

    Starlette would write an upload of more than a megabyte to a temporary file
    (`MultiPartParser.on_headers_finished`); EmoRec writes no picture to a disk. To be an argument:
    https://github.com/Kludex/starlette/pull/3190.
    """
    MultiPartParser.spool_max_size = FILE_BYTES + _MB


def keep_downloads_until_the_next_run() -> None:
    """`streamlit.runtime.media_file_manager.MediaFileManager.execute_deferred`: keeps what it made.

    Streamlit makes a download when its button is pressed, and deletes it when two more runs of any
    visitor's page have ended (`remove_orphaned_files`). A live picture's page runs twice a second,
    so a browser that asks half a second later got an error page in place of its file.
    """
    make = MediaFileManager.execute_deferred

    def make_and_keep(manager: MediaFileManager, file_id: str) -> str:
        url = make(manager, file_id)
        with manager._lock:
            if entry := manager._deferred_callables.get(file_id):
                files = manager._files_by_session_and_coord[entry["session_id"]]
                # Until the visitor's next run of the whole page, or the end of the visit.
                files[f"made {file_id}"] = PurePosixPath(url).stem
        return url

    MediaFileManager.execute_deferred = make_and_keep  # type: ignore[assignment, method-assign]


def take_each_press_once() -> None:
    """`streamlit.runtime.app_session.AppSession.request_rerun`: no press with a run that is due.

    Streamlit's frontend stores a press with the states of all widgets, and sends them in a
    `setTimeout`, which then forgets the press (`WidgetStateManager.setTriggerValue`,
    `scheduleFlush`). A fragment's timer (`run_every`, `App.handleAutoRerun`) may come first on a
    busy machine; it sends the same states, so the press arrived twice and its callback ran twice.
    About one press in six did with two cores at a load of 15.
    """
    request = AppSession.request_rerun

    def request_without_presses(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is not None and client_state.is_auto_rerun:
            states = client_state.widget_states.widgets
            kept = [state for state in states if state.WhichOneof("value") not in _PRESSES]
            del states[:]
            states.extend(kept)
        request(session, client_state)

    AppSession.request_rerun = request_without_presses  # type: ignore[assignment, method-assign]
