"""The models that stand ready in ``models/``, and what was measured of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emorec.errors import ModelError
from emorec.model import evaluation, store
from emorec.model.contract import Contract

ACTIVATIONS = "activations.json"
"""ELU beside ReLU over seeds; `emorec.training.compare` writes it and says what is in it."""
CROPS = "crops.json"
"""How the pipeline's crops are read; `emorec.training.framing` writes and describes it."""


DECISION = "decision.json"
"""What each decision rule is worth; ``benchmarks/decision.py`` writes it and says what is in it."""


def names() -> list[str]:
    """Return the names of the models that have weights and a contract, the default one first."""
    folder, suffix = store.path_of().parent, store.path_of().suffix
    found = sorted(
        file.stem for file in folder.glob("*.json") if file.with_suffix(suffix).is_file()
    )
    return sorted(found, key=lambda name: name != store.DEFAULT_NAME)


def measured(model_file: Path, contract: Contract) -> dict[str, Any]:
    """Return what `emorec.model.evaluation` keeps of a model, as far as it is still true.

    A split that was measured with other weights is left out; so is ``shown`` where the contract has
    another blend, prior or threshold by now.

    Raises:
        ModelError: the file is there, but is no evaluation.
    """
    sha256 = {file["sha256"] for file in contract.files.values()}
    settings = {name: getattr(contract, name) for name in evaluation.SETTINGS}
    try:
        return {
            split: {
                kind: numbers
                for kind, numbers in kinds.items()
                if kind != "shown"
                or {name: numbers.get(name, 0.0) for name in settings} == settings
            }
            for split, kinds in evaluation.read(model_file).items()
            if kinds["fer2013"]["model"]["sha256"] in sha256
        }
    except (KeyError, TypeError) as error:
        file = evaluation.evaluation_file(model_file)
        raise ModelError(f"{file}: is no evaluation ({error!r}).") from error


def activations(folder: Path) -> dict[str, Any] | None:
    """Return what several runs of the ELU and the ReLU network reached; None where none is kept.

    Raises:
        ModelError: the file is there, but is no such JSON.
    """
    return _kept(folder / ACTIVATIONS, {"runs", "networks", "split"})


def crops(folder: Path, contract: Contract) -> dict[str, Any] | None:
    """Return how a model reads the pipeline's crops; None where that was not measured of it.

    Raises:
        ModelError: the file is there, but is no such JSON.
    """
    content = _kept(folder / CROPS, {"model", "split", "faces", "found", "accuracy"})
    weights = {file["sha256"] for file in contract.files.values()}
    return content if content and content["model"]["sha256"] in weights else None


def decision(folder: Path) -> dict[str, Any] | None:
    """Return what the rules that turn both heads into a label are worth; None where not measured.

    Raises:
        ModelError: the file is there, but is no such JSON.
    """
    return _kept(folder / DECISION, {"split", "rules"})


def _kept(file: Path, keys: set[str]) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict) or not keys <= content.keys():
        wanted = f"python -m benchmarks.{file.stem}"
        raise ModelError(f"{file}: is not what `{wanted}` writes; that makes it anew.")
    return content
