"""What a model promises, written beside its weights as ``NAME.json`` and checked before use.

A weight file alone does not say which emotion its third number means. The contract does, and says
also where the weights come from and how good they are measured to be.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import ModelError
from emorec.model.network import FACE_SIDE, NETWORKS
from emorec.model.shown import Head

INPUT = {"shape": [FACE_SIDE, FACE_SIDE, 1], "dtype": "uint8", "color": "gray"}
"""The only input that this program feeds: grey faces, rescaled inside the graph."""

LABELS = {"fer2013": list(EMOTIONS), "ferplus": list(FERPLUS_EMOTIONS)}
"""What each output's numbers mean, in order."""

TEMPERED = (*LABELS, "shown")
"""What has a temperature: each head, and the blend of both."""

FORMATS = ("keras", "tflite")
"""The kinds of file of one model, each named by its suffix."""

WEIGHTS = {"int8": 0.1, "float16": 0.01, "float32": 1e-4}
"""How the LiteRT file holds its weights, the smallest first, and how far the probabilities of a
face may lie from Keras's then."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One model: what it takes and gives, what it was made from, what it is worth.

    Attributes:
        name: stem of its files.
        network: one of `emorec.model.network.NETWORKS`.
        created: date, year first.
        files: for each of ``FORMATS`` the ``file``'s name, its ``sha256`` and its ``bytes``; of
            the LiteRT file also its ``weights``, one of ``WEIGHTS``.
        input: always ``INPUT``.
        labels: always ``LABELS``.
        temperatures: of each head and of what is ``shown``, from 0.001 to 1000; divides the
            probabilities' logarithms.
        blend: share in [0, 1] of the votes' answer in what is shown (`emorec.model.shown`).
        prior_power: power in [0, 1] of the emotions' shares that is divided out of it; a contract
            without it means 0.
        head: ``weights``, for each emotion as many numbers as the network has features, and
            ``biases``, a number for each emotion, of the head that gives the votes' answer; None,
            as in a contract without it: the network's FER+ head gives it.
        unsure_below: confidence in [0, 1] under which the label is "unsure".
        data: ``name`` of the training data, and the ``protocol`` of its splits.
        metrics: for each split measured ``n``, ``accuracy``, ``macro_f1`` and ``ece``.
        licence: of the weights.
        command: that made them.
    """

    name: str
    network: str
    created: str
    files: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, str]
    metrics: Mapping[str, Mapping[str, float]]
    licence: str
    command: str
    temperatures: Mapping[str, float]
    blend: float
    unsure_below: float
    input: Mapping[str, Any]
    labels: Mapping[str, Any]
    prior_power: float = 0.0
    head: Mapping[str, Any] | None = None

    @cached_property
    def linear(self) -> Head | None:
        """The ``head``, ready to compute."""
        if self.head is None:
            return None
        weights, biases = (np.array(self.head[part], np.float32) for part in ("weights", "biases"))
        return Head(np.ascontiguousarray(weights.T), biases)

    @cached_property
    def head_sha256(self) -> str:
        """SHA-256 of the ``head`` as JSON; empty where there is none."""
        if self.head is None:
            return ""
        return hashlib.sha256(json.dumps(self.head, sort_keys=True).encode()).hexdigest()


def read(path: Path) -> Contract:
    """Read a contract and check every part of it.

    Raises:
        ModelError: it is missing, is no JSON, or does not fit this program; says where.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path}: missing; the contract must stand beside the model's weights."
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}).") from error
    return _checked(content, path)


def write(contract: Contract, path: Path) -> None:
    """Write a contract that `read` accepts.

    Raises:
        ModelError: a part of it does not fit this program; says which.
    """
    content = asdict(contract)
    _checked(content, path)
    text = json.dumps(content, indent=1, allow_nan=False)
    # A list of numbers on one line: the head alone would take 1,800 lines.
    text = re.sub(r"\[\n([\s\d.,e+-]+)\]", lambda found: f"[{' '.join(found[1].split())}]", text)
    path.write_text(text + "\n", encoding="utf-8")


def _checked(content: Any, path: Path) -> Contract:
    if not isinstance(content, dict):
        raise ModelError(f"{path}: expected a JSON object. Received {_short(content)}.")
    names = [field.name for field in fields(Contract)]
    content = {f.name: f.default for f in fields(Contract) if f.default is not MISSING} | content
    for kind, wrong in (
        ("missing", [name for name in names if name not in content]),
        ("not known here", [name for name in content if name not in names]),
    ):
        if wrong:
            raise ModelError(f"{path}: {', '.join(wrong)} {kind}.")
    for name, (expected, fits) in _PARTS.items():
        if not fits(content[name]):
            raise ModelError(
                f"{path}: {name}: expected {expected}. Received {_short(content[name])}."
            )
    return Contract(**content)


def _short(value: Any, length: int = 120) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= length else f"{text[:length]} …"


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\n" not in value


def _number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _day(value: Any) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


def _plain_name(value: Any) -> bool:
    return _text(value) and Path(value).name == value


def _object(parts: Mapping[str, Callable[[Any], bool]]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == parts.keys()
            and all(part(value[name]) for name, part in parts.items())
        )

    return fits


def _share(value: Any) -> bool:
    return _number(value, 0, 1)


def _count(value: Any) -> bool:
    return isinstance(value, int) and _number(value, 1, math.inf)


def _sha256(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _weights(value: Any) -> bool:
    return isinstance(value, str) and value in WEIGHTS


_FILE = {"file": _plain_name, "sha256": _sha256, "bytes": _count}
_MEASURED = _object({"n": _count, "accuracy": _share, "macro_f1": _share, "ece": _share})


def _row(value: Any) -> bool:
    return isinstance(value, list) and all(_number(item, -1e6, 1e6) for item in value)


def _head(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or value.keys() != {"weights", "biases"}:
        return False
    weights, biases = value["weights"], value["biases"]
    return (
        isinstance(weights, list)
        and len(weights) == len(EMOTIONS)
        and all(_row(row) and 0 < len(row) == len(weights[0]) for row in weights)
        and _row(biases)
        and len(biases) == len(EMOTIONS)
    )


def _metrics(value: Any) -> bool:
    return isinstance(value, dict) and all(_MEASURED(split) for split in value.values())


_PARTS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a file's stem", _plain_name),
    "network": (f"one of {', '.join(NETWORKS)}", lambda value: value in NETWORKS),
    "created": ("a date such as 2026-01-31", _day),
    "files": (
        f"file, sha256 and bytes of {' and '.join(FORMATS)}; weights ({', '.join(WEIGHTS)}) too",
        _object({"keras": _object(_FILE), "tflite": _object({**_FILE, "weights": _weights})}),
    ),
    "data": ("name and protocol", _object({"name": _text, "protocol": _text})),
    "metrics": ("n, accuracy, macro_f1 and ece of each split", _metrics),
    "licence": ("a line of text", _text),
    "command": ("a line of text", _text),
    "temperatures": (
        f"a number from 0.001 to 1000 for {', '.join(TEMPERED)}",
        _object(dict.fromkeys(TEMPERED, lambda value: _number(value, 1e-3, 1e3))),
    ),
    "blend": ("a number from 0 to 1", _share),
    "prior_power": ("a number from 0 to 1", _share),
    "head": (
        f"null, or weights of {len(EMOTIONS)} equally long lists and {len(EMOTIONS)} biases",
        _head,
    ),
    "unsure_below": ("a number from 0 to 1", _share),
    "input": (_short(INPUT), lambda value: value == INPUT),
    "labels": (_short(LABELS, 400), lambda value: value == LABELS),
}
