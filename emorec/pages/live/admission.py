"""How a visitor comes into the Live page's room: START, a place or a wait, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from emorec.live.stream import SILENCE_S, LiveStream
from emorec.monitoring import TURNED_AWAY
from emorec.pages.live.connection import open_check
from emorec.pages.parts.engine import room
from emorec.pages.parts.visit import State, visit
from emorec.words import _

_TRY_EVERY_S = 2.0


@dataclass
class Admission(State):
    """Where a visitor stands between pressing START and the end of the session.

    Attributes:
        times_refused: how often START was refused, as where the room was full.
        refusal: one line that says why the last START was refused; None: it was not, or the room
            was full.
        waits: whether the visitor waits for a place.
        called: whether a place has become free for the visitor, who has not yet pressed START.
        has_place: whether the visitor has a place and has not given it back.
        fell_silent: whether the last session ended because no picture came from the camera.
        example: where the visitor has pressed "Try an example": ``"asked"`` until its component
            connects, then ``"on"`` until it ends; None: the camera is the source.
    """

    times_refused: int = 0
    refusal: str | None = None
    waits: bool = False
    called: bool = False
    has_place: bool = False
    fell_silent: bool = False
    example: Literal["asked", "on"] | None = None


def component_key() -> str:
    """Return the key of the component that START is in; a visitor who is refused gets a new one.

    So the offer that the browser made is never answered, and its camera goes off. The example has
    a component of its own.
    """
    own = visit().state(Admission)
    return f"{'example' if own.example else 'webcam'} {own.times_refused}"


def ask_for_example() -> None:
    """Start the example in the next run of the page; a callback."""
    visit().state(Admission).example = "asked"


def wanted(ended: bool) -> bool | None:
    """Return whether the component is told to play, True, or to stop, False; None: neither.

    A component that is told either shows no button of its own.
    """
    if ended:
        return False
    asked = visit().state(Admission).example == "asked"
    return True if asked and not start_pressed() else None


def let_in(stream: LiveStream) -> bool:
    """Give a visitor who has pressed START a place; return whether the visitor need not wait."""
    own = visit().state(Admission)
    if start_pressed() and not own.has_place:
        own.called = False
        own.refusal = None
        if room().enter(stream, st.context.ip_address):
            own.has_place = True
            stream.problem = None
        else:
            TURNED_AWAY.inc()
            own.times_refused += 1
            own.waits = True
            own.example = None
    if own.waits:
        return False
    if own.refusal:
        st.error(own.refusal)
    if own.called and stream.live:
        st.success(
            _(
                "**A place is free.** It is kept for you for {seconds} seconds: press "
                "**Start camera**."
            ).format(seconds=f"{SILENCE_S:.0f}"),
            icon=":material/meeting_room:",
        )
    return True


def full(stream: LiveStream) -> bool:
    """Return whether START would only be refused: others have all places."""
    has_place = visit().state(Admission).has_place or stream.live or start_pressed()
    return not has_place and room().live >= room().places


def show_full(stream: LiveStream, meanwhile: StreamlitPage | None) -> None:
    """Say that the room is full, in place of START, until there is a place.

    Args:
        stream: the visitor's.
        meanwhile: the page that the visitor may use until then; None: none is.
    """
    with st.container(key="full", gap="small", vertical_alignment="center"):
        st.fragment(_wait, run_every=_TRY_EVERY_S)(stream)
        if meanwhile is not None:
            st.page_link(
                meanwhile,
                label=_("The {page} page is open: it needs no place").format(page=meanwhile.title),
                icon=":material/photo_library:",
            )


def over(stream: LiveStream) -> bool:
    """Return whether the server has ended a session that the component still reports as playing.

    After STOP the picture ends a moment before the component reports it: the visitor ended it.
    """
    ended = stream.silent or stream.problem is not None
    return visit().state(Admission).has_place and start_pressed() and ended


def refuse(stream: LiveStream, why: str) -> NoReturn:
    """Give back the place of a visitor whose offer is refused, and run the page again.

    Args:
        stream: the visitor's.
        why: one line, for the visitor.
    """
    own = visit().state(Admission)
    own.times_refused += 1
    own.refusal = why
    own.has_place = False
    own.example = None
    room().leave(stream)
    st.rerun()


def goes_on(stream: LiveStream, playing: bool, ended: bool) -> bool:
    """Return whether the picture runs or is about to; else give the place back.

    Args:
        stream: the visitor's.
        playing: what the component says.
        ended: what `over` said before the component was shown, and thus told to stop.
    """
    own = visit().state(Admission)
    if playing and not ended:
        own.fell_silent = False
        if own.example:
            own.example = "on"
        return True
    if playing:
        own.fell_silent = stream.problem is None
    elif own.has_place:
        own.has_place = False
        room().leave(stream)
        was_example = own.example == "on"
        own.example = None
        if (
            ended or was_example
        ):  # a component that is told to stop, or of the example, has no START
            st.rerun()
    if stream.problem:
        st.warning(_(stream.problem), icon=":material/videocam_off:")
    if own.fell_silent:
        st.warning(
            _(
                "No picture came from your camera for {seconds} seconds: this session is over. "
                "Start again to go on; if no picture comes at all, the connection check tells why."
            ).format(seconds=f"{SILENCE_S:.0f}"),
            icon=":material/videocam_off:",
        )
        st.button(_("Open the connection check"), on_click=open_check, key="check after silence")
    return False


def start_pressed() -> bool:
    """Return whether the component connects or plays, as it said last."""
    context = st.session_state.get(component_key())
    return context is not None and (context.state.playing or context.state.signalling)


def _wait(stream: LiveStream) -> None:
    """Say that the room is full until a place in it is free; who has pressed START gets it."""
    own = visit().state(Admission)
    if own.waits and room().enter(stream, st.context.ip_address):
        own.waits, own.called = False, True
        st.rerun()
    if not own.waits and room().watch(stream, st.context.ip_address):
        st.rerun()
    taken, places = room().live, room().places
    st.info(
        _(
            "**The room is full:** {taken} of {places} places for live pictures are taken, and the "
            "example needs one too. Stay on this page: it tries again by itself every {seconds} "
            "seconds, and your camera is off until then."
        ).format(taken=taken, places=places, seconds=f"{_TRY_EVERY_S:.0f}"),
        icon=":material/groups:",
    )
