#!/usr/bin/env python3
"""Fail if a model in ``models/`` has become worse than its record.

usage: floor.py FILE...    each the output of `emorec evaluate --ferplus FILE --json` for one model

The record is the model's ``NAME.evaluation.json``. It changes only by a deliberate commit of a file
that `emorec evaluate --record` wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emorec.errors import EmorecError
from emorec.model import contract, shelf
from emorec.model.evaluation import Evaluation, Measured, MeasuredShown
from emorec.model.typed_json import typed
from emorec.paths import MODELS

TOLERANCE = 0.003
"""How far a number may be below its record. Processors round differently: with LiteRT's reference
kernels in place of those for AVX-512, at most 7 of 3,589 faces get another label from a head, and
no number below changes by more than 0.0013 (`elu_cnn` and `relu_cnn`, PublicTest). On the machine
that made the record, every number is the same."""


def main(arguments: list[str]) -> int:
    """Compare each file with the record of its model; print the numbers; return the exit code."""
    if not arguments:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    fallen = []
    for argument in arguments:
        try:
            now = read(Path(argument))
            recorded = record_of(now, MODELS)
        except EmorecError as error:
            print(f"floor: {error}", file=sys.stderr)
            return 2
        for name, (value, least) in compared(now, recorded).items():
            line = f"{now.fer2013.model.name}, {now.fer2013.split}: {name} {value:.4f}"
            print(f"{line}, recorded {least:.4f}")
            if value < least - TOLERANCE:
                fallen.append(f"floor: {line} is under its record of {least:.4f}.")
    print("\n".join(fallen), file=sys.stderr, end="\n" if fallen else "")
    return 1 if fallen else 0


def read(file: Path) -> Evaluation:
    """Return an evaluation that `emorec evaluate --json` printed, with the shown label and people.

    Raises:
        EmorecError: the file holds no such JSON; the line names the wrong part.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return Evaluation(
            fer2013=typed(Measured, content), shown=typed(MeasuredShown, _shown(content))
        )
    except (OSError, ValueError) as error:
        raise EmorecError(f"{file}: {error}") from error


def record_of(now: Evaluation, folder: Path) -> Evaluation:
    """Return the recorded evaluation of this model on this split.

    Raises:
        EmorecError: the record belongs to other weights, another decision rule or other faces.
    """
    measured = now.fer2013
    own = contract.read(folder / f"{measured.model.name}.json")
    recorded = shelf.measured(folder / f"{own.name}.tflite", own).get(measured.split)
    if recorded is None or recorded.shown is None:
        raise EmorecError(
            f"{own.name}: no record on {measured.split} of these weights and this decision rule;"
            " `emorec evaluate --record` makes it."
        )
    for answer, kept in ((measured, recorded.fer2013), (now.shown, recorded.shown)):
        assert answer is not None
        if answer.model != kept.model or (answer.n, answer.flip) != (kept.n, kept.flip):
            raise EmorecError(
                f"{own.name}: expected {kept.n} faces of {measured.split}, each read once by"
                f" {kept.model.sha256[:12]}. Received {answer.n}, by {answer.model.sha256[:12]}."
            )
    return recorded


def compared(now: Evaluation, recorded: Evaluation) -> dict[str, tuple[float, float]]:
    """Return each number that must not fall: the new value and the recorded one."""
    assert now.shown is not None and recorded.shown is not None
    return {
        "accuracy on FER2013's labels": (now.fer2013.accuracy, recorded.fer2013.accuracy),
        "macro-F1 on FER2013's labels": (now.fer2013.macro_f1, recorded.fer2013.macro_f1),
        "agreement with people": (now.shown.accuracy, recorded.shown.accuracy),
        "macro-F1 against people": (now.shown.macro_f1, recorded.shown.macro_f1),
        "agreement of the labels shown": (now.shown.agreement, recorded.shown.agreement),
        "share of faces with a label": (now.shown.coverage, recorded.shown.coverage),
    }


def _shown(content: Any) -> Any:
    if not isinstance(content, Mapping) or "shown" not in content:
        raise ValueError("expected shown: evaluate with --ferplus.")
    return content["shown"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
