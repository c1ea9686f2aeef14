"""What is known of the errors of the model that read a session, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emorec.errors import ModelError
from emorec.model import contract as contracts
from emorec.model import shelf, store
from emorec.model.evaluation import Evaluation
from emorec.percent import percent
from emorec.words import _, numeral

_WEAK = 3  # expressions of which the model's errors are told
_TAKEN_FOR = 2


def known_errors(made_with: Mapping[str, Any]) -> list[str]:
    """Return what is known of the errors of the model that read a session, in sentences.

    Args:
        made_with: as `emorec.rows.header` makes it.
    """
    sha256 = made_with.get("model", {}).get("sha256")
    try:
        for name in shelf.names():
            file = store.path_of(name)
            contract = contracts.read(file.with_suffix(".json"))
            if sha256 in {each["sha256"] for each in contract.files.values()}:
                return _errors(shelf.measured(file, contract))
    except ModelError:  # a damaged model must not take the report away
        pass
    return [
        _("How often this model is wrong is not known here: it is not among the models installed.")
    ]


def _errors(evaluations: Mapping[str, Evaluation]) -> list[str]:
    if not evaluations:
        return [_("How often this model is right has not been measured.")]
    # PrivateTest chose nothing of the model; other splits may have.
    split = "PrivateTest" if "PrivateTest" in evaluations else next(iter(evaluations))
    evaluation = evaluations[split]
    measured = evaluation.shown or evaluation.fer2013
    first = _(
        "Its likeliest expression is that of {labels} in {accuracy} of {n} photographed faces"
        " ({split})."
    )
    lines = [
        first.format(
            labels=_(measured.answer.labels),
            accuracy=percent(measured.accuracy),
            n=numeral(f"{measured.n:,}"),
            split=split,
        )
    ]
    weakest = sorted(measured.labels, key=lambda label: measured.per_class[label].recall)[:_WEAK]
    for label in weakest:
        row = measured.confusion[measured.labels.index(label)]
        others = sorted(
            (count / max(sum(row), 1), other)
            for count, other in zip(row, measured.labels, strict=True)
            if other != label
        )
        taken = _(" and ").join(
            f"{_(other)} ({percent(share)})" for share, other in reversed(others[-_TAKEN_FOR:])
        )
        lines.append(
            _(
                "Of faces that people call {label} it finds {recall}; it takes others for {taken}."
            ).format(label=_(label), recall=percent(measured.per_class[label].recall), taken=taken)
        )
    return lines
