from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from emorec.drawing.overlay import moved
from emorec.emotions import EMOTIONS
from emorec.geometry import iou
from emorec.pipeline.crop import crop_faces
from emorec.pipeline.detect import HaarDetector
from emorec.pipeline.pipeline import Pipeline, read_picture, smallest_face, to_gray
from emorec.records import Detection, FrameResult
from emorec.settings import Settings

FPS = 30
STAGES = ("detect", "track", "crop", "classify", "smooth")


class Happy:
    """A classifier that is sure."""

    def classify(self, faces_gray: np.ndarray) -> np.ndarray:
        probs = np.full((len(faces_gray), 7), 0.02, np.float32)
        probs[:, EMOTIONS.index("happy")] = 0.88
        return probs


Place = Callable[[float], tuple[float, float]]


def still(time_s: float) -> tuple[float, float]:
    return 320.0, 240.0


def swaying(time_s: float) -> tuple[float, float]:
    """To and fro at up to 200 pixels a second."""
    return 320 + 160 * np.sin(200 / 160 * time_s), 240.0


def watch(
    pipeline: Pipeline, scene: Any, place: Place, frames: int, start_s: float = 0.0
) -> list[FrameResult]:
    times = [start_s + number / FPS for number in range(frames)]
    return [pipeline.update(scene.frame(place(time_s)), time_s) for time_s in times]


@pytest.fixture
def pipeline(detector: HaarDetector) -> Pipeline:
    return Pipeline(detector, Happy(), Settings(), unsure_below=0.4)


def test_an_empty_room(pipeline: Pipeline, scene: Any) -> None:
    results = [pipeline.update(scene.frame(), number / FPS) for number in range(5)]
    assert [result.faces for result in results] == [()] * 5
    assert [result.index for result in results] == [0, 1, 2, 3, 4]
    assert all(result.size_wh == (640, 480) for result in results)
    assert all(tuple(result.stage_ms) == STAGES for result in results)
    assert all(result.detector_ran for result in results)


@pytest.mark.parametrize("size_hw", [(1, 1), (2, 700), (30, 20)])
def test_a_tiny_frame(pipeline: Pipeline, size_hw: tuple[int, int]) -> None:
    assert pipeline.update(np.zeros((*size_hw, 3), np.uint8), 0.0).faces == ()


def test_a_moving_face_is_one_person_under_its_box(pipeline: Pipeline, scene: Any) -> None:
    results = watch(pipeline, scene, swaying, 60)
    assert results[0].faces == () and len(results[1].faces) == 1
    for result in results[1:]:
        (face,) = result.faces
        assert face.track_id == 1
        assert (face.emotion, face.classified) == ("happy", True)
        assert result.stage_ms.keys() == set(STAGES)
        assert all(ms >= 0 for ms in result.stage_ms.values())
    overlaps = [
        iou(result.faces[0].box, scene.truth(swaying(result.time_s)))[0, 0]
        for result in results[15:]
    ]
    assert np.mean(overlaps) >= 0.85 and min(overlaps) >= 0.75


@pytest.mark.parametrize("delay_s", [0.033, 0.066])
def test_the_drawn_box_does_not_trail(pipeline: Pipeline, scene: Any, delay_s: float) -> None:
    overlaps = []
    for result in watch(pipeline, scene, swaying, 60)[15:]:
        (face,) = moved(result.faces, delay_s, result.size_wh)
        overlaps.append(iou(face.box, scene.truth(swaying(result.time_s + delay_s)))[0, 0])
    assert np.mean(overlaps) >= 0.85 and np.percentile(overlaps, 5) >= 0.75


@pytest.mark.parametrize("side", [60, 110, 200])
def test_the_box_of_a_still_face_is_still(pipeline: Pipeline, scene: Any, side: float) -> None:
    middles = []
    for number in range(60):
        result = pipeline.update(scene.frame(still(0), side=side), number / FPS)
        if number >= 15:
            box = np.array(result.faces[0].box)
            middles.append((box[:2] + box[2:]) / 2)
    # In pixels; the box's corners are whole ones.
    assert np.std(middles, axis=0).max() <= 1.5


@pytest.mark.parametrize("where", ["gone", "out of the picture"])
def test_a_face_that_leaves_is_gone_within_a_second(
    pipeline: Pipeline, scene: Any, where: str
) -> None:
    def leaving(time_s: float) -> tuple[float, float]:
        if where == "gone":
            return (320.0, 240.0) if time_s < 1 else (-500.0, 240.0)
        return 320 + max(time_s - 0.4, 0) * 450, 240.0  # its middle crosses the border at 1.1 s

    results = watch(pipeline, scene, leaving, 66)
    assert len(results[15].faces) == 1
    assert results[-1].time_s > 2.1 and results[-1].faces == ()
    assert all(face.box.width > 0 for result in results for face in result.faces)


def test_ids_go_on_after_a_reset(pipeline: Pipeline, scene: Any) -> None:
    watch(pipeline, scene, still, 4)
    pipeline.reset()
    results = watch(pipeline, scene, still, 4, start_s=4 / FPS)
    assert results[0].faces == () and results[0].detector_ran
    assert [face.track_id for face in results[-1].faces] == [2]
    assert results[-1].index == 7
    assert results[-1].faces[0].age_s == pytest.approx(3 / FPS)


def test_the_whole_picture_is_searched_now_and_then(pipeline: Pipeline, scene: Any) -> None:
    ran = [result.detector_ran for result in watch(pipeline, scene, still, 60)]
    assert ran[0] and 2 <= sum(ran) <= 60 * 0.35


def test_a_newcomer_is_seen(pipeline: Pipeline, scene: Any) -> None:
    for number in range(30):
        middles = [(180, 240)] if number < 15 else [(180, 240), (460, 240)]
        result = pipeline.update(scene.frame(*middles), number / FPS)
    assert [face.track_id for face in result.faces] == [1, 2]
    assert result.faces[0].box.x1 < result.faces[1].box.x1


def test_caution_searches_every_frame_and_believes_at_once(
    detector: HaarDetector, scene: Any
) -> None:
    pipeline = Pipeline(detector, Happy(), Settings(cautious=True), unsure_below=0.4)
    results = watch(pipeline, scene, swaying, 10)
    assert all(result.detector_ran for result in results)
    assert all(len(result.faces) == 1 for result in results)


def textured() -> np.ndarray:
    """A picture that is neither dark nor blurred anywhere."""
    squares = np.random.default_rng(0).integers(0, 256, (60, 80, 1), dtype=np.uint8)
    return cv2.resize(np.tile(squares, 3), (640, 480), interpolation=cv2.INTER_NEAREST)


class Script:
    """A detector that finds what it is told to, and notes where it is sent."""

    def __init__(self, found: list[Detection], nearby: list[Detection]) -> None:
        self.found, self.nearby = found, nearby
        self.asked_near: list[int] = []

    def detect(self, image_gray: np.ndarray, min_face_px: float) -> list[Detection]:
        return list(self.found)

    def detect_near(self, image_gray: np.ndarray, boxes_xyxy: np.ndarray) -> list[Detection]:
        self.asked_near.append(len(boxes_xyxy))
        return self.nearby[: len(boxes_xyxy)]


def test_what_the_search_misses_is_looked_for_from_nearby() -> None:
    here = Detection(np.array([50.0, 50, 150, 150]), float("nan"))
    script = Script([here], [here])
    pipeline = Pipeline(script, Happy(), Settings(cautious=True), unsure_below=0.4)
    image = textured()
    pipeline.update(image, 0.0)
    script.found = []
    result = pipeline.update(image, 1 / FPS)
    assert script.asked_near[-1] == 1
    assert result.faces[0].unseen_s == 0


@pytest.mark.parametrize("cautious", [False, True])
def test_what_only_the_look_from_nearby_finds_is_doubted_but_with_caution(cautious: bool) -> None:
    here = Detection(np.array([50.0, 50, 150, 150]), float("nan"))
    script = Script([here], [here])
    pipeline = Pipeline(script, Happy(), Settings(cautious=cautious), unsure_below=0.4)
    results = []
    for number in range(5 * FPS):
        if number == 10:
            script.found = []
        results.append(pipeline.update(textured(), number / FPS))
    assert [len(result.faces) for result in results[15 : 2 * FPS]] == [1] * (2 * FPS - 15)
    assert len(results[-1].faces) == cautious


def test_a_face_that_is_not_seen_is_not_read() -> None:
    here = Detection(np.array([50.0, 50, 150, 150]), float("nan"))
    script = Script([here], [])
    pipeline = Pipeline(script, Happy(), Settings(cautious=True), unsure_below=0.4)
    image = textured()
    pipeline.update(image, 0.0)
    script.found = []
    (face,) = pipeline.update(image, 0.1).faces
    assert face.unseen_s == pytest.approx(0.1)
    assert np.isnan(face.probs_raw).all()
    assert face.emotion == "happy" and face.classified


def test_settings_may_change_between_frames(pipeline: Pipeline, scene: Any) -> None:
    watch(pipeline, scene, still, 4)
    pipeline.settings = Settings(min_face_px=200)
    results = watch(pipeline, scene, still, 30, start_s=4 / FPS)
    assert results[0].faces != () and results[-1].faces == ()


@pytest.mark.parametrize(
    ("min_face_px", "size_wh", "expected"),
    [(48, (640, 480), 48), (48, (1, 1), 48), (48, (4000, 3000), 80), (48, (3000, 4000), 80)],
)
def test_smallest_face(min_face_px: int, size_wh: tuple[int, int], expected: float) -> None:
    assert smallest_face(Settings(min_face_px=min_face_px), size_wh) == expected


def test_a_picture_has_no_past(detector: HaarDetector, scene: Any) -> None:
    image = scene.frame((460, 240), (180, 220))
    result = read_picture(image, detector, Happy(), Settings(), 0.4)
    assert [face.track_id for face in result.faces] == [1, 2]
    assert result.faces[0].box.x1 < result.faces[1].box.x1
    assert all(face.emotion == "happy" and face.unseen_s == 0 for face in result.faces)
    assert set(result.stage_ms) == {"detect", "crop", "classify"}
    assert read_picture(scene.frame(), detector, Happy(), Settings(), 0.4).faces == ()


BOX = (50.0, 50.0, 150.0, 150.0)


def found(box: tuple[float, float, float, float] = BOX) -> Detection:
    return Detection(np.array(box), 0.9)


@pytest.mark.parametrize(
    ("box", "image", "expected"),
    [
        (BOX, textured(), None),
        ((50, 50, 73, 73), textured(), "too small"),
        ((-40, 50, 60, 150), textured(), "cut off"),
        (BOX, textured() // 100, "too dark"),
        (BOX, cv2.GaussianBlur(textured(), (0, 0), 20), "too blurred"),
    ],
)
def test_a_face_that_cannot_be_read_is_followed_and_not_labelled(
    box: tuple[float, float, float, float], image: np.ndarray, expected: str | None
) -> None:
    script = Script([found(box)], [found(box)])
    pipeline = Pipeline(script, Happy(), Settings(min_face_px=20), unsure_below=0.4)
    results = [read_picture(image, script, Happy(), Settings(min_face_px=20), 0.4)]
    results += [pipeline.update(image, number / FPS) for number in range(10)][1:]
    for result in results:
        (face,) = result.faces
        assert (face.track_id, face.unreadable) == (1, expected)
        assert face.classified == (expected is None)
        assert face.emotion == (None if expected else "happy")
        assert np.isnan(face.probs_raw).all() == (expected is not None)


def test_a_face_keeps_its_id_and_its_past_while_it_cannot_be_read() -> None:
    class Wavering:
        """Happy at first; later not sure enough for a new label, only for one on show."""

        share = 0.9

        def classify(self, faces_gray: np.ndarray) -> np.ndarray:
            probs = np.full((len(faces_gray), 7), (1 - self.share) / 6, np.float32)
            probs[:, EMOTIONS.index("happy")] = self.share
            return probs

    script, classifier = Script([found()], [found()]), Wavering()
    pipeline = Pipeline(script, classifier, Settings(), unsure_below=0.4)
    for number in range(100):
        image = textured() if number < 10 or number >= 95 else textured() // 100
        classifier.share = 0.9 if number < 10 else 0.37
        (face,) = pipeline.update(image, number / FPS).faces or (None,)
        if 10 <= number < 95:
            assert (face.track_id, face.unreadable, face.emotion) == (1, "too dark", None)
    assert (face.track_id, face.unreadable, face.emotion) == (1, None, "happy")


@pytest.mark.parametrize(("cautious", "expected"), [(False, 0), (True, 1)])
def test_who_walks_out_leaves_no_box_at_the_border(cautious: bool, expected: int) -> None:
    script = Script([], [])
    pipeline = Pipeline(script, Happy(), Settings(cautious=cautious), unsure_below=0.4)
    image = textured()
    for number in range(20):
        x = 500.0 + 5 * number
        script.found = script.nearby = [found((x, 50, x + 100, 150))]
        faces = pipeline.update(image, number / FPS).faces
        assert number == 0 or len(faces) == 1
    script.found = script.nearby = []
    for number in range(20, 28):
        faces = pipeline.update(image, number / FPS).faces
    assert len(faces) == expected


def test_a_leaning_head_reaches_the_network_upright() -> None:
    class Keeping(Happy):
        def classify(self, faces_gray: np.ndarray) -> np.ndarray:
            self.faces = faces_gray
            return super().classify(faces_gray)

    leaning = Detection(np.array(BOX), 0.9, tilt_deg=30.0)
    image = textured()
    keeping = Keeping()
    read_picture(image, Script([leaning], []), keeping, Settings(), 0.4)
    expected = crop_faces(to_gray(image), [BOX], [30.0])
    np.testing.assert_array_equal(keeping.faces, expected)
    pipeline = Pipeline(Script([leaning], [leaning]), keeping, Settings(), unsure_below=0.4)
    pipeline.update(image, 0.0)
    pipeline.update(image, 1 / FPS)
    np.testing.assert_array_equal(keeping.faces, expected)
