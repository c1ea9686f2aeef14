"""ELU beside ReLU: what several runs of one recipe reached, kept where card and page find it.

    python -m emorec.training.compare RUN... [--out FILE]

Each RUN is a folder that `emorec train` left. The runs must share one recipe but for the
activation and the seed; else a difference between them would say nothing about either.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from emorec.errors import EmorecError, TrainingError
from emorec.paths import MODELS
from emorec.training.recipe import Recipe, read_recipe

NETWORKS = ("elu", "relu")
MEASURES = ("accuracy", "macro_f1", "ferplus")
"""Columns of ``history.csv``, all on the faces that a run is chosen by; the last needs votes."""


def main(argv: Sequence[str] | None = None) -> int:
    """Read the runs, write the file, and print what it says; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, default=MODELS / "activations.json")
    args = parser.parse_args(argv)
    try:
        report = compare(args.runs)
    except EmorecError as error:
        print(f"activations: {error}", file=sys.stderr)
        return 2
    args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for network, reached in report["networks"].items():
        numbers = (f"{name} {m['mean']:.4f} ± {m['sd']:.4f}" for name, m in reached.items())
        print(f"{network:<6}" + "   ".join(numbers))
    return 0


def compare(folders: Sequence[Path]) -> dict[str, Any]:
    """Return what the runs reached, alone and together.

    Returns:
        ``date``, ``command``, ``split``; the shared ``recipe`` without network and seed; ``runs``,
        each with ``network``, ``seed``, ``epochs`` and, where accuracy was best, ``best_epoch`` and
        ``MEASURES``; ``networks``, for each its measures' ``mean`` and ``sd`` (over the seeds, with
        n - 1; 0 of one run).

    Raises:
        TrainingError: a folder holds no whole run, two runs are the same one, or their recipes
            differ; says which.
    """
    recipes = [read_recipe(folder) for folder in folders]
    shared = _shared(recipes[0])
    seen: dict[tuple[str, int], Path] = {}
    runs = []
    for folder, recipe in zip(folders, recipes, strict=True):
        who = (recipe.network, recipe.seed)
        if recipe.network not in NETWORKS:
            raise TrainingError(
                f"{folder}: expected a run of {' or '.join(NETWORKS)}. Received {recipe.network}."
            )
        if who in seen:
            raise TrainingError(f"{folder}: {who[0]} with seed {who[1]} is {seen[who]} already.")
        apart = [name for name, value in _shared(recipe).items() if shared[name] != value]
        if apart:
            raise TrainingError(f"{folder}: {', '.join(apart)} differs from {folders[0]}'s.")
        seen[who] = folder
        runs.append({"network": recipe.network, "seed": recipe.seed, **_best(folder, recipe)})
    runs.sort(key=lambda run: (run["network"], run["seed"]))
    return {
        "date": date.today().isoformat(),
        "command": "python -m emorec.training.compare "
        + " ".join(f"runs/{folder.name}" for folder in folders),
        "split": "PublicTest",
        "recipe": shared,
        "runs": runs,
        "networks": {
            network: _together([run for run in runs if run["network"] == network])
            for network in NETWORKS
            if any(run["network"] == network for run in runs)
        },
    }


def _shared(recipe: Recipe) -> dict[str, Any]:
    return {k: v for k, v in asdict(recipe).items() if k not in ("network", "seed")}


def _best(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Return the best epoch by accuracy, the later of two: the one whose weights a run keeps."""
    file = folder / "history.csv"
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            history = list(csv.DictReader(lines))
        if len(history) != recipe.epochs:
            raise TrainingError(
                f"{file}: {len(history)} epochs of {recipe.epochs}: not at its end."
            )
        best = max(history, key=lambda row: (float(row["accuracy"]), int(row["epoch"])))
        return {
            "epochs": len(history),
            "best_epoch": int(best["epoch"]),
            **{name: float(best[name]) for name in MEASURES if best.get(name)},
        }
    except OSError as error:
        raise TrainingError(f"{file}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, KeyError, csv.Error) as error:
        raise TrainingError(f"{file}: is no run's history ({error}).") from None


def _together(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {
            "mean": mean(run[name] for run in runs),
            "sd": stdev(run[name] for run in runs) if len(runs) > 1 else 0.0,
        }
        for name in MEASURES
        if all(name in run for run in runs)
    }


if __name__ == "__main__":
    sys.exit(main())
