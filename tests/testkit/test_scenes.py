from __future__ import annotations

from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from emorec.geometry import clip
from testkit.backgrounds import background, thing
from testkit.heads import astronaut_head, gray_heads
from testkit.scenes import FPS, LIGHTS, Actor, Frame, Pose, Scene, Truth, film
from testkit.standard import pictures, standard_scenes

SCENES = {scene.name: scene for scene in standard_scenes()}
FACES = {
    "crossing": 2,
    "occlusion": 2,
    "entry and exit": 4,
    "camera shake": 3,
    "crowd": 25,
    "mover": 1,
}


def alone(pose: Pose | None, size_wh: tuple[int, int] = (320, 240)) -> Frame:
    """The astronaut in this pose, before a quiet background."""
    actor = Actor(1, astronaut_head(), lambda time_s: pose)
    return next(film(Scene("test", size_wh, 1, [actor])))


def far_off(frame: Frame, truth: Truth) -> tuple[float, float]:
    """Return how many pixels off its box the source's face is found, and how alike it is."""
    head = astronaut_head()
    x1, y1, x2, y2 = head.box_xyxy.astype(int)
    side = round(truth.box_xyxy[2] - truth.box_xyxy[0])
    face = cv2.resize(head.image_bgr[y1:y2, x1:x2], (side, side), interpolation=cv2.INTER_AREA)
    reach = 10
    x, y = np.rint(truth.box_xyxy[:2]).astype(int) - reach
    around = frame.image_bgr[y : y + side + 2 * reach, x : x + side + 2 * reach]
    match = cv2.matchTemplate(around, face, cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(match)
    return float(np.abs(np.subtract(place, reach)).max()), best


def test_nobody_leaves_a_picture_without_faces() -> None:
    assert alone(None).truths == ()
    assert list(pictures(48, 0, "even", 0)) == []


@pytest.mark.parametrize("side", [48, 96, 104, 140])
@pytest.mark.parametrize("place", [(160, 120), (130.5, 110.25)])
def test_a_face_is_where_its_box_says(side: float, place: tuple[float, float]) -> None:
    frame = alone(Pose(*place, side))
    (truth,) = frame.truths
    np.testing.assert_allclose(
        truth.box_xyxy, np.add(np.tile(place, 2), np.repeat([-side / 2, side / 2], 2)), atol=0.5
    )
    away, alike = far_off(frame, truth)
    assert away <= 1 and alike > 0.85
    assert truth.visible == 1


@pytest.mark.parametrize("tilt", [-30, -15, 15, 30])
def test_a_tilted_face_turns_around_the_middle_of_its_box(tilt: float) -> None:
    frame = alone(Pose(160, 120, 90, tilt))
    upright = cv2.getRotationMatrix2D((159.5, 119.5), tilt, 1)
    turned = Frame(cv2.warpAffine(frame.image_bgr, upright, (320, 240)), 0, frame.truths)
    away, alike = far_off(turned, frame.truths[0])
    assert away <= 1 and alike > 0.85
    # Positive leans right: the eyes' side of the face lies to the right of its middle.
    assert far_off(frame, frame.truths[0])[1] < alike


def test_a_positive_tilt_leans_to_the_right() -> None:
    upright, leaning = (alone(Pose(160, 120, 90, tilt)).image_bgr for tilt in (0, 30))
    changed = np.abs(upright.astype(int) - leaning).sum(axis=2) > 60
    above = np.nonzero(changed[:70])[1]
    assert np.median(above) > 160


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize(("side", "tilt"), [(24, 0), (48, 30), (96, 15), (200, 30)])
def test_pictures_hold_whole_faces_and_as_many_as_asked_for(
    side: float, tilt: float, light: str
) -> None:
    made = list(pictures(side, tilt, light, 8))
    truths = [truth for frame in made for truth in frame.truths]
    assert 8 <= len(truths) <= 9
    boxes = np.array([truth.box_xyxy for truth in truths])
    np.testing.assert_array_equal(boxes, clip(boxes, (640, 480)))
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], side, rtol=0.07)
    assert min(truth.visible for truth in truths) > 0.97
    assert all(frame.image_bgr.shape == (480, 640, 3) for frame in made)


def test_pictures_are_the_same_every_time_and_differ_from_each_other() -> None:
    first, second = (list(pictures(200, 15, "side", 2)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image_bgr, other.image_bgr)
        np.testing.assert_array_equal(one.truths[0].box_xyxy, other.truths[0].box_xyxy)
    assert (first[0].image_bgr != first[1].image_bgr).any()


def test_light_changes_what_is_seen_and_not_where() -> None:
    by_light = {light: next(pictures(96, 0, light, 1)) for light in LIGHTS}

    def face(light: str) -> np.ndarray:
        x1, y1, x2, y2 = by_light[light].truths[0].box_xyxy.astype(int)
        return by_light[light].image_bgr[y1:y2, x1:x2].astype(float)

    assert face("dark").mean() < 0.35 * face("even").mean()
    assert face("bright").mean() > 1.25 * face("even").mean()
    assert face("low contrast").std() < 0.4 * face("even").std()
    halves = [half.mean() for half in np.array_split(face("side"), 2, axis=1)]
    assert max(halves) > 1.3 * min(halves)


@pytest.mark.parametrize("name", SCENES)
def test_films_are_the_same_every_time_and_hold_who_they_should(name: str) -> None:
    assert SCENES.keys() == FACES.keys()
    scene = SCENES[name]
    again = next(one for one in standard_scenes() if one.name == name)
    for one, other in zip(islice(film(scene), 3), islice(film(again), 3), strict=True):
        np.testing.assert_array_equal(one.image_bgr, other.image_bgr)
    assert len([actor for actor in scene.actors if actor.face_id]) == FACES[name]
    other = next(one for one in standard_scenes(seed=1) if one.name == name)
    assert (next(film(other)).image_bgr != next(film(scene)).image_bgr).any()


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "seconds"), [("crossing", 5), ("occlusion", 5), ("entry and exit", 15)]
)
def test_who_hides_comes_back(name: str, seconds: float) -> None:
    frames = list(film(replace(SCENES[name], seconds=seconds)))
    assert [frame.time_s for frame in frames] == [n / FPS for n in range(len(frames))]
    size_wh = SCENES[name].size_wh
    seen: dict[int, list[float]] = {}
    for frame in frames:
        own = {truth.face_id: truth.visible for truth in frame.truths}
        assert len(own) == len(frame.truths)
        for truth in frame.truths:
            assert 0 <= truth.visible <= 1
            (inside,) = clip(truth.box_xyxy, size_wh)
            assert (inside[2:] > inside[:2]).all()
            if np.abs(inside - truth.box_xyxy).max() > 2:
                assert truth.visible < 1
        for face_id in range(1, FACES[name] + 1):
            seen.setdefault(face_id, []).append(own.get(face_id, 0.0))
    changes = {
        face_id: int(np.count_nonzero(np.diff(np.array(visible) > 0.5)))
        for face_id, visible in seen.items()
    }
    if name == "crossing":  # the second one is in front, so only the first is hidden
        assert changes == {1: 2, 2: 0}
    elif name == "occlusion":
        assert changes == {1: 2, 2: 2}
        assert all(min(visible) < 0.05 for visible in seen.values())
    else:
        assert all(changes[face_id] == 2 for face_id in changes)
        assert not frames[-1].truths


def test_the_mover_runs_at_200_pixels_a_second() -> None:
    (actor,) = SCENES["mover"].actors
    poses = [actor.path(time_s) for time_s in np.arange(0, SCENES["mover"].seconds, 1 / FPS)]
    places = np.array([(pose.x, pose.y) for pose in poses if pose])
    speed = np.hypot(*np.diff(places, axis=0).T) * FPS
    assert 190 < np.median(speed) < 210
    assert speed.max() < 225


def test_a_shaking_camera_moves_everyone_alike() -> None:
    scene = SCENES["camera shake"]
    still = [
        truth.box_xyxy
        for truth in next(film(Scene("still", scene.size_wh, 1, scene.actors))).truths
    ]
    shaken = [truth.box_xyxy for truth in next(film(scene)).truths]
    np.testing.assert_allclose(
        np.subtract(shaken, still) - np.tile(scene.shake(0), 2), 0, atol=1e-9
    )
    throws = np.array([scene.shake(t) for t in np.arange(0, 8, 1 / FPS)])
    assert np.abs(throws).max() <= 40
    assert np.abs(np.diff(throws, axis=0)).max() * FPS > 100


def test_the_head_wears_other_faces() -> None:
    x1, y1, x2, y2 = 172, 62, 276, 166
    gray = cv2.cvtColor(astronaut()[y1:y2, x1:x2], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA)
    heads = gray_heads(np.array([small, small[:, ::-1]]))
    assert len(heads) == 2 and gray_heads(np.empty((0, 48, 48), np.uint8)) == []
    actor = Actor(1, heads[1], lambda time_s: Pose(160, 120, 96))
    frame = next(film(Scene("test", (320, 240), 1, [actor])))
    x1, y1, x2, y2 = np.rint(frame.truths[0].box_xyxy).astype(int)
    face = cv2.resize(frame.image_bgr[y1:y2, x1:x2], (48, 48))[10:38, 10:38, 0].ravel()
    alike, other = (
        np.corrcoef(face, one[10:38, 10:38].ravel())[0, 1] for one in (small[:, ::-1], small)
    )
    assert alike > 0.95 > other


def test_backgrounds_and_things_are_seeded_and_varied() -> None:
    made = [background(np.random.default_rng(seed), (160, 120), 4) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any() and made[0].shape == (120, 160, 3)
    rng = np.random.default_rng(0)
    things = [thing(rng, 40) for _ in range(20)]
    assert all(0.1 < one.mask.mean() < 0.95 for one in things)
    assert len({one.image_bgr.tobytes() + one.mask.tobytes() for one in things}) > 15
