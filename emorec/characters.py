"""Which characters a text that a person enters may have: the rule for names and for notes."""

from __future__ import annotations

import unicodedata

# Unicode categories: control characters, surrogates, line ends, paragraph ends.
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
# They change the writing direction of the text after them, outside the text too:
# https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Letters and a symbol that show nothing: the fillers of Hangul, and Braille without a dot.
_BLANKS = "\u115f\u1160\u3164\uffa0\u2800"


def is_visible(char: str) -> bool:
    """Return whether a character can be seen by itself: no space, control character or accent."""
    return unicodedata.category(char)[0] not in "CZM" and char not in _BLANKS


def is_refused(char: str) -> bool:
    """Return whether a character would change the text around it: line ends and controls."""
    return unicodedata.category(char) in _REFUSED or char in _DIRECTION_MARKS
