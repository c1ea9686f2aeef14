"""One reader for live pictures, video files and photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from emorec import EmotionRecognizer, Settings
from emorec.reading import Reader
from emorec.records import FrameResult
from testkit import portraits

FPS = 25


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(settings=Settings())


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """A second and a half of two people who move to the right."""
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    return [np.roll(image, number * 2, axis=1) for number in range(int(1.5 * FPS))]


class Ada:
    """Calls every face Ada."""

    def named(self, image_bgr: np.ndarray, result: FrameResult) -> FrameResult:
        assert image_bgr.shape[1::-1] == result.size_wh
        return replace(result, faces=tuple(replace(face, name="Ada") for face in result.faces))


def play(reader: Reader, film: list[np.ndarray]) -> list[FrameResult]:
    return [reader.read(image, number / FPS) for number, image in enumerate(film)]


def ticking(step_s: float) -> Iterator[float]:
    return count(0.0, step_s)


def read(results: list[FrameResult]) -> dict[int, int]:
    """Return how often each face was read."""
    ids = [
        face.track_id
        for result in results
        for face in result.faces
        if not np.isnan(face.probs_raw).any()
    ]
    return {track_id: ids.count(track_id) for track_id in set(ids)}


def test_a_file_is_read_alike_whatever_the_machine_needs_for_it(
    recognizer: EmotionRecognizer, film: list[np.ndarray]
) -> None:
    def told(source: str, step_s: float) -> list[tuple[bool, tuple[tuple[object, ...], ...]]]:
        clock = ticking(step_s)
        reader = recognizer.reader(source, clock=lambda: next(clock))
        return [
            (
                result.detector_ran,
                tuple(
                    (face.track_id, face.box, face.emotion, face.probs_raw.tobytes())
                    for face in result.faces
                ),
            )
            for result in play(reader, film)
        ]

    assert told("file", 1e-6) == told("file", 5.0)
    assert told("live", 1e-6) != told("live", 5.0)  # a live picture adapts to it


@pytest.mark.parametrize(("readings_per_s", "expected"), [(2.0, 4), (5.0, 8), (100.0, 37)])
def test_no_frame_of_a_file_is_dropped_and_each_face_is_read_at_the_chosen_rate(
    recognizer: EmotionRecognizer, film: list[np.ndarray], readings_per_s: float, expected: int
) -> None:
    results = play(recognizer.reader("file", readings_per_s=readings_per_s), film)
    assert [result.index for result in results] == list(range(len(film)))
    assert [len(result.faces) for result in results[2:]] == [2] * (len(film) - 2)
    for times in read(results).values():
        assert times == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("source", ["live", "file", "picture"])
def test_names_and_calibration_reach_every_source(
    recognizer: EmotionRecognizer, film: list[np.ndarray], source: str
) -> None:
    asked: list[int] = []

    def angry(track_ids: list[int], rows: np.ndarray, time_s: float) -> np.ndarray:
        asked.extend(track_ids)
        assert rows.shape == (len(track_ids), 7 + 256) and time_s >= 0
        return np.eye(7, dtype=np.float32)[[0] * len(track_ids)]

    reader = recognizer.reader(source, names=Ada(), calibrate=angry)
    faces = play(reader, film[:6])[-1].faces
    assert [face.name for face in faces] == ["Ada", "Ada"]
    assert [face.emotion for face in faces] == ["angry", "angry"]
    # What the network says without the calibration stays in the result.
    raw = [face.probs_raw for face in faces]
    assert all(np.isnan(probs).all() or probs.argmax() != 0 for probs in raw)
    assert set(asked) == {1, 2}
    reader.names = None
    assert [face.name for face in reader.read(film[6], 6 / FPS).faces] == [None, None]


def test_settings_are_those_of_the_next_picture(
    recognizer: EmotionRecognizer, film: list[np.ndarray]
) -> None:
    reader = recognizer.reader("picture")
    assert len(reader.read(film[0]).faces) == 2
    reader.settings = Settings(min_face_px=200)
    assert reader.read(film[0]).faces == ()
