"""The picture of an example: two portraits as EmoRec reads them, in the visitor's language.

It shows Eileen Collins (NASA) and Grace Hopper (US Navy), whose portraits are in the public domain.
tests/pages/parts/test_example.py draws it.
"""

from __future__ import annotations

from pathlib import Path

from emorec.words import N_, language

EXAMPLE_ALT = N_("Example: two portraits with a box and an emotion on each face")
"""What the picture shows, in words."""


def example_picture() -> Path:
    """Return the picture, which has a file for each language."""
    return Path(__file__).with_name(f"example.{language()}.jpg")
