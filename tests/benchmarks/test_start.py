from __future__ import annotations

import pytest

from benchmarks.start import start, tables


@pytest.mark.long
def test_the_app_starts_and_stays_small() -> None:
    told = start()
    assert 0 < told["answers_s"] < told["page_s"]
    assert 50 < told["idle_mb"] < 250
    assert f"{told['idle_mb']:.0f}" in tables(told)
