"""The words that a person agrees to before their face is enrolled, or their examples are kept."""

from __future__ import annotations

from emorec.words import N_

VERSION = 1
"""Stored with every person; raise it by 1 when ``TEXT`` changes in meaning."""

TEXT = N_(
    "I agree that EmoRec keeps my name and a numeric description of my face (128 numbers for each"
    " picture, no photo), encrypted, to show my name beside my face. I can have both changed,"
    " handed over to me or deleted at any time, at once."
)

EXAMPLES_VERSION = 1
"""Stored with the examples of a person; raise it by 1 when ``EXAMPLES_TEXT`` changes in meaning."""

EXAMPLES_TEXT = N_(
    "I agree that EmoRec keeps, encrypted and with my name, numbers learned from the faces that I"
    " have just shown (no photo), to correct the expression that it reads of me wherever it"
    " recognises me. I can have them handed over to me or deleted at any time, at once; they are"
    " deleted with my name as well."
)
