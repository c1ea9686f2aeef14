"""How shares and numbers with a sign are written."""

from __future__ import annotations

import math

import pytest

from emorec.percent import percent, signed


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.004, "0 %"),
        (0.005, "1 %"),
        (0.125, "13 %"),  # half goes up, not to the even number
        (0.82, "82 %"),
        (0.994, "99 %"),
        (0.995, ">99 %"),
        (1.0, ">99 %"),
    ],
)
def test_a_share_is_whole_per_cent_that_stay_in_one_line(share: float, text: str) -> None:
    assert percent(share) == text.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.8234, "82.3 %"),
        (0.99949, "99.9 %"),
        (0.9996, ">99.9 %"),
        (1.0, ">99.9 %"),
    ],
)
def test_a_measure_of_a_model_has_a_digit_after_the_point(share: float, text: str) -> None:
    assert percent(share, 1) == text.replace(" ", "\N{NO-BREAK SPACE}")


@pytest.mark.parametrize("share", [-0.01, 1.01, math.nan])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="Expected a share"):
        percent(share)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (-0.004, "0.00"), (0.123, "+0.12"), (-0.05, "\N{MINUS SIGN}0.05")],
)
def test_a_number_has_a_minus_as_axes_have_and_nothing_has_no_sign(value: float, text: str) -> None:
    assert signed(value) == text
