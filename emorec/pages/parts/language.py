"""The language of the pages: the browser's, or the one that the visitor has chosen."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from emorec.pages.parts.deployment import deployment
from emorec.words import ENGLISH, LANGUAGES, best, language

AUTO = "auto"
_KEY = "language"
_NAME = "Language · Sprache"  # and what stands for the browser's: it needs no words

_STYLE = """
<style>
.st-key-language {
  position: fixed; top: 0.6rem; right: 3.25rem; width: 11.5rem !important; z-index: 999990;
}
:has(> .st-key-unseen-language) { position: absolute; }
[data-testid="stTopNav"] { max-width: calc(100% - 16rem); }
</style>
"""
"""Beside the menu, on every page in the same place: above Streamlit's header, and below the list of
pages that a phone opens over both. The row of pages ends before it; those that do not fit there
stand in a list at its end."""

_JS = """export default function ({ data }) {
  document.documentElement.lang = data.language;
}"""


def of_visitor() -> str:
    """Return the language of the visitor whose page runs in this thread; else English.

    It is looked up at each call: fragments and callbacks may run in a thread of their own.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    chosen = st.session_state.get(_KEY, deployment().language)
    return chosen if chosen in LANGUAGES else best(st.context.locale)


def worded(key: str, first: object = None) -> str:
    """Return the key of a choice among words, of which each language has its own.

    A browser tells by its words what is chosen. After a change of the language these words are no
    option any more, and it goes on telling them for a choice in a popover that is closed. So
    another choice takes the place of the one before, with its value.

    Args:
        key: of the choice.
        first: what is chosen at first; None: what the choice itself says.
    """
    state = st.session_state
    keys = {code: key if code == ENGLISH else f"{key} {code}" for code in LANGUAGES}
    own = keys.pop(language())
    for other in keys.values():
        if other in state:
            state[own] = state[other]
            del state[other]
    if own not in state and first is not None:
        state[own] = first
    return own


def switch() -> None:
    """Let the visitor choose a language, and tell the browser which one the page is in."""
    st.html(_STYLE)
    st.selectbox(
        _NAME,
        (AUTO, *LANGUAGES),
        index=(AUTO, *LANGUAGES).index(deployment().language),
        # The same in all languages: a choice is known by its words.
        format_func=lambda code: LANGUAGES.get(code, _NAME),
        key=_KEY,
        persist_state="session",
        label_visibility="collapsed",
    )
    component = st.components.v2.component("emorec_language", js=_JS)
    with st.container(key="unseen language"):
        component(key="page language", data={"language": language()}, height=1)
