"""Changes of Uvicorn, Starlette and Streamlit: connections, uploads, downloads."""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

import streamlit as st
from starlette.formparsers import MultiPartParser
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.watcher.polling_path_watcher import PollingPathWatcher
from uvicorn.protocols.http import h11_impl

from emorec.server.connections import count
from emorec.server.uploads import FILE_BYTES

_MB = 2**20


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


def read_the_theme_once() -> None:
    """`streamlit.runtime.app_session._populate_theme_msg`: what it found is used again.

    Streamlit sends the whole theme with every run of a page, and reads all its options for that,
    six times over (`AppSession._create_new_session_message`). A live picture's page runs twice a
    second: that was a tenth of what the event loop did. A change of the theme needs a new start.
    """
    populate = app_session._populate_theme_msg

    @cache
    def theme(section: str) -> CustomThemeConfig:
        found = CustomThemeConfig()
        populate(found, section)
        return found

    def populate_again(message: CustomThemeConfig, section: str = "theme") -> None:
        if (found := theme(section)).ByteSize():  # else the section is not set, and stays so
            message.MergeFrom(found)

    app_session._populate_theme_msg = populate_again


def wake_the_sender_once() -> None:
    """`streamlit.runtime.runtime.Runtime._enqueued_some_message`: not where it is awake already.

    Every message of a page's run, some forty, wakes the loop that sends them. That loop forgets
    that it was woken before it looks what there is to send (`Runtime._loop_coroutine`).
    """
    wake = Runtime._enqueued_some_message

    def wake_if_asleep(runtime: Runtime) -> None:
        if not runtime._get_async_objs().need_send_data.is_set():
            wake(runtime)

    Runtime._enqueued_some_message = wake_if_asleep  # type: ignore[method-assign]


def look_at_no_files() -> None:
    """`streamlit.watcher.polling_path_watcher.PollingPathWatcher._schedule`: does nothing.

    Without a watcher (`server.fileWatcherType` is "none") Streamlit still looks at each of its own
    settings' files five times a second, in four threads, each of which needs Python's lock for it
    (`streamlit.web.bootstrap._install_config_watchers`). A change of them needs a new start.
    """
    if st.get_option("server.fileWatcherType") == "none":
        PollingPathWatcher._schedule = lambda watcher: None  # type: ignore[method-assign]
