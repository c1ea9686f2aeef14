"""What the visitor has agreed to."""

from __future__ import annotations

from dataclasses import dataclass

from emorec.pages.parts.visit import State


@dataclass
class Consent(State):
    """What the visitor has agreed to.

    Attributes:
        purpose: what the visitor uses the app for; None: there is no consent.
    """

    purpose: str | None = None
