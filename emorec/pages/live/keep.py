"""Keeping a live session: what runs meanwhile, and what it says of itself.

The page hands everything to a `Keeper`, which works on a thread of its own: neither the picture nor
the page waits for the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from emorec.clock import clock
from emorec.live.stream import LiveStream
from emorec.pages.live.state import LivePicture
from emorec.pages.parts import keep_form, keeping
from emorec.pages.parts.consent import Consent
from emorec.pages.parts.visit import State, visit
from emorec.sessions.timeline import Timeline
from emorec.words import _

if TYPE_CHECKING:  # it loads SQLAlchemy, for which no picture should wait
    from emorec.sessions.keeper import Keeper


@dataclass
class Keeping(State):
    """What keeps this visitor's live session; withdrawing the consent ends it.

    Attributes:
        keeper: the last one.
        timeline: of the session that it keeps.
    """

    keeper: Keeper | None = None
    timeline: Timeline | None = None

    def close(self) -> None:
        if self.keeper is not None:
            self.keeper.close()


def keeper_of(stream: LiveStream) -> Keeper | None:
    """Return what keeps the stream's session; None: it was not asked for."""
    own = visit().state(Keeping)
    return own.keeper if own.timeline is not None and own.timeline is stream.timeline else None


def update(stream: LiveStream, own: LivePicture) -> None:
    """Keep a session from START on where the deployer wants that; heed Group only meanwhile."""
    keeper = keeper_of(stream)
    if keeper is None and keeping.from_start() and stream.timeline and not own.is_example:
        _begin(
            stream, own, visit().state(Consent).purpose or keep_form.PURPOSES[0], from_start=True
        )
    elif keeper is not None and own.group_only:
        keeper.groups_only()


def button(stream: LiveStream, own: LivePicture) -> None:
    """Offer to keep the session that runs, or to end that."""
    if not keeping.offered():
        return
    keeper = keeper_of(stream)
    if keeper is not None and keeper.state == "keeping":
        with st.popover(_("Kept"), icon=":material/bookmark_added:", key="kept", width="content"):
            since = clock(keeper.first_s)
            says = _("This session is being kept from {time} on.").format(time=since)
            st.markdown(f"{says} {keeping.what()}")
            st.button(_("Stop keeping"), key="stop keeping", on_click=keeper.close)
        return
    with st.popover(_("Keep"), icon=":material/bookmark_add:", key="keep", width="content"):
        _ask(stream, own)


def form(stream: LiveStream, own: LivePicture) -> None:
    """Offer to keep the session that is over, in its report: nothing of that is covered."""
    if not keeping.offered():
        return
    with st.expander(_("Keep this session"), icon=":material/bookmark_add:", key="keep form"):
        _ask(stream, own)


def kept_part(keeper: Keeper, timeline: Timeline) -> str:
    """Return what of a session that is over is kept, in words; "" where it is all of it."""
    begins = keeper.first_s > timeline.span_s[0]
    ends_s = keeper.written_s if keeper.state == "ended" else None
    ends = ends_s is not None and ends_s < timeline.span_s[1]
    if begins and ends:
        return _("from {first} to {last}").format(
            first=clock(keeper.first_s), last=clock(ends_s or 0.0)
        )
    if ends:
        return _("until {date}").format(date=clock(ends_s or 0.0))
    return _("from {time} on").format(time=clock(keeper.first_s)) if begins else ""


def change_marker(stream: LiveStream, number: int, label: str | None) -> None:
    """Rename a marker of the session, or remove it where the label is None; kept too, if it is.

    Raises:
        EmorecError: the label is not allowed, or the store does not answer.
    """
    timeline, keeper = stream.timeline, keeper_of(stream)
    assert timeline is not None, "only a session that has begun has markers"
    if label is None:
        timeline.remove_marker(number)
    else:
        timeline.rename_marker(number, label)
    # One that still keeps writes them itself, so that no page waits for the store.
    if keeper is not None and keeper.state == "ended" and keeper.session_id is not None:
        keeping.store().set_markers(keeper.session_id, timeline.markers)


def problem(stream: LiveStream) -> str | None:
    """Return one line where the session could not be kept, or is no longer kept."""
    keeper = keeper_of(stream)
    return keeper.problem if keeper is not None else None


def _ask(stream: LiveStream, own: LivePicture) -> None:
    group_only = own.group_only or stream.view.group_only
    keep_form.ask(partial(_press, stream, own), not group_only, _ask_since if stream.live else None)


def _ask_since() -> None:
    st.checkbox(_("From START on, not only from now on"), key="keep from start")


def _press(stream: LiveStream, own: LivePicture, purpose: str, keeps_faces: bool) -> None:
    from_start = not stream.live or st.session_state.get("keep from start") is True
    _begin(stream, own, purpose, from_start, keeps_faces)


def _begin(
    stream: LiveStream,
    own: LivePicture,
    purpose: str,
    from_start: bool,
    keeps_faces: bool = False,
) -> None:
    timeline = stream.timeline
    if timeline is None or own.reader is None:
        st.toast(_("There is no picture yet to keep."))
        return
    kept = visit().state(Keeping)
    kept.close()
    kept.timeline = timeline
    kept.keeper = keep_form.begin(
        timeline,
        timeline.clock_start,
        own.reader.made_with,
        purpose,
        group_only=own.group_only or stream.view.group_only,
        keeps_faces=keeps_faces,
        from_start=from_start,
    )
