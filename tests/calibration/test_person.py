"""Whose readings examples correct, and how a person is led through showing them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emorec.calibration.examples import Corrector, Examples, learn
from emorec.calibration.guide import HOLD_S, LEAST_READINGS, PREPARE_S, Guide
from emorec.calibration.person import AWAY_S, Calibration
from emorec.emotions import EMOTIONS
from emorec.model import spread
from emorec.model.evaluation import Weights
from emorec.model.store import EmotionModel, load

NEUTRAL = np.eye(7, dtype=np.float32)[[6]] * 0.9 + 0.1 / 7
SAD = EMOTIONS.index("sad")


def always_sad(rows: np.ndarray) -> np.ndarray:
    return np.eye(7, dtype=np.float32)[[SAD] * len(rows)]


@pytest.fixture
def calibration() -> Calibration:
    found = Calibration(baseline=False)
    found.corrector = always_sad  # type: ignore[assignment]
    return found


def sad(calibration: Calibration, track_ids: list[int], time_s: float) -> list[bool]:
    """Return which of these faces are corrected."""
    probs = calibration(track_ids, np.repeat(NEUTRAL, len(track_ids), axis=0), time_s)
    return (probs.argmax(axis=1) == SAD).tolist()


def test_without_examples_nothing_is_corrected() -> None:
    assert sad(Calibration(), [1, 2], 0.0) == [False, False]
    assert Calibration()([], np.empty((0, 7), np.float32), 0.0).shape == (0, 7)


def test_examples_correct_the_face_that_showed_them(calibration: Calibration) -> None:
    calibration.owner = 2
    assert sad(calibration, [2], 0.0) == [True]
    assert sad(calibration, [1, 2, 3], 0.5) == [False, True, False]
    assert sad(calibration, [1], 0.6) == [False]  # the other one is read in the next frame


def test_the_only_face_takes_them_over_once_the_person_has_gone(calibration: Calibration) -> None:
    calibration.owner = 2
    assert sad(calibration, [2], 0.0) == [True]
    assert sad(calibration, [5], AWAY_S) == [False]
    assert sad(calibration, [5], AWAY_S + 0.1) == [True]


def test_of_several_faces_none_takes_them_over(calibration: Calibration) -> None:
    calibration.owner = 2
    assert sad(calibration, [5, 6], 10.0) == [False, False]
    assert sad(calibration, [5, 6], 20.0) == [False, False]


def test_a_new_stream_knows_no_face_but_keeps_the_examples(calibration: Calibration) -> None:
    calibration.owner = 2
    calibration.begin(None)
    assert sad(calibration, [1, 2], 0.0) == [False, False]
    assert sad(calibration, [1], 5.0) == [True]


def test_the_baseline_can_be_switched(calibration: Calibration) -> None:
    calibration.corrector = None
    rest = np.array([[0.02, 0.01, 0.01, 0.02, 0.36, 0.01, 0.57]], np.float32)
    for baseline in (False, True):
        calibration.baseline = baseline
        for time_s in range(30):
            probs = calibration([1], rest, float(time_s))
        assert (probs[0, SAD] < 0.3) == baseline


def learned(model: EmotionModel, place: int, emotion: str) -> tuple[np.ndarray, Examples]:
    """Return a row that the network calls neutral, and examples that call it otherwise."""
    own = spread.read(model.file, model.contract)
    white = np.zeros(len(own.centre))
    white[10 * place] = 5
    features = own.centre + white @ np.linalg.inv(own.whitening)
    row = np.concatenate([[*[0.02] * 6, 0.88], features]).astype(np.float32)[None]
    return row, learn(model, np.repeat(row, 3, axis=0), [emotion] * 3)


def test_kept_examples_correct_whoever_is_recognised_while_the_name_stands() -> None:
    model = load()
    row, ada = learned(model, 0, "angry")
    names = {1: ada}
    calibration = Calibration(baseline=False)
    calibration.begin(model)

    def said(track_ids: list[int], time_s: float) -> list[str]:
        probs = calibration(track_ids, np.repeat(row, len(track_ids), axis=0), time_s)
        return [EMOTIONS[top] for top in probs.argmax(axis=1)]

    assert said([1, 2], 0.0) == ["neutral"] * 2
    calibration.kept = names.get
    assert said([2, 1], 0.1) == ["neutral", "angry"]
    names[2] = names.pop(1)  # the name goes over to the other face
    assert said([1, 2], 0.2) == ["neutral", "angry"]
    # What the visitor showed is newer; what only went over to a face is not.
    _, own = learned(model, 0, "sad")
    calibration.corrector, calibration.owner = Corrector(own, model), 2
    assert said([1, 2], 0.3) == ["neutral", "sad"]
    calibration.owner = 1
    assert said([1, 2], 0.4) == ["sad", "angry"]
    assert said([2], AWAY_S + 0.5) == ["angry"]
    names.clear()
    assert said([2], AWAY_S + 0.6) == ["sad"]


def test_kept_examples_of_another_network_are_not_used() -> None:
    model = load()
    row, own = learned(model, 0, "angry")
    calibration = Calibration(baseline=False)
    calibration.kept = lambda _: replace(own, model=Weights(name="another", sha256="0" * 64))
    calibration.begin(model)
    assert calibration([1], row, 0.0).argmax() == EMOTIONS.index("neutral")
    calibration.kept = lambda _: own
    assert calibration([1], row, 0.1).argmax() == EMOTIONS.index("angry")


def show(guide: Guide, seconds: float, start_s: float = 0.0, track_id: int = 4) -> float:
    """Show a face, read five times a second; return when it ended."""
    for time_s in np.arange(start_s, start_s + seconds, 0.2):
        guide(track_id, np.full(263, time_s, np.float32), float(time_s))
    return start_s + seconds


def test_the_guide_leads_through_every_step() -> None:
    guide = Guide(["happy", "sad"])
    assert guide.progress.emotion == "neutral" and guide.progress.prepares
    seen, shares = [], []
    for time_s in np.arange(0, 3 * (PREPARE_S + HOLD_S) + 1, 0.2):
        guide(4, np.full(263, time_s, np.float32), float(time_s))
        shares.append(guide.progress.share)
        if guide.progress.emotion not in seen:
            seen.append(guide.progress.emotion)
    assert seen == ["neutral", "happy", "sad", None] and guide.progress.problem is None
    assert shares == sorted(shares) and shares[0] < 0.1 and shares[-1] == 1.0
    assert guide.track_id == 4 and set(guide.labels) == {"neutral", "happy", "sad"}
    for name in ("neutral", "happy", "sad"):
        assert LEAST_READINGS <= guide.labels.count(name) <= 2 * HOLD_S + 3
    kept = [float(row[0]) for row in guide.rows]
    assert kept == sorted(kept) and kept[0] >= PREPARE_S  # nothing while the face changes


def test_the_guide_waits_where_faces_are_read_rarely() -> None:
    guide = Guide(["happy"])
    for time_s in range(0, 40, 2):
        guide(1, np.zeros(263, np.float32), float(time_s))
    assert guide.progress.emotion is None and guide.progress.problem is None
    assert guide.labels.count("happy") >= LEAST_READINGS


def test_the_guide_ends_where_it_cannot_tell_whose_face_it_is() -> None:
    guide = Guide(["happy"])
    end_s = show(guide, 3.0)
    show(guide, 0.4, end_s + 10.0)  # the same number is the same face
    assert guide.progress.problem is None
    show(guide, 0.4, end_s + 17.0, track_id=5)
    assert guide.progress.emotion is None and "was lost" in (guide.progress.problem or "")


def test_the_guide_goes_on_with_a_face_that_comes_back_at_once_under_a_new_number() -> None:
    guide = Guide(["happy"])
    end_s = show(guide, 3.0)
    guide(7, np.zeros(263, np.float32), end_s + 2.0)  # once may be a mistake
    assert guide.track_id == 4
    show(guide, 20.0, end_s + 2.2, track_id=7)
    assert guide.track_id == 7 and not guide.one_track
    assert guide.progress.emotion is None and guide.progress.problem is None


def test_before_its_first_reading_the_guide_takes_the_face_that_stays() -> None:
    guide = Guide(["happy"])
    show(guide, 1.0, track_id=3)
    show(guide, 8.0, 1.0, track_id=4)
    assert guide.track_id == 4 and guide.progress.problem is None and guide.rows


@pytest.mark.parametrize("apart_s", [0.0, -0.1])
def test_the_guide_waits_while_another_face_is_in_view(apart_s: float) -> None:
    guide = Guide(["happy"])
    end_s = show(guide, PREPARE_S + 1.0)
    kept = len(guide.rows)
    assert kept and not guide.progress.crowded
    for time_s in np.arange(end_s, end_s + 10, 0.2):
        guide(9, np.zeros(263, np.float32), float(time_s + apart_s))
        guide(4, np.zeros(263, np.float32), float(time_s))
    assert guide.track_id == 4 and guide.one_track
    assert guide.progress.crowded and guide.progress.emotion == "neutral"
    assert len(guide.rows) == kept
    show(guide, 2 * (PREPARE_S + HOLD_S) + 4, end_s + 10)
    assert guide.progress.emotion is None and guide.progress.problem is None
    assert "happy" in guide.labels


@pytest.mark.parametrize("wrong", [[], ["neutral"], ["glad"], ["sad", "sad"], list(EMOTIONS[:4])])
def test_the_guide_takes_one_to_three_expressions(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match="Expected 1 to 3"):
        Guide(wrong)
