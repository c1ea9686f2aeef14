"""Temperatures and the "unsure" rule follow their rules, and land in the contract."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emorec.model.contract import read
from emorec.model.shown import FERPLUS_COLUMNS, tempered
from emorec.model.store import EmotionModel, load
from emorec.paths import MODELS
from emorec.training.calibrate import calibrate, choose_threshold, fit_temperature
from emorec.training.data import FaceSet
from emorec.training.metrics import ece, selective


def honest(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right as often as they say."""
    random = np.random.default_rng(0)
    probs = random.dirichlet([0.5] * 7, n).astype(np.float32)
    true = np.array([random.choice(7, p=row / row.sum()) for row in probs.astype(float)])
    return probs, true


@pytest.mark.parametrize("distortion", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_a_temperature_undoes_what_was_done(distortion: float) -> None:
    probs, true = honest(4000)
    temperature = fit_temperature(tempered(probs, distortion), true)
    assert temperature * distortion == pytest.approx(1, abs=0.06)
    assert ece(tempered(tempered(probs, distortion), temperature), true) < 0.03


@pytest.mark.parametrize(
    ("probs", "true", "limit"),
    [([0.6, 0.4], 0, 0.05), ([0.6, 0.4], 1, 20), ([1.0, 0.0], 1, 20)],
    ids=["always right", "always wrong", "wrong and sure"],
)
def test_a_temperature_has_limits(probs: list[float], true: int, limit: float) -> None:
    stack = np.array([probs] * 5, np.float32)
    assert fit_temperature(stack, np.array([true] * 5)) == pytest.approx(limit)


def ranked(right: list[bool], each: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Faces of falling confidence, from 0.99 down by hundredths, right or wrong; some of each."""
    sure = 0.995 - 0.01 * np.repeat(np.arange(len(right)), each)
    probs = np.stack([sure, *[(1 - sure) / 6] * 6], axis=1).astype(np.float32)
    return probs, np.where(np.repeat(right, each), 0, 1)


@pytest.mark.parametrize(
    ("right", "each", "threshold"),
    [
        ([True] * 20, 1, 0.0),
        ([True] * 15, 1, 0.0),  # too few to be sure of 85 %: the bound is highest for all
        ([True] * 18 + [False] * 3, 100, 0.8),  # 85.7 % of 2,100: not surely
        ([True] * 17 + [False] * 4, 100, 0.81),  # 17 of 19
        ([True] * 12 + [False] * 8, 100, 0.87),  # 12 of 13
        ([True] * 12 + [False] * 8, 10_000, 0.86),  # 12 of 14, of so many it is sure
        # Not even of the surest half: of those that leave half a label the best, 7 of 10.
        ([True] * 7 + [False] * 13, 100, 0.9),
    ],
)
def test_the_threshold_by_hand(right: list[bool], each: int, threshold: float) -> None:
    probs, true = ranked(right, each)
    assert choose_threshold(probs, true) == pytest.approx(threshold, abs=0.0101)


@pytest.mark.parametrize(
    ("threshold", "coverage", "agreement"),
    [(0.0, 1, 0.5), (0.99, 0.5, 1.0), (1.0, 0, 0)],
)
def test_coverage_and_agreement_by_hand(
    threshold: float, coverage: float, agreement: float
) -> None:
    probs, true = ranked([True, False])
    assert selective(probs, true, threshold) == (coverage, agreement)


@pytest.fixture
def model(tmp_path: Path) -> EmotionModel:
    for suffix in ("tflite", "json"):
        shutil.copy(MODELS / f"elu_cnn.{suffix}", tmp_path)
    return load(tmp_path / "elu_cnn.tflite")


def some_faces(votes: np.ndarray | None) -> FaceSet:
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (40, 48, 48)).astype(np.uint8)
    return FaceSet(faces, random.integers(0, 7, 40), votes)


def test_without_votes_the_labels_decide_and_the_other_head_is_silent(
    model: EmotionModel,
) -> None:
    said: list[str] = []
    calibrated = calibrate(model, some_faces(None), said.append)
    assert (calibrated.contract.blend, calibrated.contract.temperatures["ferplus"]) == (0, 1)
    assert calibrated.contract.head is None, "a head learned from votes"
    assert calibrated.contract.temperatures["fer2013"] != 0.84
    assert read(model.file.with_suffix(".json")) == calibrated.contract
    assert load(model.file).contract == calibrated.contract
    # Noise with labels by chance: no rule makes 85 % of it right, and that is said.
    assert said[-1] == "warning: 85% cannot be reached with a label on half of the faces."


def test_votes_for_no_class_count_as_none(model: EmotionModel) -> None:
    votes = np.zeros((40, 10), np.int64)
    votes[:, 8] = 9  # unknown
    calibrated = calibrate(model, some_faces(votes), lambda line: None)
    assert (calibrated.contract.blend, calibrated.contract.head) == (0, None)


def test_with_votes_what_is_shown_agrees_with_people(model: EmotionModel) -> None:
    faces = some_faces(None)
    before, said = model.contract, model.classify(faces.faces).argmax(axis=1)
    votes = np.zeros((40, 10), np.int64)
    votes[range(40), np.array(FERPLUS_COLUMNS)[said]] = 9
    calibrated = calibrate(model, some_faces(votes), lambda line: None)
    for part in ("head", "blend", "prior_power"):
        assert getattr(calibrated.contract, part) == getattr(before, part)
    probs = calibrated.classify(faces.faces)
    people, counted = some_faces(votes).people_labels()
    threshold = calibrated.contract.unsure_below
    assert selective(probs[counted], people[counted], threshold)[1] >= 0.85
