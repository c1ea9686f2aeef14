from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from emorec.geometry import iou
from emorec.pipeline.follow import Follower

BOX = np.array([[200.0, 120, 300, 220]])


@cache
def texture(seed: int, size_wh: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Soft random ground, as skin and walls are: uint8 (h, w)."""
    noise = np.random.default_rng(seed).normal(0, 1, size_wh[::-1]).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4) * 6 + cv2.GaussianBlur(noise, (0, 0), 1.5)
    return (128 + soft * 90).clip(0, 255).astype(np.uint8)


def placed(
    shift: tuple[float, float] = (0, 0), scale: float = 1.0, tilt_deg: float = 0.0
) -> np.ndarray:
    """Return a picture whose face, at `BOX` at first, was moved, with a camera's noise."""
    move = cv2.getRotationMatrix2D((250.0, 170.0), -tilt_deg, scale)
    move[:, 2] += shift
    face = cv2.warpAffine(texture(1), move, (640, 480))
    mask = np.zeros((480, 640), np.uint8)
    mask[110:230, 190:310] = 1
    mask = cv2.warpAffine(mask, move, (640, 480), flags=cv2.INTER_NEAREST)
    noise = np.random.default_rng(abs(int(shift[0] * 7 + shift[1]))).normal(0, 2, face.shape)
    return np.clip(np.where(mask > 0, face, texture(2)) + noise, 0, 255).astype(np.uint8)


def moved(
    one: np.ndarray, other: np.ndarray, boxes: np.ndarray = BOX
) -> tuple[np.ndarray, np.ndarray]:
    follower = Follower()
    follower.move(one, boxes)
    return follower.move(other, boxes)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (12, 7), (-18, 0), (0.4, 0.3)])
def test_a_face_that_moves_is_followed(shift: tuple[float, float]) -> None:
    boxes, followed = moved(placed(), placed(shift))
    assert followed.tolist() == [True]
    assert boxes - BOX == pytest.approx(np.tile(shift, 2)[None], abs=0.6)


@pytest.mark.parametrize("scale", [0.95, 1.05])
def test_a_face_that_comes_nearer_grows(scale: float) -> None:
    boxes, followed = moved(placed(), placed(scale=scale))
    assert followed.all()
    assert boxes[0, 2] - boxes[0, 0] == pytest.approx(100 * scale, abs=1.5)


@pytest.mark.parametrize("tilt_deg", [-4, 4])
def test_a_head_that_leans_a_little_more_stays_where_it_is(tilt_deg: float) -> None:
    boxes, followed = moved(placed(), placed(tilt_deg=tilt_deg))
    assert followed.all()
    assert iou(boxes, BOX)[0, 0] > 0.93


def test_a_face_in_whose_place_something_else_is_is_lost() -> None:
    boxes, followed = moved(placed(), texture(5))
    assert followed.tolist() == [False]
    np.testing.assert_array_equal(boxes, BOX)


def test_one_that_is_lost_does_not_cost_the_other() -> None:
    one, other = placed(), placed((5, 5))
    boxes = np.vstack([BOX, [[450.0, 300, 530, 380]]])
    other[290:390, 440:540] = texture(9)[290:390, 440:540]
    found, followed = moved(one, other, boxes)
    assert followed.tolist() == [True, False]
    np.testing.assert_array_equal(found[1], boxes[1])


def test_it_is_followed_from_frame_to_frame_and_does_not_drift() -> None:
    follower = Follower()
    boxes = BOX.copy()
    follower.move(placed(), boxes)
    for number in range(1, 31):
        shift = 60 * np.sin(number / 5), 20 * np.sin(number / 3)
        boxes, followed = follower.move(placed(shift), boxes)
        assert followed.all()
    assert iou(boxes, BOX + np.tile(shift, 2))[0, 0] > 0.9


def test_large_pictures_are_followed_in_their_own_pixels() -> None:
    def large(image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)

    boxes, followed = moved(large(placed()), large(placed((8, -4))), BOX * 4)
    assert followed.all()
    assert boxes - BOX * 4 == pytest.approx(np.array([[32.0, -16, 32, -16]]), abs=2)


@pytest.mark.parametrize("size_hw", [(240, 320), (480, 641), (1, 1)])
def test_in_a_picture_of_another_size_no_face_is_followed(size_hw: tuple[int, int]) -> None:
    boxes, followed = moved(placed(), np.zeros(size_hw, np.uint8))
    assert followed.tolist() == [False]
    np.testing.assert_array_equal(boxes, BOX)


@pytest.mark.parametrize("scale", [0.5, 0.75, 4.0])
def test_a_picture_that_shows_the_same_in_another_size_goes_on(scale: float) -> None:
    follower = Follower()
    follower.move(placed(), BOX)
    now = cv2.resize(placed((3, -2)), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    follower.rescale((now.shape[1], now.shape[0]))
    boxes, followed = follower.move(np.asarray(now, np.uint8), BOX * scale)
    assert followed.tolist() == [True]
    assert boxes == pytest.approx((BOX + np.tile([3, -2], 2)) * scale, abs=max(1.0, scale))


def test_after_a_reset_nothing_is_known_of_the_frame_before() -> None:
    follower = Follower()
    follower.move(placed(), BOX)
    follower.reset()
    assert follower.move(placed(), BOX)[1].tolist() == [False]


@pytest.mark.parametrize("size_hw", [(480, 640), (1, 1), (1, 700), (5, 5)])
def test_without_faces_nothing_is_followed(size_hw: tuple[int, int]) -> None:
    follower = Follower()
    for _ in range(2):
        boxes, followed = follower.move(np.zeros(size_hw, np.uint8), np.empty((0, 4)))
        assert boxes.shape == (0, 4) and followed.shape == (0,)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 700), (5, 5), (30, 20)])
def test_tiny_pictures_do_no_harm(size_hw: tuple[int, int]) -> None:
    boxes, followed = moved(
        np.zeros(size_hw, np.uint8), np.zeros(size_hw, np.uint8), np.array([[0.0, 0, 1, 1]])
    )
    assert np.isfinite(boxes).all() and followed.shape == (1,)


@pytest.mark.parametrize("box", [(-60, 120, 40, 220), (900, 900, 1000, 1000), (5, 5, 5, 5)])
def test_faces_at_and_beyond_the_border_do_no_harm(box: tuple[float, ...]) -> None:
    boxes, _ = moved(placed(), placed((3, 0)), np.array([box], dtype=np.float64))
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()


def test_what_was_handed_in_is_left_as_it_was() -> None:
    given = BOX.copy()
    moved(placed(), placed((5, 5)), given)
    np.testing.assert_array_equal(given, BOX)


def test_a_thumbnail_tells_the_face_from_what_hides_it() -> None:
    follower = Follower()
    follower.move(placed(), BOX)
    (before,) = follower.thumbnails(BOX)
    assert np.linalg.norm(before) == pytest.approx(1) and abs(before.mean()) < 1e-6
    boxes, _ = follower.move(placed((6, -3)), BOX)
    assert before @ follower.thumbnails(boxes)[0] > 0.9
    hidden = placed()
    x1, y1, x2, y2 = BOX[0].astype(int)
    hidden[y1:y2, x1 : (x1 + x2) // 2 + (x2 - x1) // 5] = 90
    follower.move(hidden, BOX)
    assert before @ follower.thumbnails(BOX)[0] < 0.6
    outside = np.array([[-200.0, -200, -100, -100], [5, 5, 5, 5]])
    assert not follower.thumbnails(outside).any()
