"""How a benchmark shows its numbers and keeps them.

Another's program may have a Python of its own: nothing but the standard library is imported here.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Report = dict[str, Any]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--out`` and ``--show``."""
    parser.add_argument("--out", type=Path, help="also write the numbers to this JSON file")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print a kept file as tables")


def deliver(
    args: argparse.Namespace, measure: Callable[[], Report], tables: Callable[[Report], str]
) -> Report:
    """Measure, or with ``--show`` take what was kept; with ``--out`` keep it; print it."""
    report: Report = json.loads(args.show.read_text(encoding="utf-8")) if args.show else measure()
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(tables(report))
    return report
