"""What the pages keep of one visitor: in one place, and forgotten with the consent by default.

Streamlit keeps the values of its widgets itself. All else that a page has to know in its next run
is a `State`, found by its class, and held by the visitor's `Visit`.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_KEY = "visit"


class State:
    """One kind of what the pages keep of a visitor; the base of all of them.

    A subclass must take no arguments. What it holds is forgotten when the visitor withdraws the
    consent, unless it sets ``outlives_consent``. Only a kind may do so that neither comes from a
    picture nor was given with the consent.
    """

    outlives_consent: ClassVar[bool] = False

    def close(self) -> None:
        """Stop what runs for this state; called once, when the state is forgotten."""


Kind = TypeVar("Kind", bound=State)


class Visit:
    """The states of one visitor, from the first page until the tab is closed.

    Only the thread that runs the visitor's pages uses it. A thread that works on a picture is given
    what it works on.
    """

    def __init__(self) -> None:
        self._states: dict[type[State], State] = {}

    def state(self, kind: type[Kind]) -> Kind:
        """Return the visitor's state of this kind; the first call makes it."""
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = kind()
        assert isinstance(found, kind)
        return found

    def drop(self, kind: type[State]) -> None:
        """Close and forget the state of one kind; does nothing where there is none."""
        state = self._states.pop(kind, None)
        if state is not None:
            state.close()

    def forget(self) -> None:
        """Close and forget every state that does not outlive the consent, and all files sent here.

        Streamlit empties the widgets that files were given to, since the next run shows none of
        them. The files' contents it would keep until the tab is closed.
        """
        former = self._states
        self._states = {kind: state for kind, state in former.items() if kind.outlives_consent}
        context = get_script_run_ctx()
        if context is not None:
            context.uploaded_file_mgr.remove_session_files(context.session_id)
        for kind, state in former.items():
            if not kind.outlives_consent:
                state.close()


def visit() -> Visit:
    """Return what is kept of the visitor whose page runs in this thread."""
    found: Visit = st.session_state.setdefault(_KEY, Visit())
    return found
