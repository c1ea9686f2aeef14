"""Keeping a live session: what is asked before, what runs meanwhile, and what it says of itself.

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
from emorec.pages.parts import keeping
from emorec.pages.parts.consent import Consent
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.visit import State, visit
from emorec.sessions.timeline import Timeline
from emorec.words import N_, _

if TYPE_CHECKING:  # it loads SQLAlchemy, for which no picture should wait
    from emorec.sessions.keeper import Keeper

_WORK = N_("At work or in education")

PURPOSES = (
    N_("An event: a talk, a demonstration"),
    N_("Research, with the consent of all in view"),
    N_("Private use"),
    _WORK,
)

_PROHIBITED = N_(
    "In the EU, inferring emotions **at work or in education is prohibited**, save for medical or "
    "safety reasons ([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj)). "
    "Nothing is kept until you confirm that this does not apply."
)


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
        _begin(stream, own, visit().state(Consent).purpose or PURPOSES[0], from_start=True)
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
    """Ask what the session is kept for, and who agrees."""
    group_only = own.group_only or stream.view.group_only
    purpose = st.radio(
        _("What for?"),
        PURPOSES,
        index=None,
        format_func=_,
        key="keep_for",
        persist_state="session",
    )
    if purpose == _WORK:
        st.warning(_(_PROHIBITED), icon=":material/gavel:")
        st.checkbox(
            _("It does not apply: we are not in the EU, or it is for medical or safety reasons."),
            key="keep not prohibited",
        )
    st.markdown(keeping.what())
    if stream.live:
        st.checkbox(_("From START on, not only from now on"), key="keep from start")
    if not group_only:
        st.checkbox(_("Single faces too: a number a face, no name"), key="keep faces")
    st.checkbox(_("Everyone in view knows and agrees that this is kept."), key="keep agreed")
    st.button(
        _("Keep this session"),
        type="primary",
        key="keep session",
        disabled=_agreed_purpose() is None,
        on_click=_press,
        args=(stream, own),
    )


def _agreed_purpose() -> str | None:
    """Return the purpose as the form holds it now; None unless all that is needed is confirmed."""
    purpose = st.session_state.get("keep_for")
    allowed = purpose != _WORK or st.session_state.get("keep not prohibited") is True
    agreed = st.session_state.get("keep agreed") is True
    return purpose if purpose in PURPOSES and allowed and agreed else None


def _press(stream: LiveStream, own: LivePicture) -> None:
    """Keep the session; checked once more: a browser can press a button that is switched off."""
    purpose = _agreed_purpose()
    if purpose is not None and keeping.offered():
        from_start = not stream.live or st.session_state.get("keep from start") is True
        _begin(stream, own, purpose, from_start, st.session_state.get("keep faces") is True)


def _begin(
    stream: LiveStream,
    own: LivePicture,
    purpose: str,
    from_start: bool,
    keeps_faces: bool = False,
) -> None:
    from emorec.sessions.keeper import Keeper
    from emorec.sessions.kept import About
    from emorec.sessions.store import open_sessions

    timeline = stream.timeline
    if timeline is None or own.reader is None:
        st.toast(_("There is no picture yet to keep."))
        return
    group_only = own.group_only or stream.view.group_only
    about = About(
        owner=keeping.owner(),
        started_at=timeline.clock_start,
        purpose=purpose,
        made_with=own.reader.made_with,
        group_only=group_only,
        keeps_faces=keeps_faces and not group_only,
        keep_days=keeping.days(),
    )
    kept = visit().state(Keeping)
    kept.close()
    kept.timeline = timeline
    kept.keeper = Keeper(timeline, partial(open_sessions, deployment()), about, from_start)
