"""How a person installs an optional part of EmoRec, as the messages say it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from emorec.paths import ROOT


def install(extra: str, root: Path = ROOT) -> str:
    """Return the command that installs an extra where this program runs.

    A checkout is no package of an index, so there the requirements file is installed, from the
    folder of the checkout, into the Python that runs now (`make run` makes .venv for it). Where
    EmoRec itself is installed, pip finds its extras.

    Args:
        extra: one of ``[project.optional-dependencies]``.
        root: the folder of the checkout, if this is one.
    """
    file = root / f"requirements-{extra}.txt"
    if not file.is_file():
        return f'pip install "emorec[{extra}]"'
    own = Path(sys.prefix) / ("Scripts" if os.name == "nt" else "bin") / "python"
    python = str(own.relative_to(root)) if own.is_relative_to(root) else "python"
    return f"{python} -m pip install -r {file.name}"
