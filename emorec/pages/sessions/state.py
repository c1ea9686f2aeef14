"""What the Sessions page shows a visitor: the list, one session, or several compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from emorec.pages.parts.visit import State, visit
from emorec.words import N_, _

SOURCES = {"example": N_("Example, not a camera"), "video": N_("Video, not a camera")}
"""What is said of sessions whose pictures came from elsewhere."""

_CHOSEN = "session chosen "  # begins the keys of the boxes that choose sessions


@dataclass
class Shown(State):
    """What is shown.

    Attributes:
        opened: number of the session that is open; None: none is.
        compared: numbers of the sessions that are compared; empty: none are.
        chosen: numbers of those chosen in the list.
        page: of the list, from 0.
    """

    opened: int | None = None
    compared: tuple[int, ...] = ()
    chosen: set[int] = field(default_factory=set)
    page: int = 0


def show_list() -> None:
    """Show the list in the next run."""
    own = visit().state(Shown)
    own.opened, own.compared = None, ()


def open_session(id_: int) -> None:
    """Show one session in the next run."""
    visit().state(Shown).opened = id_


def compare_chosen() -> None:
    """Compare the sessions chosen, in the next run."""
    own = visit().state(Shown)
    own.compared = tuple(sorted(own.chosen))


def choose(id_: int) -> None:
    """Let the visitor choose a session, to compare it."""
    chosen = visit().state(Shown).chosen
    key = f"{_CHOSEN}{id_}"

    def change() -> None:
        (chosen.add if st.session_state[key] else chosen.discard)(id_)

    st.checkbox(_("Compare"), id_ in chosen, key=key, on_change=change)
