"""The quiet alert of a live picture: off until the visitor switches it on, told in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emorec.pages.parts.visit import State, visit
from emorec.sessions.alert import Alert, AlertRule, negative_share, words
from emorec.sessions.room import LEAST_FACES, measures
from emorec.sessions.timeline import Timeline
from emorec.words import _


@dataclass
class QuietAlert(State):
    """The alert of the session that runs.

    Attributes:
        rule: what the visitor chose; None: no alert is wanted.
        says: what the alert says since it began; "" while there is none.
    """

    rule: AlertRule | None = None
    says: str = ""
    _alert: Alert | None = None
    _of: tuple[Timeline, AlertRule] | None = None
    _second: int = -1

    def update(self, timeline: Timeline) -> str:
        """Take the seconds that have finished since the last call, and return ``says``."""
        if self.rule is None:
            self._of, self.says = None, ""
            return ""
        if self._alert is None or self._of != (timeline, self.rule):
            self._alert, self._of = Alert(self.rule), (timeline, self.rule)
            self._second, self.says = -1, ""
        seconds = timeline.finished(self._second)
        told = measures(seconds)
        for second, share, faces in zip(
            seconds["second"].tolist(), negative_share(told.shares), told.faces, strict=True
        ):
            on = self._alert.update(second, float(share), int(faces))
            # Said once, with the share at its beginning: words that change are not quiet.
            self.says = (self.says or words(float(share))) if on else ""
            self._second = second
        return self.says


def choose(place: Any) -> None:
    """Let the visitor choose whether there is an alert, and when it begins."""
    own = visit().state(QuietAlert)
    wanted = place.toggle(
        _("Quiet alert"),
        key="alert",
        persist_state="session",
        help=_(
            "Says in words, beside the picture, when angry, disgust, fear and sad together stay "
            "at a share of what {least} or more faces show. At most once a minute, and never "
            "about one person."
        ).format(least=LEAST_FACES),
    )
    if not wanted:
        own.rule = None
        return
    left, right = place.columns(2)
    level = left.slider(_("From (%)"), 10, 90, 50, 5, key="alert level", persist_state="session")
    hold_s = right.slider(_("For (s)"), 5, 120, 10, 5, key="alert time", persist_state="session")
    own.rule = AlertRule(level / 100, float(hold_s))
