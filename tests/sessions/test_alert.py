"""An alert is slow to begin, does not flicker, and comes at most once a minute."""

from __future__ import annotations

import math

import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.sessions.alert import Alert, AlertRule, negative_share, words

RULE = AlertRule(level=0.5, hold_s=10)


def played(*parts: tuple[int, float], faces: int = 5) -> list[int]:
    """Return the seconds with an alert; a part is (seconds, share)."""
    alert, now, on = Alert(RULE), 0, []
    for length, share in parts:
        for _ in range(length):
            if alert.update(float(now), share, faces):
                on.append(now)
            now += 1
    return on


def test_calm_and_short_displeasure_give_none() -> None:
    assert played((100, 0.2)) == []
    assert played((10, 0.9), (1, 0.1), (10, 0.9)) == []


def test_it_begins_when_the_share_has_stayed_and_ends_well_under_the_level() -> None:
    assert played((15, 0.6), (5, 0.45), (5, 0.39)) == list(range(10, 20))


def test_near_the_level_it_does_not_flicker() -> None:
    on = played((12, 0.5), *[(1, 0.49), (1, 0.51)] * 20)
    assert on == list(range(10, 52))


def test_at_most_one_a_minute() -> None:
    on = played((12, 0.9), (3, 0.1), (100, 0.9))
    begins = [t for t in on if t - 1 not in on]
    assert begins == [10, 70]


def test_never_about_few_faces_or_what_is_not_known() -> None:
    assert played((60, 0.9), faces=2) == []
    assert played((60, math.nan)) == []
    assert played((12, 0.9), (5, math.nan), (12, 0.9)) == [10, 11]


@pytest.mark.parametrize("wrong", [{"level": 0.0}, {"level": 1.1}, {"hold_s": 0}, {"hold_s": 1e9}])
def test_a_rule_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(EmorecError, match="Received"):
        AlertRule(**wrong)


def test_the_negative_share_is_that_of_four_expressions() -> None:
    shares = np.array([[0.1, 0.1, 0.2, 0.1, 0.3, 0.1, 0.1], [np.nan] * 7])
    assert negative_share(shares) == pytest.approx([0.7, np.nan], nan_ok=True)


def test_it_speaks_of_the_room() -> None:
    assert words(0.62) == (
        "Much of the room looks displeased: 62\N{NO-BREAK SPACE}% of what the faces show."
    )
