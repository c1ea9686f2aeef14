"""A press of a button that is to count once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import ParamSpec

from emorec.pages.parts.visit import State, visit

P = ParamSpec("P")

AGAIN_S = 1.0
"""On a busy machine Streamlit ran a callback twice for one press, 0.14 s apart: in a run of a
fragment that was due, and in the run of the page. About one press in six on two cores at a load of
15."""


@dataclass
class _Pressed(State):
    """When what was pressed last, by the monotonic clock."""

    at_s: dict[str, float] = field(default_factory=dict)


def once(action: Callable[P, None]) -> Callable[P, None]:
    """Return a callback that leaves out what comes within `AGAIN_S` of the one before."""

    def press(*args: P.args, **kwargs: P.kwargs) -> None:
        pressed, now_s = visit().state(_Pressed).at_s, monotonic()
        name = f"{action.__module__}.{action.__qualname__}"
        if now_s - pressed.get(name, float("-inf")) > AGAIN_S:
            pressed[name] = now_s
            action(*args, **kwargs)

    return press
