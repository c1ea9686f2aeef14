"""The Sessions page."""

from __future__ import annotations

import streamlit as st

from emorec.errors import EmorecError
from emorec.pages.parts import keeping
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.visit import visit
from emorec.pages.sessions import compared, listed, opened
from emorec.pages.sessions.state import Shown, show_list
from emorec.words import _


def render() -> None:
    """Show the page."""
    st.set_page_config(page_title=f"EmoRec · {_('Sessions')}")
    own = visit().state(Shown)
    try:
        store, seen = keeping.store(), keeping.seen()
        if own.opened is not None:
            opened.show(store, own.opened, seen)
        elif own.compared:
            compared.show(store, own.compared, seen)
        else:
            listed.show(store, seen)
    except EmorecError as error:  # the store does not answer, or the session is gone
        st.error(plain(str(error)))
        if own.opened is not None or own.compared:
            st.button(_("All sessions"), icon=":material/arrow_back:", on_click=show_list)
    keeping.remember()  # last, as what sets the cookie takes a line that nobody sees
