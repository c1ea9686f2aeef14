"""Which names a person may have."""

from __future__ import annotations

import unicodedata

from emorec.characters import is_refused, is_visible
from emorec.errors import EmorecError
from emorec.words import _

MAX_NAME = 80


def checked_name(name: str) -> str:
    """Return a name without spaces around it, in Unicode's composed form (NFC).

    Raises:
        EmorecError: it has not 1 to 80 characters, nothing in it can be seen, or it has control
            characters.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= MAX_NAME:
        says = _("a name has 1 to {most} characters. Received {n}.")
        raise EmorecError(says.format(most=MAX_NAME, n=len(name)))
    if any(map(is_refused, name)):
        raise EmorecError(_("a name has no control characters or line ends in it."))
    if not any(map(is_visible, name)):
        raise EmorecError(_("a name has at least one character that can be seen."))
    return name
