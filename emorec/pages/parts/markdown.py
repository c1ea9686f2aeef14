"""Names of files and people, and errors that hold them, as text that Markdown leaves as it is."""

from __future__ import annotations

import re

# How everything begins that Streamlit turns into links, emoji, icons and arrows after Markdown.
_BEGINNINGS = re.compile(r"(:(?=\S)|\bwww(?=\.)|@|[-=](?=\\?[-<>=])|[<>~](?=[-=]))", re.IGNORECASE)


def plain(text: str) -> str:
    """Return the text so that Markdown shows it as it is, on one line: a name holds anything.

    A backslash keeps CommonMark from reading a sign as markup. Streamlit searches what CommonMark
    leaves for links, emoji codes, icons and arrows: a word joiner, which is invisible, splits the
    characters that these begin with.
    """
    text = re.sub(r"([\\`*_\[\]$~<>#|&])", r"\\\1", " ".join(text.split()))
    text = re.sub(r"^(\d+(?=[.)]( |$))|(?=[-+]))", r"\1\\", text)  # a list
    return re.sub(_BEGINNINGS, "\\1\u2060", text)
