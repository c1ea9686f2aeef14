"""Fits what makes one calibrated answer of a network, on the faces that a model was chosen by.

Two parts of the contract, in this order:

- ``temperatures``: for each head, and for what is shown, the one that makes the labels likeliest
  (C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
- ``unsure_below``: the smallest hundredth from which on at least 85 % of the labels that are shown
  are people's too (without votes: the data's), if half of the faces or more keep a label then.
  Since it is to hold for other faces too, what counts is not the share itself but what it is at
  least with 95 % confidence, by the score interval (E. B. Wilson, JASA 1927). Where that is out
  of reach, the threshold that comes nearest among those that leave half of the faces their label.

Whose answer is shown, `emorec.training.head` decides before: ``head``, ``blend``, ``prior_power``
stay as they are. Without people's votes the FER2013 head alone is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from emorec.model.contract import TEMPERED, write
from emorec.model.runtime import Outputs
from emorec.model.shown import Head, shown
from emorec.model.store import EmotionModel
from emorec.training.data import FaceSet
from emorec.training.metrics import Labels, selective

AGREEMENT = 0.85
"""Share of the labels shown that people must share."""

LEAST_COVERAGE = 0.5
"""Share of faces that must keep a label: one that is hardly ever given is of no use."""

_QUANTILE = 1.645  # of the normal distribution, for a bound that holds with 95 % confidence


def calibrate(
    model: EmotionModel, faces: FaceSet, say: Callable[[str], None] = print
) -> EmotionModel:
    """Fit a model's temperatures and "unsure" rule, and write them into its contract.

    Args:
        model: just exported, or to be calibrated again.
        faces: that it was chosen by, never those it is judged by; with votes where there are any.
        say: takes a line on what was found.

    Returns:
        The model as it now reads faces.
    """
    outputs = model.outputs(faces.faces)
    true, counted = faces.labels, np.ones(len(faces), bool)
    temperatures = dict.fromkeys(TEMPERED, 1.0)
    temperatures["fer2013"] = fit_temperature(outputs["fer2013"], true)
    whose = "the data's"
    if faces.votes is not None and faces.people_labels()[1].any():
        majority, voted = faces.ferplus_labels()
        temperatures["ferplus"] = fit_temperature(outputs["ferplus"][voted], majority[voted])
        (true, counted), whose = faces.people_labels(), "people's"
    outputs, true = {head: probs[counted] for head, probs in outputs.items()}, true[counted]
    contract = model.contract
    if whose == "the data's":
        contract = replace(contract, head=None, blend=0.0, prior_power=0.0)
    rule = (contract.blend, contract.prior_power, contract.linear)
    temperatures["shown"], unsure_below = settle(outputs, temperatures, *rule, true)
    probs = shown(outputs, temperatures, *rule)
    coverage, agreement = selective(probs, true, unsure_below)
    say(
        "Temperatures "
        + ", ".join(f"{head} {value:.2f}" for head, value in temperatures.items())
        + f"; unsure below {unsure_below:.2f}: {coverage:.1%} of the faces get a label,"
        f" {agreement:.1%} of them {whose} too."
    )
    if agreement < AGREEMENT:
        say(f"warning: {AGREEMENT:.0%} cannot be reached with a label on half of the faces.")
    contract = replace(contract, temperatures=temperatures, unsure_below=unsure_below)
    write(contract, model.file.with_suffix(".json"))
    model.contract = contract
    return model


def settle(
    outputs: Outputs,
    temperatures: Mapping[str, float],
    blend: float,
    prior_power: float,
    head: Head | None,
    true: Labels,
) -> tuple[float, float]:
    """Return the temperature of what is shown, and ``unsure_below``, under such a decision."""
    as_it_is = {**temperatures, "shown": 1.0}
    own = fit_temperature(shown(outputs, as_it_is, blend, prior_power, head), true)
    probs = shown(outputs, {**temperatures, "shown": own}, blend, prior_power, head)
    return own, choose_threshold(probs, true)


def fit_temperature(probs: npt.NDArray[np.float32], true: Labels) -> float:
    """Return the temperature under which the true classes are likeliest, from 0.05 to 20.

    Args:
        probs: float32 of shape (n, classes), as they left the network.
        true: int64 of shape (n,).
    """
    logs = np.log(np.maximum(probs, np.finfo(np.float32).tiny)).astype(np.float64)
    own = logs[np.arange(len(true)), true]
    low, high = np.log(0.05), np.log(20.0)  # of the temperature; the slope changes sign once
    for _ in range(40):
        middle = (low + high) / 2
        scaled = logs / np.exp(middle)
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        expected = (powers * logs).sum(axis=1) / powers.sum(axis=1)
        # Too sure: it expects higher logarithms of its own than the true classes have.
        if expected.mean() > own.mean():
            low = middle
        else:
            high = middle
    return round(float(np.exp((low + high) / 2)), 3)


def choose_threshold(probs: npt.NDArray[np.float32], true: Labels) -> float:
    """Return ``unsure_below`` by the rule above, for shown probabilities of shape (n, 7)."""
    useful = []
    for threshold in np.arange(100) / 100:
        coverage, agreement = selective(probs, true, threshold)
        if coverage < LEAST_COVERAGE:
            break
        least = _at_least(agreement, coverage * len(true))
        if least >= AGREEMENT:
            return float(threshold)
        useful.append((least, -threshold))
    return -max(useful)[1]


def _at_least(share: float, n: float) -> float:
    """Return the lower end of Wilson's interval for a share seen in n cases."""
    z = _QUANTILE
    spread = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return float((share + z * z / (2 * n) - spread) / (1 + z * z / n))
