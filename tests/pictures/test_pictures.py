"""Finding and reading from file to label, held by committed pictures and what is expected of them.

``expected.json`` says of each picture where its faces are (`tests.pictures.draw` put them there)
and how they are read. ``EMOREC_UPDATE_GOLDEN=1 pytest tests/pictures`` records the readings of the
present program; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from emorec import EmotionRecognizer
from emorec.emotions import EMOTIONS
from emorec.geometry import iou
from emorec.media.photo import read_photo
from emorec.settings import Settings
from tests.pictures.draw import EXPECTED, FOLDER, write_expected

FILES = json.loads(EXPECTED.read_text(encoding="utf-8"))

# Another processor rounds otherwise. With LiteRT's reference kernels in place of this processor's,
# for both detector networks and the model, a probability moves by at most 0.003, and the least
# overlap is 0.81.
LEAST_IOU = 0.7
APART = 0.02


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(settings=Settings())


def test_every_picture_is_expected_and_small() -> None:
    pictures = [file for file in FOLDER.iterdir() if file.suffix not in (".py", ".json")]
    assert {file.name for file in pictures if file.is_file()} == set(FILES)
    assert sum(file.stat().st_size for file in pictures if file.is_file()) < 400_000


@pytest.mark.parametrize("name", FILES)
def test_every_face_is_found_and_read_as_it_was(recognizer: EmotionRecognizer, name: str) -> None:
    expected = FILES[name]
    found = recognizer.analyze(read_photo(FOLDER / name)).faces
    assert len(found) == len(expected)
    if not expected:
        return
    overlaps = iou([face["box"] for face in expected], [face.box for face in found])
    assert overlaps.max(axis=1).min() >= LEAST_IOU
    nearest = overlaps.argmax(axis=1)
    assert len(set(nearest.tolist())) == len(expected)
    read = [reading(found[place]) for place in nearest]
    if os.environ.get("EMOREC_UPDATE_GOLDEN") == "1":
        record(name, read)
        return
    for face, now in zip(expected, read, strict=True):
        assert now["emotion"] == face["emotion"] and now["unreadable"] == face["unreadable"]
        assert now["probs"] == pytest.approx(face["probs"], abs=APART)


def reading(face: Any) -> dict[str, Any]:
    assert face.classified
    return {
        "emotion": face.emotion,
        "unreadable": face.unreadable,
        "probs": [round(float(prob), 3) for prob in face.probs],
    }


def record(name: str, read: list[dict[str, Any]]) -> None:
    kept = json.loads(EXPECTED.read_text(encoding="utf-8"))
    kept[name] = [{"box": face["box"], **now} for face, now in zip(kept[name], read, strict=True)]
    assert all(len(face["probs"]) == len(EMOTIONS) for face in kept[name])
    write_expected(kept)
