"""How an optional part is installed, where this is a checkout and where it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from emorec.extras import install

OWN = Path("Scripts" if os.name == "nt" else "bin") / "python"


@pytest.mark.parametrize(
    ("checkout", "venv_inside", "command"),
    [
        (False, False, 'pip install "emorec[people]"'),
        (True, False, "python -m pip install -r requirements-people.txt"),
        (True, True, f"{Path('.venv') / OWN} -m pip install -r requirements-people.txt"),
    ],
)
def test_the_command_fits_the_place(
    checkout: bool,
    venv_inside: bool,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if checkout:
        (tmp_path / "requirements-people.txt").touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv" if venv_inside else "/usr"))
    assert install("people", tmp_path) == command
