"""The door of the live page: who pressed START comes in, or waits where the room is full."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.live.stream import SILENCE_S, LiveStream
from emorec.monitoring import TURNED_AWAY
from emorec.pages.parts.engine import room

_LOOK_EVERY_S = 2.0
_IN, _OVER = "live in", "live over"
_WAITS, _CALLED, _TURNED_AWAY = "live waits", "live called", "live turned away"


def component_key() -> str:
    """Return the key of the component that START is in; whoever is turned away gets a new one.

    So the offer that the browser made is never answered, and its camera goes off.
    """
    return f"webcam {st.session_state.get(_TURNED_AWAY, 0)}"


def let_in(stream: LiveStream, meanwhile: StreamlitPage | None = None) -> bool:
    """Give a visitor who has pressed START a place, or show that there is none.

    Args:
        stream: the visitor's.
        meanwhile: the page that one who waits is sent to; None: none is.

    Returns:
        Whether the component is to be shown.
    """
    state = st.session_state
    if _asks() and _IN not in state:
        state.pop(_CALLED, None)
        if room().enter(stream):
            state[_IN] = True
        else:
            TURNED_AWAY.inc()
            state[_TURNED_AWAY] = state.get(_TURNED_AWAY, 0) + 1
            state[_WAITS] = True
    if _WAITS in state:
        st.fragment(_wait, run_every=_LOOK_EVERY_S)(stream, meanwhile)
        return False
    if _CALLED in state and stream.live:
        st.success(
            f"**A place is free.** It is kept for you for {SILENCE_S:.0f} seconds: press START.",
            icon=":material/meeting_room:",
        )
    return True


def over(stream: LiveStream) -> bool:
    """Return whether a session has ended by silence while its tab still believes in it.

    After STOP the picture ends a moment before the component says so: that is no silence.
    """
    return _IN in st.session_state and _asks() and stream.silent


def goes_on(stream: LiveStream, playing: bool, ended: bool) -> bool:
    """Return whether the picture runs or is about to; else give the place back.

    Args:
        stream: the visitor's.
        playing: what the component says.
        ended: what `over` said before the component was shown, and thus told to stop.
    """
    state = st.session_state
    if playing and not ended:
        state.pop(_OVER, None)
        return True
    if playing:
        state[_OVER] = True
    elif state.pop(_IN, None):
        room().leave(stream)
        if ended:  # back from another page: a component that is told to stop has no START
            st.rerun()
    if _OVER in state:
        st.warning(
            f"No picture came from your camera for {SILENCE_S:.0f} seconds: this session is over. "
            "Press START to go on; if no picture comes at all, the connection check tells why.",
            icon=":material/videocam_off:",
        )
    return False


def _asks() -> bool:
    context = st.session_state.get(component_key())
    return context is not None and (context.state.playing or context.state.signalling)


def _wait(stream: LiveStream, meanwhile: StreamlitPage | None) -> None:
    """Say that the room is full until it no longer is."""
    if room().enter(stream):
        del st.session_state[_WAITS]
        st.session_state[_CALLED] = True
        st.rerun()
    st.info(
        f"**The room is full:** {room().live} of {room().places} places for live pictures are "
        "taken. Stay on this page: as soon as one is free it lets you in. Until then your camera "
        "is off.",
        icon=":material/groups:",
    )
    if meanwhile is not None:
        st.page_link(
            meanwhile,
            label=f"The {meanwhile.title} page is open: read a picture or take a shot there",
            icon=":material/photo_library:",
        )
