from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from emorec.errors import TrainingError
from emorec.model.shelf import MEASURES, Spread, activations
from emorec.paths import MODELS
from emorec.training.compare import compare, main
from emorec.training.recipe import Recipe

COLUMNS = ("epoch", "side", "loss", "accuracy", "macro_f1", "ferplus")


def run(folder: Path, accuracies: list[float], **settings: Any) -> Path:
    recipe = Recipe(stages=((48, len(accuracies)),), **settings)
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text(json.dumps(asdict(recipe)))
    with (folder / "history.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for epoch, accuracy in enumerate(accuracies, start=1):
            writer.writerow([epoch, 48, 1.0, accuracy, accuracy / 2, accuracy + 0.1])
    return folder


def test_the_best_epoch_of_each_run_and_their_mean(tmp_path: Path) -> None:
    folders = [
        run(tmp_path / "a", [0.5, 0.6, 0.4], network="relu", seed=2),
        run(tmp_path / "b", [0.5, 0.4, 0.4], network="relu", seed=1),
        run(tmp_path / "c", [0.7, 0.2, 0.7], network="elu", seed=1),  # of equals the later
    ]
    report = compare(folders)
    assert [(r.network, r.seed, r.best_epoch, r.accuracy) for r in report.runs] == [
        ("elu", 1, 3, 0.7),
        ("relu", 1, 1, 0.5),
        ("relu", 2, 2, 0.6),
    ]
    assert report.runs[2].macro_f1 == 0.3 and report.runs[2].ferplus == 0.7
    assert report.networks["elu"]["accuracy"] == Spread(mean=0.7, sd=0.0)
    relu = report.networks["relu"]["accuracy"]
    assert relu.mean == pytest.approx(0.55) and relu.sd == pytest.approx(0.0707, abs=1e-4)
    assert report.measures == MEASURES
    assert "network" not in report.recipe and report.recipe["stages"] == ((48, 3),)
    assert str(tmp_path) not in report.command


def test_without_votes_people_are_left_out(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", [0.5])
    file = folder / "history.csv"
    rows = [line.rpartition(",")[0] for line in file.read_text().splitlines()]
    file.write_text("\n".join(rows) + "\n")
    report = compare([folder])
    assert report.runs[0].ferplus is None and report.runs[0].accuracy == 0.5
    assert list(report.measures) == ["accuracy", "macro_f1"]


def test_what_is_written_is_what_page_and_card_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [run(tmp_path / n, [0.5], network=n) for n in ("elu", "relu")]
    file = tmp_path / "activations.json"
    assert main([*map(str, folders), "--out", str(file)]) == 0
    report = activations(tmp_path)
    assert report is not None and set(report.networks) == {"elu", "relu"}
    assert capsys.readouterr().out.splitlines()[1].startswith("relu  accuracy 0.5000 ± 0.0000")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({}, {}, "is .*a already"),
        ({}, {"seed": 2, "batch": 64}, "batch differs"),
        ({}, {"seed": 2, "network": "seed"}, "elu or relu"),
    ],
    ids=["the same run twice", "another recipe", "another network"],
)
def test_runs_that_cannot_be_compared_are_refused(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], words: str
) -> None:
    folders = [run(tmp_path / "a", [0.5], **first), run(tmp_path / "b", [0.5], **second)]
    with pytest.raises(TrainingError, match=words) as raised:
        compare(folders)
    assert str(raised.value).startswith(str(folders[1]))


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (None, "cannot be read"),
        ("", "0 epochs of 2"),
        ("epoch,accuracy\n1,0.5\n", "1 epochs of 2"),
        ("epoch,accuracy\n1,0.5\n2,high\n", "is no run's history"),
        ("epoch,loss\n1,0.5\n2,0.4\n", "is no run's history"),
    ],
    ids=["missing", "empty", "not at its end", "no number", "no accuracy"],
)
def test_a_broken_history_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], history: str | None, words: str
) -> None:
    folder = run(tmp_path / "a", [0.5, 0.5])
    file = folder / "history.csv"
    file.unlink() if history is None else file.write_text(history)
    assert main([str(folder), "--out", str(tmp_path / "out.json")]) == 2
    error = capsys.readouterr().err
    assert words in error and "history.csv" in error and error.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


def test_what_is_no_run_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "out.json")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("compare: ") and "settings.json" in error


def test_the_kept_comparison_has_both_networks_over_the_same_seeds() -> None:
    report = activations(MODELS)
    assert report is not None
    seeds = {n: {r.seed for r in report.runs if r.network == n} for n in ("elu", "relu")}
    assert seeds["elu"] == seeds["relu"] and len(seeds["elu"]) >= 2
