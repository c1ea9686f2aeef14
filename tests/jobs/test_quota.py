from __future__ import annotations

import pytest

from emorec.jobs.quota import Quota


@pytest.mark.parametrize(
    ("own", "everyone", "size", "fits"),
    [
        (0, 0, 0, True),
        (0, 0, 50, True),
        (0, 0, 51, False),  # half of all for one visitor
        (40, 40, 10, True),
        (40, 90, 11, False),
        (0, 100, 1, False),
    ],
)
def test_what_fits(own: int, everyone: int, size: int, fits: bool) -> None:
    assert Quota(100, lambda _session: (own, everyone)).fits("one", size) == fits


def test_what_has_arrived_counts_until_it_is_given_back() -> None:
    quota = Quota(100, lambda _session: (0, 0))
    assert quota.take("one", 50) and quota.take("two", 40)
    assert not quota.take("one", 1)
    assert not quota.take("three", 11)
    quota.give_back("one", 50)
    assert quota.take("three", 11) and quota.take("one", 49)
