from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import happen, tables


@pytest.mark.long
@pytest.mark.parametrize(("fault", "message"), [("classifier", "cannot be read"), ("reading", "")])
def test_a_fault_hits_nobody_else(fault: str, message: str, film: Path) -> None:
    done = happen(fault, 2.0, film, fps=10)
    assert done["up"]
    assert min(done["beside_shown_per_s"]) > 0
    assert done["hit_shown_per_s"][1] > 0
    assert message in " ".join(done["message"])
    assert fault in tables({"faults": {fault: done}})
