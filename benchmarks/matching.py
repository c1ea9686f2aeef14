"""What it costs to find a face among many people, and to enrol and to forget one of them.

    python -m benchmarks.matching [--out FILE]
    python -m benchmarks.matching --show FILE

The store is the real one, on SQLite in a folder that goes with it; the people are drawn at random,
since the cost does not depend on who they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine, percentile_95, versions
from benchmarks.report import Report, add_options, deliver
from emorec.database.engine import connect
from emorec.database.vault import unlock
from emorec.people.gallery import Gallery

CROWDS = ((10, 10), (100, 10), (1000, 10))
"""People, and looks of each: as many as the People page takes."""

_FACES = 200
_CHANGES = 10
_PACKAGES = ["cryptography", "numpy", "sqlalchemy"]


def main() -> None:
    """Measure, print and, with ``--out``, keep; or show what was kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    deliver(parser.parse_args(), measure, tables)


def measure() -> Report:
    """Return all of it, fit for JSON."""
    return {
        "command": "python -m benchmarks.matching",
        **machine(),
        "packages": versions(Path(sys.executable), _PACKAGES),
        "crowds": [cost(people, looks) for people, looks in CROWDS],
    }


def cost(people: int, looks: int) -> dict[str, float]:
    """Return milliseconds to match a face, to read all anew after a change, and to make one."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(None, Path(folder))
        gallery = Gallery(engine, unlock(engine))
        draw = np.random.default_rng(people)
        for number in range(people):
            gallery.enrol(f"Person {number}", _looks(draw, looks), consent=True)
        faces = [_looks(draw, 1) for _ in range(_FACES)]
        report: dict[str, float] = {"people": people, "looks": looks * people}
        report["first_ms"] = _timed([lambda: gallery.match(faces[0])])[0]
        each = _timed([lambda face=face: gallery.match(face) for face in faces])
        report |= {"match_ms": round(median(each), 3), "match_ms_p95": percentile_95(each)}
        enrol = _timed(
            [lambda: gallery.enrol("One more", _looks(draw, looks), consent=True)] * _CHANGES
        )
        newest = sorted(person.id for person in gallery.people())[-_CHANGES:]
        forget = _timed([lambda id_=id_: gallery.delete(id_) for id_ in newest])
        gallery.close()
    return report | {
        "first_ms": round(report["first_ms"], 1),
        "enrol_ms": round(median(enrol), 1),
        "delete_ms": round(median(forget), 1),
    }


def tables(report: Report) -> str:
    """Return the numbers as Markdown."""
    lines = [
        "| people | looks | match a face, ms | p95 | read all anew | enrol | delete |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['people']} | {row['looks']} | {row['match_ms']:.2f} | {row['match_ms_p95']:.2f} |"
        f" {row['first_ms']:.0f} | {row['enrol_ms']:.0f} | {row['delete_ms']:.0f} |"
        for row in report["crowds"]
    ]
    return "\n".join(lines)


def _looks(draw: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    return draw.normal(0, 0.1, (count, 128)).astype(np.float32)


def _timed(acts: list[Callable[[], object]]) -> list[float]:
    """Return the milliseconds that each took."""
    taken = []
    for act in acts:
        begun = perf_counter()
        act()
        taken.append(1000 * (perf_counter() - begun))
    return taken


if __name__ == "__main__":
    main()
