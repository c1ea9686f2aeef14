#!/usr/bin/env python3
"""Write docs/licences.md: the licences of the packages that a deployment installs.

usage: licences.py    reads the packages that are installed for this Python

The licence is the one that the package declares. Its wheel may contain other libraries: those with
stronger conditions than the package's are listed in `BUNDLED`, found in the wheels by hand.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "licences.md"
LISTS = {
    "requirements.txt": "The web app",
    "requirements-people.txt": "What names for faces add",
    "requirements-batch.txt": "What `emorec analyze` adds",
    "requirements-lsl.txt": "What `emorec watch --lsl` adds",
}
BUNDLED = {
    "av": "FFmpeg (LGPL 3 or later, as it says), x264 and x265 (GPL 2 or later)",
    "opencv-python-headless": "FFmpeg (LGPL 2.1 or later)",
    "pillow-heif": "libheif and libde265 (LGPL 3), x265 (GPL 2)",
}
COPYLEFT = re.compile(r"GPL|MPL|EPL|EUPL|GNU|Mozilla")

_HEAD = """# Licences

The licences of the packages that a deployment installs, as each package declares them, and of
further libraries inside their wheels. Written by `python tools/licences.py`. EmoRec's own licence
is [MIT](../LICENSE); those of the models are in [models/README.md](../models/README.md).

**Copyleft** marks a licence with conditions for people who *distribute the package*, for example in
a Docker image: the licence's text and the source must go with it, and a work that contains a
library under the GPL needs a compatible licence. Running the app as a service distributes nothing.
To build without the marked parts: build `av` against your own FFmpeg without x264 and x265
(`pip install --no-binary av av`), and leave out `pillow-heif` (then HEIC files cannot be read).
"""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


def page() -> str:
    """Return the page, with a table for each requirements file."""
    parts, seen = [_HEAD], set[str]()
    for name, title in LISTS.items():
        packages = installed(pinned(ROOT / name)) - seen
        seen |= packages
        parts.append(f"## {title}\n\n{table(packages)}")
    return "\n".join(parts)


def pinned(file: Path) -> list[Requirement]:
    """Return the requirements of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def installed(requirements: Iterable[Requirement]) -> set[str]:
    """Return the names of the required packages and of all their dependencies.

    Raises:
        PackageNotFoundError: one of them is not installed.
    """
    found: set[tuple[str, str]] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras} - {extra for of, extra in found if of == name}:
            found.add((name, extra))
            needs = map(Requirement, importlib.metadata.requires(name) or [])
            waiting += [
                need for need in needs if not need.marker or need.marker.evaluate({"extra": extra})
            ]
    return {name for name, _ in found}


def table(packages: set[str]) -> str:
    """Return a Markdown table of packages, with a mark for copyleft."""
    listing = [sys.executable, "-m", "piplicenses", "--from=mixed", "--format=json"]
    run = subprocess.run(
        [*listing, "--packages", *packages], capture_output=True, text=True, check=True
    )
    lines = ["| package | version | licence | copyleft |", "|---|---|---|---|"]
    for row in sorted(json.loads(run.stdout), key=lambda row: canonicalize_name(row["Name"])):
        name, licence = canonicalize_name(row["Name"]), row["License"].replace("\n", " ")
        holds = f"in its wheel: {BUNDLED[name]}" if name in BUNDLED else ""
        mark = "itself" if COPYLEFT.search(licence) else ""
        lines.append(f"| {name} | {row['Version']} | {licence} | {holds or mark} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
