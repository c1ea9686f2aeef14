"""Changes of streamlit-webrtc: what a page's live picture is connected to, and what ends it."""

from __future__ import annotations

from typing import Any

from aiortc.contrib.media import MediaRelay


def join_the_ends_directly() -> None:
    """`aiortc.contrib.media.MediaRelay.subscribe`: returns the track itself.

    streamlit-webrtc puts a relay between every two ends (`webrtc._process_offer_coro`), two of them
    before the picture that is sent, so that several consumers could share a track. There is one.
    The relays took a twelfth of the lock that a session takes, kept a picture more on its way, and
    a relay's task waited for ever where the track before it was stopped.
    """
    MediaRelay.subscribe = lambda relay, track, buffered=True: track  # type: ignore[assignment, method-assign]


def end_connections_of_other_pages_only() -> None:
    """`streamlit_webrtc.component.get_script_run_count`: how often another page was shown.

    streamlit-webrtc ends a connection whose component was left out of a run, as when another page
    is shown (`component._get_or_create_context`). It counts the runs that have ended, which it
    hears of too late on a busy machine: then one or two of a hundred visitors who pressed START
    lost the picture at once. `emorec.pages.live.webrtc.leave` counts instead.

    app.py applies it in a visitor's run: Streamlit serves the files of a component only if a run
    imported it first (`streamlit.components.v1.component_registry.declare_component`).
    """
    from streamlit_webrtc import component

    from emorec.pages.live import webrtc

    component.get_script_run_count = webrtc.times_left


def answer_offers_that_were_checked() -> None:
    """`streamlit_webrtc.webrtc._process_offer_coro`: checks an offer before it sets anything up.

    streamlit-webrtc sets up as many pictures, sounds and data channels as an offer names, and
    leaves it to the browser to end them. `emorec.pages.live.webrtc.CameraTrack.admit` says what is
    taken, and closes the connection when its stream is over. app.py applies it, for the same reason
    as the patch above.
    """
    from streamlit_webrtc import webrtc as library

    from emorec.pages.live import webrtc

    library._process_offer_coro = webrtc.process_offer  # type: ignore[assignment]


def skip_the_end_of_candidates() -> None:
    """`streamlit_webrtc.webrtc.WebRtcWorker.set_ice_candidates_from_offerer`: skips empty ones.

    Firefox ends its candidates with an empty one (RFC 8838, section 13). streamlit-webrtc cannot
    read it, and logs that as an ERROR in every run of the page. app.py applies it, for the same
    reason as the patch above.
    """
    from streamlit_webrtc.webrtc import WebRtcWorker

    take = WebRtcWorker.set_ice_candidates_from_offerer
    if getattr(take, "skips_empty", False):  # app.py applies it in every run
        return

    def take_those_with_text(worker: Any, candidates: dict[str, dict[str, Any]]) -> None:
        take(worker, {key: one for key, one in candidates.items() if one.get("candidate")})

    take_those_with_text.skips_empty = True  # type: ignore[attr-defined]
    WebRtcWorker.set_ice_candidates_from_offerer = take_those_with_text  # type: ignore[assignment, method-assign]
