"""ELU beside ReLU: what several runs of one recipe reached, for the model card and the Model page.

    python -m emorec.training.compare RUN... [--out FILE]

Each RUN is a folder that `emorec train` left. The runs must share one recipe but for the
activation and the seed; else a difference between them would say nothing about either.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from emorec.errors import EmorecError, TrainingError
from emorec.model import typed_json
from emorec.model.shelf import ACTIVATIONS, MEASURES, Comparison, Run, Spread
from emorec.paths import MODELS
from emorec.training.recipe import Recipe, read_recipe

NETWORKS = ("elu", "relu")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the runs, write the file, print the spreads; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path, default=MODELS / ACTIVATIONS)
    args = parser.parse_args(argv)
    try:
        compared = compare(args.runs)
        typed_json.write(Comparison, compared, args.out)
    except EmorecError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    for network, spreads in compared.networks.items():
        numbers = (f"{name} {of.mean:.4f} ± {of.sd:.4f}" for name, of in spreads.items())
        print(f"{network:<6}" + "   ".join(numbers))
    return 0


def compare(folders: Sequence[Path]) -> Comparison:
    """Return what the runs reached, each run alone and each network's runs together.

    Args:
        folders: of the runs.

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
        runs.append(_best(folder, recipe))
    runs.sort(key=lambda run: (run.network, run.seed))
    return Comparison(
        date=date.today().isoformat(),
        command="python -m emorec.training.compare "
        + " ".join(f"runs/{folder.name}" for folder in folders),
        split="PublicTest",
        recipe=shared,
        runs=tuple(runs),
        networks={
            network: _spreads([run for run in runs if run.network == network])
            for network in NETWORKS
            if any(run.network == network for run in runs)
        },
    )


def _shared(recipe: Recipe) -> dict[str, Any]:
    return {k: v for k, v in asdict(recipe).items() if k not in ("network", "seed")}


def _best(folder: Path, recipe: Recipe) -> Run:
    """Return a run at its best epoch by accuracy, the later of two: a run keeps its weights."""
    file = folder / "history.csv"
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            history = list(csv.DictReader(lines))
        if len(history) != recipe.epochs:
            raise TrainingError(
                f"{file}: {len(history)} epochs of {recipe.epochs}: not at its end."
            )
        best = max(history, key=lambda row: (float(row["accuracy"]), int(row["epoch"])))
        return Run(
            network=recipe.network,
            seed=recipe.seed,
            epochs=len(history),
            best_epoch=int(best["epoch"]),
            accuracy=float(best["accuracy"]),
            macro_f1=float(best["macro_f1"]),
            ferplus=float(best["ferplus"]) if best.get("ferplus") else None,
        )
    except OSError as error:
        raise TrainingError(f"{file}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, KeyError, csv.Error) as error:
        raise TrainingError(f"{file}: is no run's history ({error}).") from None


def _spreads(runs: Sequence[Run]) -> dict[str, Spread]:
    reached = {name: [getattr(run, name) for run in runs] for name in MEASURES}
    return {
        name: Spread(mean=mean(values), sd=stdev(values) if len(values) > 1 else 0.0)
        for name, values in reached.items()
        if None not in values
    }


if __name__ == "__main__":
    sys.exit(main())
