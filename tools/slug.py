#!/usr/bin/env python3
"""Add up the wheels that a deployment installs; fail over the limit.

usage: slug.py FOLDER [REQUIREMENTS…]   fetch the wheels of requirements.txt into FOLDER

The limit applies to the downloaded wheels, which are compressed like a slug. The unpacked size is
printed too.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_MB = 320
"""Heroku allows slugs of 500 MB: the rest is for Python, the models and growth."""


def main(argv: Sequence[str]) -> int:
    """Fetch and add up the wheels; return 1 above the limit, 2 if nothing can be added up."""
    if not argv or argv[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    folder, names = Path(argv[0]), argv[1:] or ("requirements.txt",)
    files = [part for name in names for part in ("-r", str(ROOT / name))]
    # `wheel` and not `download`: what comes as source is built, as an installation would.
    fetch = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder), *files]
    if subprocess.call(fetch) != 0:
        print("slug.py: the wheels could not be fetched; pip says why above", file=sys.stderr)
        return 2
    wheels = sorted(folder.glob("*.whl"))
    print(tell(wheels))
    if megabytes(wheels) > LIMIT_MB:
        print(f"slug.py: {', '.join(names)}: over {LIMIT_MB} MB of wheels", file=sys.stderr)
        return 1
    return 0


def megabytes(wheels: Sequence[Path]) -> float:
    """Return the wheels' size in MB of a million bytes."""
    return sum(wheel.stat().st_size for wheel in wheels) / 1e6


def unpacked_megabytes(wheels: Sequence[Path]) -> float:
    """Return the size in MB of the files in the wheels."""
    size = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            size += sum(entry.file_size for entry in archive.infolist())
    return size / 1e6


def tell(wheels: Sequence[Path]) -> str:
    """Return the sums and the largest three in one line."""
    largest = sorted(wheels, key=lambda wheel: -wheel.stat().st_size)[:3]
    names = ", ".join(f"{wheel.name.split('-')[0]} {megabytes([wheel]):.0f}" for wheel in largest)
    return (
        f"{len(wheels)} wheels, {megabytes(wheels):.0f} MB of at most {LIMIT_MB} "
        f"({unpacked_megabytes(wheels):.0f} MB unpacked); the largest: {names or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
