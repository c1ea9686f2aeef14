"""What is changed in other libraries: still there to be changed, and changed once."""

from __future__ import annotations

import asyncio
import inspect
import pkgutil
import re
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import aioice.ice
import aiortc.codecs
import pytest
from aiortc import RTCPeerConnection, rtcrtpreceiver
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from emorec.live.bandwidth import LineEstimator
from emorec.live.vp8 import Vp8Encoder
from emorec.server import patches

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def applied():
    patches.apply()


@pytest.mark.parametrize(("library", "checked"), patches.CHECKED.items())
def test_the_libraries_are_those_that_the_patches_were_checked_against(library, checked):
    told = "read the places that emorec/server/patches/ names again, then change CHECKED there"
    assert version(library) == checked, told
    pinned = re.findall(
        rf"^{library}==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE
    )
    assert pinned in ([checked], []), told


# app.py applies them.
LATER = [
    "end_connections_of_other_pages_only",
    "answer_offers_that_were_checked",
    "skip_the_end_of_candidates",
]
PATCHES = {
    name: patch
    for module in pkgutil.iter_modules(patches.__path__, f"{patches.__name__}.")
    for name, patch in inspect.getmembers(pkgutil.resolve_name(module.name), inspect.isfunction)
    if patch.__module__ == module.name
}


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_begins_with_what_it_replaces_in_a_library_that_was_checked(name):
    first, _, why = PATCHES[name].__doc__.partition("\n")
    replaced = re.findall(r"`((?!emorec)[a-z_]+(?:\.\w+)+)`", first)
    assert replaced and (why.strip() or "says why" in first)
    for place in replaced:
        assert place.partition(".")[0].replace("_", "-") in patches.CHECKED
        assert pkgutil.resolve_name(place) is not None


def test_every_library_that_was_checked_is_one_that_is_patched():
    places = " ".join(patch.__doc__ for patch in PATCHES.values())
    for library in patches.CHECKED:
        assert f"`{library.replace('-', '_')}." in places


def test_every_patch_is_applied_and_once_only():
    applied = re.findall(r"^    \w+\.(\w+)\(\)$", inspect.getsource(patches), re.MULTILINE)
    assert sorted(applied + LATER) == sorted(PATCHES)
    app = (ROOT / "app.py").read_text(encoding="utf-8")
    assert re.findall(r"^    component\.(\w+)\(\)$", app, re.MULTILINE) == LATER
    received = aioice.ice.StunProtocol.datagram_received
    patches.apply()
    assert aioice.ice.StunProtocol.datagram_received is received


def test_a_download_outlives_the_other_visitors_runs_until_the_visitors_own_next():
    files = MediaFileManager(MemoryMediaFileStorage("/media"))
    asked = files.add_deferred(lambda: b"a,b", "text/csv", "", "session.csv")
    made = files.execute_deferred(asked)
    name = made.removeprefix("/media/")
    for _ in range(4):
        files.remove_orphaned_files()
    assert files._storage.get_file(name).content == b"a,b"
    files.clear_session_refs()
    for _ in range(2):
        files.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        files._storage.get_file(name)


def test_a_run_that_is_due_brings_no_press_with_it():
    class Runner:
        def request_rerun(self, data):
            asked.append({state.id for state in data.widget_states.widgets})
            return True

    asked = []
    session = SimpleNamespace(
        _state=AppSessionState.APP_IS_RUNNING,
        _scriptrunner=Runner(),
        has_fragment=lambda fragment: True,
    )
    for due in (True, False):
        told = ClientState(fragment_id="readings", is_auto_rerun=due)
        told.widget_states.widgets.add(id="mark", trigger_value=True)
        told.widget_states.widgets.add(id="seats", json_trigger_value="[{}]")
        told.widget_states.widgets.add(id="blur", bool_value=True)
        AppSession.request_rerun(session, told)
    assert asked == [{"blur"}, {"mark", "seats", "blur"}]


def test_firefoxs_empty_last_candidate_is_left_out_of_all_and_no_error(monkeypatch, caplog):
    from streamlit_webrtc.webrtc import WebRtcWorker

    patches.component.skip_the_end_of_candidates()
    patches.component.skip_the_end_of_candidates()
    added = []
    worker = WebRtcWorker.__new__(WebRtcWorker)
    worker._added_ice_candidate_ids = set()
    monkeypatch.setattr(WebRtcWorker, "add_ice_candidate", lambda self, one: added.append(one))
    host = "candidate:1 1 UDP 2122187007 192.0.2.7 50000 typ host"
    worker.set_ice_candidates_from_offerer(
        {"a": {"candidate": host, "sdpMid": "0"}, "b": {"candidate": "", "sdpMid": "0"}}
    )
    assert [one.ip for one in added] == ["192.0.2.7"] and not caplog.records


def test_a_connection_is_judged_answered_and_encoded_as_patched():
    async def answer() -> str:
        camera, server = RTCPeerConnection(), RTCPeerConnection()
        camera.addTransceiver("video", "sendrecv")
        try:
            await camera.setLocalDescription(await camera.createOffer())
            await server.setRemoteDescription(camera.localDescription)
            receiver = server.getTransceivers()[0].receiver
            estimator = receiver._RTCRtpReceiver__remote_bitrate_estimator
            assert isinstance(estimator, LineEstimator)
            return (await server.createAnswer()).sdp
        finally:
            await camera.close()
            await server.close()

    sdp = asyncio.run(answer())
    video = re.search(r"a=rtpmap:(\d+) VP8/90000", sdp).group(1)
    assert re.search(rf"a=fmtp:{video} .*x-google-start-bitrate=2500", sdp)
    codec = next(c for c in aiortc.codecs.CODECS["video"] if c.name == "VP8")
    assert isinstance(aiortc.codecs.get_encoder(codec), Vp8Encoder)
    assert rtcrtpreceiver.RemoteBitrateEstimator is LineEstimator
