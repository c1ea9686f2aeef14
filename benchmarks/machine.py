"""The machine record of every benchmark's result, and functions to run programs in new processes.

Compared programs may have their own Python, so this module imports only the standard library.
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
    """Return the date, the Python, the processor and its load; call it before measuring.

    It includes ``EMOREC_BENCH_NOTE``, which describes other conditions of the run, for example that
    some processor instructions were hidden from the libraries.
    """
    note = os.environ.get("EMOREC_BENCH_NOTE")
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "processor": processor(),
        **({"note": note} if note else {}),
        "cores": os.cpu_count(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def processor() -> str:
    """Return the processor's name and its wide instructions, which decide how fast a network is."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return f"{platform.processor() or platform.machine()}, flags unknown"
    told = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    flags = told.get("flags", told.get("Features", "")).split()
    wide = sorted(flag for flag in flags if flag == "avx2" or flag.startswith(("avx512", "amx")))
    return f"{told.get('model name', platform.machine())}: {' '.join(wide) or 'none of AVX2 on'}"


def run(python: Path, args: list[str]) -> str:
    """Return the last line that a fresh process prints."""
    done = subprocess.run([python, *args], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{args[:3]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.strip().splitlines()[-1]


def peak_mb() -> float:
    """Return the most memory that this process has held, in MB; needs Linux.

    `resource.getrusage` would count that of the process that started this one too.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


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
