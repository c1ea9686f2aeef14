"""The example that needs no camera: a film that is read like one.

It shows Eileen Collins (NASA) and Grace Hopper (US Navy), whose portraits are in the public domain.
testkit/example.py makes it; `emorec.pages.parts.example` has the picture before START.
"""

from __future__ import annotations

from pathlib import Path

from emorec.words import N_

FILM = Path(__file__).with_name("example.mp4")
"""The portraits, moved by a program: two of them, then six, then eighteen; 30 s."""

SAYS = N_("Example: public-domain portraits (NASA, US Navy), moved by a program")
