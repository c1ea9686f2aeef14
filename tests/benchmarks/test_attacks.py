from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.attacks import ATTACKS, strain, tables


def test_the_table_says_what_does_not_hold() -> None:
    done = {
        "up": True,
        "beside_shown_per_s": [30.0, 20.0, 30.0],
        "newcomer_s": None,
        "more_mb": 900,
        "files": 50,
        "tracebacks": 0,
        "holds": False,
    }
    told = tables({"attacks": {"huge": done}})
    assert "huge (**does not hold**) | 900 | 50 | 30.0, 20.0, 30.0 | never" in told


@pytest.mark.long
def test_an_attack_is_measured_beside_a_visitor(film: Path) -> None:
    done = strain("connections", 2.0, film, fps=10)
    assert done["up"] and done["newcomer_s"] is not None
    assert done["more_mb"] < 200 and "connections" in ATTACKS
