from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import FrozenInstanceError, fields, is_dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorec.emotions import EMOTIONS
from emorec.records import Box, Detection, Face, FrameResult, Track, unclassified


def face(probs: np.ndarray, emotion: str | None = None) -> Face:
    return Face(1, Box(0, 0, 10, 10), float("nan"), 0.0, 0.0, probs, probs, emotion)


def probs_of(**shares: float) -> np.ndarray:
    return np.array([shares.get(emotion, 0.0) for emotion in EMOTIONS], dtype=np.float32)


def test_a_face_that_was_not_read_has_no_opinion() -> None:
    unread = face(unclassified())
    assert not unread.classified
    assert np.isnan(unread.confidence) and np.isnan(unread.valence)
    assert list(unread.by_emotion) == list(EMOTIONS)


def test_unclassified_is_new_each_time() -> None:
    assert unclassified() is not unclassified()
    assert unclassified().shape == (len(EMOTIONS),) and unclassified().dtype == np.float32


@pytest.mark.parametrize(
    ("probs", "emotion", "confidence", "valence"),
    [
        (probs_of(happy=1), "happy", 1.0, 1.0),
        (probs_of(angry=0.5, fear=0.5), "angry", 0.5, -1.0),
        (probs_of(surprise=0.5, neutral=0.5), None, 0.5, 0.0),
        (probs_of(happy=0.4, sad=0.35, neutral=0.25), None, 0.4, 0.05),
        # A label that is held a little longer shows its own probability, not the best one.
        (probs_of(happy=0.52, neutral=0.48), "neutral", 0.48, 0.52),
    ],
)
def test_confidence_and_valence(
    probs: np.ndarray, emotion: str | None, confidence: float, valence: float
) -> None:
    shown = face(probs, emotion)
    assert shown.classified
    assert shown.confidence == pytest.approx(confidence)
    assert shown.valence == pytest.approx(valence)
    assert shown.by_emotion == pytest.approx(dict(zip(EMOTIONS, probs.tolist(), strict=True)))


@given(arrays(np.float32, 7, elements=st.floats(0.0009765625, 1, width=32)))
def test_valence_stays_in_range(raw: np.ndarray) -> None:
    assert -1.00001 <= face((raw / raw.sum()).astype(np.float32)).valence <= 1.00001


def test_records_do_not_change() -> None:
    shown = face(probs_of(happy=1), "happy")
    with pytest.raises(FrozenInstanceError):
        shown.emotion = "sad"  # type: ignore[misc]
    for probs in (shown.probs, shown.probs_raw):
        with pytest.raises(ValueError, match="read-only"):
            probs[0] = 1


def test_a_box_knows_its_size() -> None:
    assert (Box(2, 3, 12, 8).width, Box(2, 3, 12, 8).height) == (10, 5)


def test_an_empty_frame_has_nobody_in_it() -> None:
    result = FrameResult(0, 0.0, (640, 480))
    assert result.faces == () and dict(result.stage_ms) == {}


@pytest.mark.parametrize(
    ("emotion", "unreadable", "expected"),
    [
        ("happy", None, "happy"),
        (None, None, "unsure"),
        (None, "cut off", "unreadable: cut off"),
    ],
)
def test_says(emotion: str | None, unreadable: str | None, expected: str) -> None:
    probs = unclassified()
    face = Face(1, Box(0, 0, 9, 9), 0.9, 0, 0, probs, probs, emotion, unreadable=unreadable)
    assert face.says == expected


def content(value: Any) -> Any:
    """Return what can be compared of a record: NaN becomes None, and arrays say their type."""
    if isinstance(value, np.ndarray):
        numbers = value.astype(object)
        return str(value.dtype), np.where(np.isnan(value), None, numbers).tolist()
    if is_dataclass(value):
        return type(value), {f.name: content(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return [content(part) for part in value]
    if isinstance(value, float) and np.isnan(value):
        return None
    return type(value), value


def arrays_of(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    if is_dataclass(value):
        return [a for f in fields(value) for a in arrays_of(getattr(value, f.name))]
    return [a for part in value for a in arrays_of(part)] if isinstance(value, tuple) else []


READ = face(probs_of(happy=0.75, sad=0.25), "happy")
BOX = np.array([1.5, 2.0, 30.25, 40.0])
RECORDS = {
    "box": Box(1, 2, 3, 4),
    "detection": Detection(BOX.copy(), 0.9, 12.0),
    "track": Track(3, BOX.copy(), np.array([4.0, -2.0]), 0.9, 1.5, 0.25, 12.0),
    "face": READ,
    "unread face": face(unclassified()),
    "frame": FrameResult(4, 0.5, (640, 480), (READ, face(unclassified())), False, {"crop": 1.5}),
    "frame without faces": FrameResult(0, 0.0, (640, 480)),
}


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        *(
            pytest.param(lambda r, n=n: pickle.loads(pickle.dumps(r, n)), id=f"pickle {n}")
            for n in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
    ],
)
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_copy_is_equal_and_as_read_only(record: Any, copied: Callable[[Any], Any]) -> None:
    again = copied(record)
    assert content(again) == content(record)
    assert not any(array.flags.writeable for array in arrays_of(record) + arrays_of(again))
    if isinstance(again, FrameResult):
        with pytest.raises(TypeError):
            again.stage_ms["crop"] = 0.0  # type: ignore[index]


def test_records_pass_between_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    # A spawned process runs the main module again, which may be a page that another test has shown.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    records = tuple(RECORDS.values())
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        again = pool.submit(copy.deepcopy, records).result(timeout=60)
    assert content(again) == content(records)
    assert not any(array.flags.writeable for array in arrays_of(again))


def test_a_frame_does_not_change_with_the_times_it_was_made_of() -> None:
    times = {"crop": 1.5}
    result = FrameResult(0, 0.0, (640, 480), stage_ms=times)
    times["crop"] = 9.0
    assert dict(result.stage_ms) == {"crop": 1.5}
    with pytest.raises(TypeError):
        result.stage_ms["crop"] = 9.0  # type: ignore[index]
