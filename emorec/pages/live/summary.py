"""What the session was, once it is over: its report, which single faces it tells, and its end."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from emorec.live.stream import LiveStream
from emorec.pages.live import keep
from emorec.pages.live.state import LivePicture
from emorec.pages.parts import report as parts
from emorec.pages.parts.keep_form import show_kept
from emorec.pages.parts.markdown import plain
from emorec.sessions import group
from emorec.sessions.report import Report, of_timeline
from emorec.sessions.room import LEAST_FACES
from emorec.sessions.texts import PURPOSE_MOST
from emorec.sessions.timeline import Timeline
from emorec.words import _

_LAST_READING_S = 5.0  # a reading takes less than one


def identity(stream: LiveStream) -> str | None:
    """Return what tells the last session from those before it; None: there is none."""
    return stream.timeline.clock_start.isoformat() if stream.timeline else None


def show(stream: LiveStream, made_with: dict[str, Any], own: LivePicture) -> None:
    """Show what the session was, once it is over, and ask whether to keep or discard it.

    Args:
        stream: what read it.
        made_with: the header of its rows.
        own: says whether it was an example, and whether totals alone are shown and taken away: no
            row of a single face.
    """
    stream.stop(_LAST_READING_S)  # its last reading counts, and then no number changes any more
    timeline = stream.timeline
    assert timeline is not None, "only a session that has begun is shown"
    st.header(_("The example") if own.is_example else _("Your session"), anchor=False)
    _end(stream, timeline, own)
    told = _told(timeline, made_with, own.group_only or stream.view.group_only)
    if told.group_only and not len(told.seconds):
        st.info(group.too_few(), icon=":material/groups:")
    elif told.summary.mean_valence is None:
        st.info(_("No face was read in this session."), icon=":material/person_off:")
    else:
        parts.show(told, "session", partial(keep.change_marker, stream))


def _end(stream: LiveStream, timeline: Timeline, own: LivePicture) -> None:
    """Ask what is to become of the session, or say what has."""
    keeper = keep.keeper_of(stream)
    if keeper is not None and keeper.state != "given up":
        show_kept(keeper, keep.kept_part(keeper, timeline))
    else:
        if keeper is not None and keeper.problem:
            st.error(plain(keeper.problem))
        if not own.is_example:
            st.markdown(
                _(
                    "**Keep or discard?** It is held in memory until you discard it or close this"
                    " tab; on disk, nothing."
                )
            )
        keep.form(stream, own)
        if not own.is_example:
            st.button(
                _("Discard this session"),
                icon=":material/delete:",
                key="discard",
                on_click=stream.discard,
            )
            return
    st.button(_("Back to the start"), type="primary", key="discard", on_click=stream.discard)


def _told(timeline: Timeline, made_with: dict[str, Any], group_only: bool) -> Report:
    """Return the report, with single faces where that is allowed and chosen."""
    if group_only or timeline.most_at_once <= LEAST_FACES:
        return of_timeline(timeline, made_with, group_only)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.toggle(
            _("Single faces too"),
            key=f"single faces {timeline.clock_start.isoformat()}",
            help=_(
                "More than {n} faces were in view, so the report and its files tell totals alone,"
                " unless you say what single faces are for."
            ).format(n=LEAST_FACES),
        )
        purpose = (
            st.text_input(_("What for?"), max_chars=PURPOSE_MOST, key="faces purpose")
            if wanted
            else ""
        )
    return of_timeline(
        timeline, made_with, single_faces=bool(purpose.strip()), purpose=purpose.strip()
    )
