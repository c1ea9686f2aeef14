"""The words that a person agrees to before their face is enrolled."""

from __future__ import annotations

from emorec.words import N_

VERSION = 1
"""Stored with every person; raise it by 1 when ``TEXT`` changes in meaning."""

TEXT = N_(
    "I agree that EmoRec keeps my name and a numeric description of my face (128 numbers for each"
    " picture, no photo), encrypted, to show my name beside my face. I can have both changed,"
    " handed over to me or deleted at any time, at once."
)
