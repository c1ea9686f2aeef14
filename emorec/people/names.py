"""Which names a person may have."""

from __future__ import annotations

import unicodedata

from emorec.errors import EmorecError

MAX_NAME = 80

# Unicode categories: control characters, surrogates, line ends, paragraph ends.
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
# Characters that change the writing direction of the text after them, outside the name too:
# https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# Letters and a symbol that show nothing: the fillers of Hangul, and Braille without a dot.
_BLANKS = "\u115f\u1160\u3164\uffa0\u2800"


def checked_name(name: str) -> str:
    """Return a name without spaces around it, in Unicode's composed form (NFC).

    Raises:
        EmorecError: it has not 1 to 80 characters, nothing in it can be seen, or it has control
            characters.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= MAX_NAME:
        raise EmorecError(f"a name has 1 to {MAX_NAME} characters. Received {len(name)}.")
    if any(unicodedata.category(char) in _REFUSED or char in _DIRECTION_MARKS for char in name):
        raise EmorecError("a name has no control characters or line ends in it.")
    if not any(unicodedata.category(char)[0] in "LNPS" and char not in _BLANKS for char in name):
        raise EmorecError("a name has at least one character that can be seen.")
    return name
