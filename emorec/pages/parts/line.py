"""What a visitor reads while the server is out of reach, in place of Streamlit's own words."""

from __future__ import annotations

import json

import streamlit as st

from emorec.words import _

_STYLE = """
<style>
body:has([data-testid="stConnectionStatus"]) [role="dialog"] {{
  & > h2, & > h2 + div {{ font-size: 0 !important; }}
  & > h2 + div > * {{ display: none; }}
  & > h2::before {{ font-size: 1.6rem; content: {title}; }}
  & > h2 + div::before {{ font-size: 1rem; content: {says}; }}
}}
</style>
"""


def style() -> None:
    """Replace Streamlit's dialog, which tells a visitor how to start a server.

    A style does it, as no part of the page is drawn again while the line is lost.
    """
    title = _("No connection to the server")
    says = _("The page connects again by itself. If it has not after a minute, load it again.")
    quoted = {"title": title, "says": says}
    st.html(_STYLE.format(**{k: json.dumps(v, ensure_ascii=False) for k, v in quoted.items()}))
