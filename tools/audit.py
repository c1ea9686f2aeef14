#!/usr/bin/env python3
"""List the packages of a deployment with known vulnerabilities (Python advisory database).

usage: audit.py FOLDER    the folder of wheels that tools/slug.py fetched

It only reports and never fails: a new advisory must not stop an unrelated change. It also lists the
packages that could not be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str]) -> int:
    """Look up every wheel's package and version, and print the advisories."""
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    pins = ["==".join(wheel.name.split("-")[:2]) for wheel in sorted(Path(argv[0]).glob("*.whl"))]
    with tempfile.TemporaryDirectory() as folder:
        lock = Path(folder) / "lock.txt"
        lock.write_text("\n".join(pins), encoding="utf-8")
        audit = [sys.executable, "-m", "pip_audit", "--progress-spinner=off", "--format=json"]
        audit += ["--disable-pip", "--no-deps", "--requirement", str(lock)]
        run = subprocess.run(audit, capture_output=True, text=True, check=False)
    for line in report(run.stdout, run.stderr):
        print(line)
    return 0


def report(output: str, complaint: str) -> list[str]:
    """Return the lines to print for pip-audit's output.

    Args:
        output: its JSON; empty if it failed.
        complaint: its standard error; the last line gives the reason.
    """
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except json.JSONDecodeError:
        why = complaint.strip().splitlines()[-1:] or ["pip-audit says nothing"]
        return [f"not audited: {why[0]}"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    known = len(packages) - len(unknown)
    if not known:
        return [f"not audited: the advisory database knows none of {len(packages)} packages"]
    lines = [
        f"weak: {package['name']} {package['version']}: {weakness['id']}, "
        f"mended in {', '.join(weakness['fix_versions']) or 'no version yet'}"
        for package in packages
        for weakness in package.get("vulns", [])
    ]
    lines.append(f"audited: {known} packages, {len(lines)} known weaknesses")
    if unknown:
        lines.append(f"not audited: {', '.join(unknown)}")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
