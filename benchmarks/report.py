"""Prints a benchmark's numbers and writes them to a file.

Compared programs may have their own Python, so this module imports only the standard library.
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


def kept(args: argparse.Namespace) -> Report:
    """Return what the file of ``--out`` holds already; empty if there is none."""
    known = args.out is not None and args.out.exists()
    return dict(json.loads(args.out.read_text(encoding="utf-8"))) if known else {}


def deliver(
    args: argparse.Namespace, measure: Callable[[], Report], tables: Callable[[Report], str]
) -> Report:
    """Measure, or with ``--show`` read a result file; with ``--out`` write one; print tables."""
    report: Report = json.loads(args.show.read_text(encoding="utf-8")) if args.show else measure()
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(tables(report))
    return report
