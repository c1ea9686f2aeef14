"""What a rule is worth: by hand on heads that are known, and of the shipped model on a portrait."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from benchmarks.decision import RULES, Labelled, main, read_photos, read_posed, rows, worth
from emorec.emotions import EMOTIONS, FERPLUS_EMOTIONS
from emorec.errors import DataError
from emorec.model.shown import FERPLUS_NAMES
from emorec.model.store import load

EVEN = {"fer2013": 1.0, "ferplus": 1.0, "shown": 1.0}


def said(*emotions: str, sure: float = 0.9) -> dict[str, np.ndarray]:
    """Both heads name these emotions, and neutral next."""
    outputs = {"fer2013": np.full((len(emotions), 7), 1e-3, np.float32)}
    outputs["ferplus"] = np.full((len(emotions), 8), 1e-3, np.float32)
    for row, emotion in enumerate(emotions):
        for name, share in (("neutral", 1 - sure), (emotion, sure)):
            outputs["fer2013"][row, EMOTIONS.index(name)] = share
            outputs["ferplus"][row, FERPLUS_EMOTIONS.index(FERPLUS_NAMES[name])] = share
    return outputs


def labelled(*emotions: str) -> Labelled:
    labels = np.array([EMOTIONS.index(emotion) for emotion in emotions])
    return Labelled(np.zeros((len(emotions), 48, 48), np.uint8), labels)


def test_the_three_measures_by_hand() -> None:
    people = ["happy", "neutral", "sad", "happy"] * 25
    posed, photos = ["angry", "angry", "fear", "happy"], ["neutral", "neutral", "happy", "happy"]
    heads = [
        said(*people),
        said("angry", "neutral", "fear", "happy"),
        said("neutral", "sad", "happy", "neutral"),
    ]
    sets = (labelled(*people), labelled(*posed), labelled(*photos))
    of = worth(heads, EVEN, 1.0, 0.0, None, *sets)
    assert of["people"] == {"accuracy": 1.0, "macro_f1": pytest.approx(1.0)}
    assert of["posed"] == {
        "accuracy": 0.75,
        "recall": pytest.approx((0.5 + 1 + 1) / 3),
        "neutral": 0.25,
    }
    assert of["photos"] == {"neutral": 0.5, "happy": 0.5}


def test_dividing_by_the_prior_finds_what_hides_behind_neutral() -> None:
    people = labelled(*["happy", "neutral"] * 50)
    heads = [said(*["happy", "neutral"] * 50), said("disgust", sure=0.4), said("happy", "neutral")]
    photos = labelled("happy", "neutral")
    before, after = (
        worth(heads, EVEN, 1.0, power, None, people, labelled("disgust"), photos)
        for power in (0.0, 0.8)
    )
    assert before["posed"]["neutral"] == 1 and after["posed"]["accuracy"] == 1


def test_the_shipped_rule_stands_among_the_others_once() -> None:
    model = load()
    some = np.random.default_rng(0).integers(0, 256, (14, 48, 48)).astype(np.uint8)
    every = Labelled(some, np.arange(14) % 7)
    found = rows(model, every, every, every)
    ships = [row for row in found if row["ships"]]
    assert len(ships) == 1
    assert ships[0]["blend"] == model.contract.blend
    assert ships[0]["prior_power"] == model.contract.prior_power
    assert ships[0]["refitted"] == (model.contract.head is not None)
    others = {(row["blend"], row["prior_power"]) for row in found if not row["refitted"]}
    assert others >= set(RULES)


def test_a_contract_without_a_head_ships_one_of_the_rules() -> None:
    model = load()
    model.contract = replace(model.contract, head=None, blend=0.3, prior_power=0.1)
    every = Labelled(np.zeros((14, 48, 48), np.uint8), np.arange(14) % 7)
    found = rows(model, every, every, every)
    assert [(row["blend"], row["prior_power"]) for row in found if row["ships"]] == [(0.3, 0.1)]
    assert len(found) == len(RULES) + 1 and not any(row["refitted"] for row in found)


def test_posed_faces_are_read_in_order(tmp_path: Path) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (60, 48, 48)).astype(np.uint8)
    sheet = faces.reshape(2, 30, 48, 48).transpose(0, 2, 1, 3).reshape(96, 1440)
    cv2.imwrite(str(tmp_path / "posed.png"), sheet)
    lines = [f"{i},p{i},001,{EMOTIONS[i % 6]}" for i in range(31)]
    (tmp_path / "posed.csv").write_text("index,person,sequence,emotion\n" + "\n".join(lines))
    posed = read_posed(tmp_path)
    np.testing.assert_array_equal(posed.faces, faces[:31])
    np.testing.assert_array_equal(posed.labels, np.arange(31) % 6)


def test_a_portrait_is_found_and_cut_out_and_a_wall_is_not(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    portrait = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "images" / "a.png"), portrait)
    cv2.imwrite(str(tmp_path / "images" / "b.png"), np.full((200, 200, 3), 127, np.uint8))
    (tmp_path / "photos.csv").write_text("file,emotion\na.png,happy\nb.png,neutral\nc.png,sad\n")
    photos = read_photos(tmp_path)
    assert photos.faces.shape == (1, 48, 48)
    assert photos.labels.tolist() == [EMOTIONS.index("happy")]
    assert EMOTIONS[load().classify(photos.faces)[0].argmax()] == "happy"


def test_what_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for read in (read_posed, read_photos):
        with pytest.raises(DataError, match="cannot be read as CSV"):
            read(tmp_path)
    where = ["--posed", str(tmp_path), "--photos", str(tmp_path)]
    assert main(["--data", str(tmp_path / "x.csv"), "--ferplus", str(tmp_path), *where]) == 2
    assert capsys.readouterr().err.count("\n") == 1
