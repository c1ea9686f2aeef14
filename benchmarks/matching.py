"""Time to match a face with many people, and to enrol and delete a person.

    python -m benchmarks.matching [--out FILE]
    python -m benchmarks.matching --show FILE

The store is the real one, on SQLite in a temporary folder. The embeddings are random, since the
time does not depend on them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
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
"""People, and pictures of each: the most that the People page allows."""

_FACES = 200
_CHANGES = 10
_PACKAGES = ["cryptography", "numpy", "sqlalchemy"]


def main() -> None:
    """Measure and print, with ``--out`` also write a file; or print a result file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    deliver(parser.parse_args(), measure, tables)


def measure() -> Report:
    """Return the whole report as a dictionary for JSON."""
    return {
        "command": "python -m benchmarks.matching",
        **machine(),
        "packages": versions(Path(sys.executable), _PACKAGES),
        "crowds": [cost(people, pictures) for people, pictures in CROWDS],
    }


def cost(people: int, pictures: int) -> dict[str, float]:
    """Return milliseconds to match a face, to read all again after a change, and to make changes.

    ``looks`` is the number of embeddings: older result files have that key.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(None, Path(folder))
        gallery = Gallery(engine, unlock(engine))
        draw = np.random.default_rng(people)
        for number in range(people):
            gallery.enrol(f"Person {number}", _embeddings(draw, pictures), consent=True)
        faces = [[_embeddings(draw, 1)] for _ in range(_FACES)]
        report: dict[str, float] = {"people": people, "looks": pictures * people}
        report["first_ms"] = _timed([lambda: gallery.match(faces[0])])[0]
        each = _timed([partial(gallery.match, face) for face in faces])
        report |= {"match_ms": round(median(each), 3), "match_ms_p95": percentile_95(each)}
        enrol = _timed(
            [lambda: gallery.enrol("New", _embeddings(draw, pictures), consent=True)] * _CHANGES
        )
        newest = sorted(person.id for person in gallery.people())[-_CHANGES:]
        forget = _timed([partial(gallery.delete, id_) for id_ in newest])
        gallery.close()
    return report | {
        "first_ms": round(report["first_ms"], 1),
        "enrol_ms": round(median(enrol), 1),
        "delete_ms": round(median(forget), 1),
    }


def tables(report: Report) -> str:
    """Return the numbers as Markdown."""
    lines = [
        "| people | embeddings | match a face, ms | p95 | read all again | enrol | delete |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['people']} | {row['looks']} | {row['match_ms']:.2f} | {row['match_ms_p95']:.2f} |"
        f" {row['first_ms']:.0f} | {row['enrol_ms']:.0f} | {row['delete_ms']:.0f} |"
        for row in report["crowds"]
    ]
    return "\n".join(lines)


def _embeddings(draw: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
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
