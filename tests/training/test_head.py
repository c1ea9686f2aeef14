"""The votes' head: what it learns, how far rare emotions weigh more, and what its contract says."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from emorec.emotions import EMOTIONS
from emorec.model.contract import read
from emorec.model.shown import FERPLUS_COLUMNS
from emorec.model.store import EmotionModel, load
from emorec.paths import MODELS
from emorec.training.data import FaceSet
from emorec.training.head import fit_head, refit

NEUTRAL, FEAR = EMOTIONS.index("neutral"), EMOTIONS.index("fear")


@pytest.fixture
def model(tmp_path: Path) -> EmotionModel:
    for suffix in ("tflite", "json"):
        shutil.copy(MODELS / f"elu_cnn.{suffix}", tmp_path)
    return load(tmp_path / "elu_cnn.tflite")


def some_votes(n: int) -> np.ndarray:
    votes = np.zeros((n, 10), np.int64)
    votes[range(n), np.array(FERPLUS_COLUMNS)[np.arange(n) % 7]] = 10
    return votes


def some_faces(votes: np.ndarray | None, n: int = 42) -> FaceSet:
    random = np.random.default_rng(0)
    faces = random.integers(0, 256, (n, 48, 48)).astype(np.uint8)
    return FaceSet(faces, random.integers(0, 7, n), votes)


def test_what_features_say_plainly_is_learned_whatever_their_scale() -> None:
    shares = np.eye(7, dtype=np.float32)[np.arange(140) % 7]
    noise = np.random.default_rng(0).normal(0, 0.1, (140, 7)).astype(np.float32)
    features = (shares + noise) * np.float32(1000) + np.float32(50)
    probs = fit_head(features, shares)(features)
    np.testing.assert_array_equal(probs.argmax(axis=1), np.arange(140) % 7)
    assert probs.dtype == np.float32 and probs.max(axis=1).mean() > 0.8


def test_where_features_say_nothing_the_votes_shares_remain() -> None:
    """Of 100 faces people call 80 neutral: 0.8 as they are, 2 to 1 by the root of the shares."""
    shares = np.zeros((100, 7), np.float32)
    shares[:80, NEUTRAL], shares[80:, FEAR] = 1, 1
    features = np.ones((100, 3), np.float32)
    for power, expected in ((0.0, 0.8), (0.5, 2 / 3), (1.0, 0.5)):
        (received,) = fit_head(features, shares, power)(features[:1])
        assert received[NEUTRAL] == pytest.approx(expected, abs=0.01)
        assert received[NEUTRAL] + received[FEAR] == pytest.approx(1, abs=0.01)


def test_a_refitted_model_shows_its_head(model: EmotionModel) -> None:
    before, said = model.contract, []
    faces = some_faces(some_votes(42))
    refitted = refit(model, faces, said.append)
    own = refitted.contract
    assert (own.blend, own.prior_power) == (1, 0) and own.head_sha256 != before.head_sha256
    assert read(model.file.with_suffix(".json")) == load(model.file).contract == own
    assert own.linear is not None and own.linear.weights.shape == (256, 7)
    assert (refitted.classify(faces.faces).argmax(axis=1) == np.arange(42) % 7).mean() > 0.9
    assert said == ["Refitted the votes' head on the features of 42 faces: 1799 numbers."]


@pytest.mark.parametrize(
    "votes", [None, np.zeros((42, 10), np.int64), np.tile([0] * 8 + [6, 4], (42, 1))]
)
def test_without_votes_for_an_emotion_nothing_changes(
    model: EmotionModel, votes: np.ndarray | None
) -> None:
    before = model.file.with_suffix(".json").read_bytes()
    refit(model, some_faces(votes), lambda line: None)
    assert model.file.with_suffix(".json").read_bytes() == before


def test_faces_that_most_call_no_emotion_teach_nothing(model: EmotionModel) -> None:
    votes, said = some_votes(42), []
    votes[:2] = [0, 4, 0, 0, 0, 0, 0, 0, 6, 0]
    votes[2] = [0, 5, 0, 0, 0, 0, 0, 0, 5, 0]
    refit(model, some_faces(votes), said.append)
    assert "40 faces" in said[0]
