"""The texts that people enter about a session: titles, notes, labels of markers, purposes."""

from __future__ import annotations

import unicodedata

from emorec.characters import is_refused, is_visible
from emorec.errors import EmorecError
from emorec.words import _, numeral

LABEL_MOST = 80
"""Characters of a marker's label."""

TITLE_MOST = 120
PURPOSE_MOST = 200
NOTES_MOST = 10_000


def checked_text(text: str, most: int, what: str, lines: bool = False, empty: bool = False) -> str:
    """Return a text without spaces around it, in Unicode's composed form (NFC).

    Markup and formulas are allowed: every output writes them as text.

    Args:
        text: as entered.
        most: characters that it may have.
        what: begins the error line, as "a title".
        lines: whether it may have line ends.
        empty: whether it may be empty.

    Raises:
        EmorecError: it is too long, empty, invisible, or has control characters.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip())
    if len(text) > most:
        says = _("{what} has at most {most} characters. Received {n}.")
        most_, n = numeral(f"{most:,}"), numeral(f"{len(text):,}")
        raise EmorecError(says.format(what=_(what), most=most_, n=n))
    if not empty and not any(map(is_visible, text)):
        raise EmorecError(_("{what} has at least one visible character.").format(what=_(what)))
    if empty and text and not any(map(is_visible, text)):
        says = _("{what} has a visible character, or none at all.")
        raise EmorecError(says.format(what=_(what)))
    if any(is_refused(char) for char in text if not (lines and char in "\n\t")):
        says = _("{what} has no control characters or line ends in it.")
        raise EmorecError(says.format(what=_(what)))
    return text
