"""The example that needs no camera: a picture before START, and a film that is read like one.

Both show Eileen Collins (NASA) and Grace Hopper (US Navy), whose portraits are in the public
domain. tests/pages/live/test_example.py draws the picture, testkit/example.py makes the film.
"""

from __future__ import annotations

from pathlib import Path

from emorec.words import N_

PICTURE = Path(__file__).with_name("example.jpg")
"""What stands on the stage before START: the portraits as EmoRec reads them."""

FILM = Path(__file__).with_name("example.mp4")
"""The portraits, moved by a program: two of them, then six, then eighteen; 30 s."""

SAYS = N_("Example: public-domain portraits (NASA, US Navy), moved by a program")
