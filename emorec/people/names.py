"""What a person may be called."""

from __future__ import annotations

import unicodedata

from emorec.errors import EmorecError

MAX_NAME = 80

# Line and paragraph ends, control characters, half characters.
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
# Marks that turn the direction of what stands around them, which is not theirs to turn:
# https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def checked_name(name: str) -> str:
    """Return a name without spaces around it, its accents composed (NFC).

    Raises:
        EmorecError: not 1 to 80 characters, or characters that cannot be seen.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= MAX_NAME:
        raise EmorecError(f"a name has 1 to {MAX_NAME} characters. Received {len(name)}.")
    if any(unicodedata.category(char) in _REFUSED or char in _TURNS for char in name):
        raise EmorecError("a name has no control characters or line ends in it.")
    return name
