"""The tables of the model card, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emorec.emotions import EMOTIONS
from emorec.training.corruptions import kept

ACTIVATIONS = {"elu": "ELU", "relu": "ReLU", "small": "ELU", "seed": "ELU"}
"""What each of `emorec.model.network.NETWORKS` uses."""

_KINDS = {
    "fer2013": "FER2013 head, FER2013's labels",
    "ferplus": "FER+ head, majority of FER+'s voters",
    "shown": "what is shown, the same majority",
}
_MEASURES = {"accuracy": "accuracy", "macro_f1": "macro-F1", "ferplus": "FER+ majority"}


def quality(measured: Mapping[str, Any]) -> str:
    """Return a row for each split and answer of an evaluation."""
    rows = []
    for split, kinds in measured.items():
        for kind, numbers in kinds.items():
            flipped = numbers.get("with_flip")
            rows.append(
                (
                    split,
                    _KINDS[kind],
                    f"{numbers['n']:,}",
                    percent(numbers["accuracy"]),
                    percent(flipped["accuracy"]) if flipped else "",
                    f"{numbers['macro_f1']:.3f}",
                    f"{numbers['ece']:.3f}",
                    f"{percent(numbers['said_neutral'])} ({percent(numbers['true_neutral'])})",
                )
            )
    head = (
        "split",
        "answer, and what it is held against",
        "faces",
        "accuracy",
        "with mirror image",
    )
    return table((*head, "macro-F1", "calibration error", "says neutral (truth)"), rows, words=2)


def short(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Return a row for each split of a contract's metrics."""
    rows = [
        (
            split,
            f"{of['n']:,}",
            percent(of["accuracy"]),
            f"{of['macro_f1']:.3f}",
            f"{of['ece']:.3f}",
        )
        for split, of in metrics.items()
    ]
    return table(("split", "faces", "accuracy", "macro-F1", "calibration error"), rows)


def emotions(kinds: Mapping[str, Any]) -> str:
    """Return a row for each emotion: of the FER2013 head, and of what is shown."""
    titles = {"fer2013": "FER2013's labels", "shown": "shown, by people"}
    there = [kind for kind in titles if kind in kinds]
    head = [f"{titles[kind]}: {of}" for kind in there for of in ("faces", "recall", "precision")]
    rows = [
        [emotion, *(cell for kind in there for cell in _cells(kinds[kind]["per_class"][emotion]))]
        for emotion in EMOTIONS
    ]
    return table(("emotion", *head), rows)


def _cells(numbers: Mapping[str, float]) -> tuple[str, str, str]:
    return f"{numbers['n']:,}", percent(numbers["recall"]), percent(numbers["precision"])


def labelled(measured: Mapping[str, Any]) -> str:
    """Return a row for each split: how many faces get a label, and how many of these are right."""
    rows = [
        (split, percent(of["coverage"]), percent(of["agreement"]), percent(of["accuracy"]))
        for split, kinds in measured.items()
        if (of := kinds.get("shown"))
    ]
    head = ("split", "faces that get a label", "of these, as people say", "of all, if all had one")
    return table(head, rows)


def corrupted(measured: Mapping[str, Any]) -> str:
    """Return a row for each way in which the faces were spoiled, of the FER2013 head."""
    clean, spoiled = measured["accuracy"], measured["corrupted"]
    mean = kept(clean, spoiled) * clean
    rows = [("as they are", clean), *spoiled.items(), (f"mean of the {len(spoiled)}", mean)]
    cells = [(name, percent(of), percent(of / clean) if clean else "") for name, of in rows]
    return table(("faces", "accuracy", "of that as they are"), cells)


def decision(found: Mapping[str, Any]) -> str:
    """Return a row for each rule of each network that was measured."""
    rows = []
    for of in found["rules"]:
        people, posed, photos = of["people"], of["posed"], of["photos"]
        cells = (
            of["model"]["name"],
            f"{of['blend']:.0%} votes, prior to the {of['prior_power']:g}",
            percent(people["accuracy"]),
            f"{people['macro_f1']:.3f}",
            percent(posed["accuracy"]),
            percent(posed["recall"]),
            percent(posed["neutral"]),
            percent(photos["neutral"]),
            percent(photos["happy"]),
        )
        rows.append([f"**{cell}**" for cell in cells] if of["ships"] else cells)
    head = (
        "network",
        "what is shown",
        "people: accuracy",
        "people: macro-F1",
        "posed: accuracy",
        "posed: mean recall",
        "posed: called neutral",
        "neutral photographs",
        "happy photographs",
    )
    return table(head, rows, words=2)


def runs(compared: Mapping[str, Any]) -> str:
    """Return a row for each run of a comparison, and each network's mean."""
    measures = {name: of for name, of in _MEASURES.items() if name in compared["runs"][0]}
    rows = [
        [
            f"{ACTIVATIONS[run['network']]}, seed {run['seed']}",
            *(_reached(name, run[name]) for name in measures),
        ]
        for run in compared["runs"]
    ]
    rows += [
        [
            f"**{ACTIVATIONS[network]}, mean ± standard deviation**",
            *(f"{_reached(n, of[n]['mean'])} ± {_reached(n, of[n]['sd'])}" for n in measures),
        ]
        for network, of in compared["networks"].items()
    ]
    return table(("run", *measures.values()), rows)


def _reached(measure: str, value: float) -> str:
    return f"{value:.3f}" if measure == "macro_f1" else percent(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a Markdown table; so many columns are words, the numbers after them stand right."""
    lines = [head, ["---"] * words + ["--:"] * (len(head) - words), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float) -> str:
    """Return a share in [0, 1] as text."""
    return f"{100 * share:.1f} %"
