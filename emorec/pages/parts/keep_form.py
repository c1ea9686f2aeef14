"""Keeping a session from a page: what is asked before, and what is said of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from emorec.pages.parts import keeping
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.language import worded
from emorec.words import N_, _

if TYPE_CHECKING:  # it loads SQLAlchemy, for which no picture should wait
    from emorec.sessions.keeper import Keeper, SessionRecord

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

Begin = Callable[[str, bool], None]
"""Begins to keep a session, for this purpose, with or without single faces."""


def ask(begin: Begin, faces: bool, also: Callable[[], object] | None = None) -> None:
    """Ask what a session is kept for, and who agrees.

    Args:
        begin: called once all that is needed is confirmed.
        faces: whether single faces can be kept too.
        also: shows what this page alone asks.
    """
    purpose = st.radio(
        _("What for?"),
        PURPOSES,
        index=None,
        format_func=_,
        key=worded("keep_for"),
        persist_state="session",
    )
    if purpose == _WORK:
        st.warning(_(_PROHIBITED), icon=":material/gavel:")
        st.checkbox(
            _("It does not apply: we are not in the EU, or it is for medical or safety reasons."),
            key="keep not prohibited",
        )
    st.markdown(keeping.what())
    if also is not None:
        also()
    if faces:
        st.checkbox(_("Single faces too: a number a face, no name"), key="keep faces")
    st.checkbox(_("Everyone in view knows and agrees that this is kept."), key="keep agreed")
    st.button(
        _("Keep this session"),
        type="primary",
        key="keep session",
        disabled=_agreed_purpose() is None,
        on_click=_press,
        args=(begin,),
    )


def _agreed_purpose() -> str | None:
    """Return the purpose as the form holds it now; None unless all that is needed is confirmed."""
    purpose = st.session_state.get(worded("keep_for"))
    allowed = purpose != _WORK or st.session_state.get("keep not prohibited") is True
    agreed = st.session_state.get("keep agreed") is True
    return purpose if purpose in PURPOSES and allowed and agreed else None


def _press(begin: Begin) -> None:
    """Begin; checked once more: a browser can press a button that is switched off."""
    purpose = _agreed_purpose()
    if purpose is not None and keeping.offered():
        begin(purpose, st.session_state.get("keep faces") is True)


def begin(
    session: SessionRecord,
    started_at: datetime,
    made_with: Mapping[str, Any],
    purpose: str,
    *,
    group_only: bool,
    keeps_faces: bool,
    from_start: bool = True,
    title: str = "",
) -> Keeper:
    """Begin to keep a session for this visitor; the arguments are those of `About` and `Keeper`."""
    from emorec.sessions.keeper import Keeper
    from emorec.sessions.kept import About
    from emorec.sessions.store import open_sessions

    about = About(
        owner=keeping.owner(),
        started_at=started_at,
        purpose=purpose,
        made_with=made_with,
        title=title,
        group_only=group_only,
        keeps_faces=keeps_faces and not group_only,
        keep_days=keeping.days(),
    )
    return Keeper(session, partial(open_sessions, deployment()), about, from_start)


def show_kept(keeper: Keeper, part: str = "") -> None:
    """Say of a session that is over that it is kept, and run the page again once it is written.

    Args:
        keeper: of the session; it has not given up.
        part: what of the session is kept, where that is not all of it.
    """
    says = _("**Kept** for {days} days")
    if not keeper.keeps_faces:
        says = _("**Kept** for {days} days, without single faces")
    where = _("see the Sessions page.")
    if part:
        where = _("**{part}**. The report below is of the whole session.").format(part=part)
    st.markdown(f":material/bookmark_added: {says.format(days=keeping.days())}: {where}")
    if keeper.state == "keeping":  # it writes the end, and may fail
        st.fragment(_wait, run_every=1.0)(keeper)


def _wait(keeper: Keeper) -> None:
    if keeper.state != "keeping":
        st.rerun()
