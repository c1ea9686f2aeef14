"""What every benchmark tells of where it ran, and how it runs a program in a process of its own.

Another's program may have a Python of its own: nothing but the standard library is imported here.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def machine() -> dict[str, Any]:
    """Return today, the Python, the cores and how busy they are; ask before measuring."""
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def run(python: Path, args: list[str]) -> str:
    """Return the last line that a fresh process prints."""
    done = subprocess.run([python, *args], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{args[:3]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.strip().splitlines()[-1]


def versions(python: Path, names: list[str]) -> dict[str, str]:
    """Return the versions of those packages that are there."""
    code = (
        "import json, sys\nfrom importlib.metadata import distributions\n"
        "print(json.dumps({d.name: d.version for d in distributions() if d.name in sys.argv}))"
    )
    found: dict[str, str] = json.loads(
        run(python, ["-c", code, *names, *(name.replace("-", "_") for name in names)])
    )
    return dict(sorted(found.items()))


def percentile_95(values: list[float]) -> float:
    """Return the value that 95 in 100 stay at or under."""
    return round(sorted(values)[-(-95 * len(values) // 100) - 1], 2)
