"""The whole evaluation of a model, kept beside its contract as ``NAME.evaluation.json``.

The contract says in four numbers what a model is worth; this file says all of it, for the model
card and the page that show it. Its layout::

    {SPLIT: {"fer2013": MEASURED, "ferplus": MEASURED, "shown": MEASURED}}

SPLIT is ``PublicTest`` or another that was measured. ``fer2013`` is the FER2013 head against
FER2013's labels; ``ferplus`` the FER+ head against the majority of FER+'s voters (8 classes);
``shown`` what the app shows against that majority, where it is one of the seven ``EMOTIONS``. The
last two are there only where the votes were given. MEASURED is an object of:

- ``what``: ``fer2013``, ``ferplus`` or ``shown``; ``n``: faces measured; ``split``; ``flip``:
  whether each was averaged with its mirror image, here false;
- ``accuracy``, ``macro_f1``, ``ece`` (15 bins), in [0, 1];
- ``said_neutral``, ``true_neutral``: how often the model and the labels say neutral, in [0, 1];
- ``labels``: the names of the classes in order;
- ``per_class``: for each label ``precision``, ``recall``, ``f1`` in [0, 1], and ``n``;
- ``confusion``: counts, rows true, columns predicted;
- ``ms_per_face``: in batches, on the machine that measured; ``model``: ``name``, ``sha256``;
- ``with_flip``: ``accuracy``, ``macro_f1`` and ``ece`` when each face is averaged with its mirror
  image;
- ``fer2013`` alone: ``corrupted``, its accuracy on the faces spoiled in each way that
  `emorec.training.corruptions` has, by name;
- ``shown`` alone: the contract's ``SETTINGS``; ``coverage``, the share of faces that get a label
  and not "unsure"; ``agreement``, the share of those labels that people share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emorec.errors import ModelError

SETTINGS = ("blend", "prior_power", "unsure_below")
"""What of a contract decides what is shown, beside the temperatures."""


def evaluation_file(model_file: Path) -> Path:
    """Return where the evaluation of this ``.tflite`` or ``.keras`` file lies."""
    return model_file.with_suffix(".evaluation.json")


def read(model_file: Path) -> dict[str, Any]:
    """Return the evaluation of a model; empty where none was recorded.

    Raises:
        ModelError: the file is there, but is no such JSON.
    """
    path = evaluation_file(model_file)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}).") from error
    if not isinstance(content, dict) or not all(
        isinstance(split, dict) and "fer2013" in split for split in content.values()
    ):
        raise ModelError(f"{path}: is no evaluation; `emorec evaluate --record` writes one.")
    return content


def write(model_file: Path, evaluation: Mapping[str, Any]) -> None:
    """Write the evaluation of a model, one object a split."""
    text = json.dumps(evaluation, indent=1, allow_nan=False) + "\n"
    evaluation_file(model_file).write_text(text, encoding="utf-8")
