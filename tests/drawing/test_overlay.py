"""What is drawn on the picture: golden pictures, and what must hold for any faces.

``EMOREC_UPDATE_GOLDEN=1 pytest tests/drawing/test_overlay.py`` draws the golden pictures anew;
look at each of them before committing it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import example, given
from hypothesis import strategies as st

from emorec.drawing.overlay import Show, blur_all, blur_faces, draw_faces, moved
from emorec.emotions import EMOTIONS, rgb
from emorec.errors import ImageError
from emorec.records import Box, Face, unclassified

GOLDEN = Path(__file__).parent / "golden"
CASCADE = Path(__file__).parents[2] / "haarcascade_frontalface_default.xml"
SHOWS = get_args(Show)


def face(
    box: tuple[int, int, int, int],
    emotion: str | None = "happy",
    confidence: float = 0.87,
    *,
    track_id: int = 1,
    velocity_xy: tuple[float, float] = (0.0, 0.0),
    name: str | None = None,
) -> Face:
    probs = np.full(len(EMOTIONS), (1 - confidence) / 6, dtype=np.float32)
    probs[EMOTIONS.index(emotion or "neutral")] = confidence
    return Face(track_id, Box(*box), 0.9, 1.0, 0.0, probs, probs, emotion, velocity_xy, name=name)


def unknown(
    box: tuple[int, int, int, int], unreadable: str | None = None, *, track_id: int = 1
) -> Face:
    nothing = unclassified()
    return Face(track_id, Box(*box), 0.9, 0.0, 0.0, nothing, nothing, None, unreadable=unreadable)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)


@pytest.fixture(scope="module")
def haar() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(CASCADE))


def found(haar: cv2.CascadeClassifier, image_bgr: np.ndarray) -> list[Box]:
    gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    boxes = haar.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
    return [Box(x, y, x + w, y + h) for x, y, w, h in np.asarray(boxes).reshape(-1, 4).tolist()]


def plain(width: int, height: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, dtype=np.uint8)


def busy(width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(7).integers(0, 256, (height // 6, width // 6, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST)


ROW = (
    face((20, 60, 70, 120), "angry", 1.0),
    face((80, 60, 130, 120), "surprise", 0.61, track_id=2),
    face((190, 60, 240, 120), "fear", 0.4, track_id=3, name="Zoë"),
    unknown((250, 60, 300, 120), track_id=4),
)
RAMP = np.dstack([np.add.outer(np.arange(180), np.arange(320)) % 256] * 3).astype(np.uint8)
UNREAD = (
    face((150, 70, 210, 140), "sad", 0.66),
    unknown((40, 90, 62, 114), "too small", track_id=2),
    unknown((230, 70, 290, 140), "too blurred", track_id=12),
)
NAMED = (
    face((60, 150, 120, 220), name="Łukasz Øverby"),
    face((210, 150, 270, 220), "sad", 0.5, track_id=3, name="李雷"),
    face(
        (350, 150, 410, 220),
        "fear",
        0.7,
        track_id=4,
        name="Bartholomew Featherstonehaugh Cholmondeley",
    ),
)
PLACES = tuple(
    (x, y, x + 60, y + 70) for y in (30, 140, 250) for x in (20, 120, 220, 320, 420, 520)
)
CROWDED = (
    *(
        face(place, (*EMOTIONS, None)[i % 8], 0.6, track_id=7 * i + 1)
        for i, place in enumerate(PLACES[:-1])
    ),
    unknown(PLACES[-1], "too dark", track_id=120),
)
SCENES = {
    "light_crowd_label": (plain(640, 360, 245), CROWDED, "label"),
    "light_unreadable_all": (plain(320, 240, 245), UNREAD, "all"),
    "light_row_label": (plain(320, 180, 245), ROW, "label"),
    "dark_row_label": (plain(320, 180, 12), ROW, "label"),
    "light_names_label": (plain(480, 270, 245), NAMED, "label"),
    "light_top_all": (plain(320, 240, 245), (face((10, 0, 90, 100), "sad", 0.7),), "all"),
    "busy_whole_all": (busy(320, 180), (face((0, 0, 320, 180), "disgust", 0.5),), "all"),
    "dark_row_all": (plain(320, 180, 12), ROW, "all"),
    "ramp_corner_blur": (RAMP, (face((260, 120, 330, 190), None, 0.3),), "blur"),
}


@pytest.mark.parametrize("name", SCENES)
def test_golden(name: str) -> None:
    image, faces, show = SCENES[name]
    drawn = draw_faces(image, faces, show)
    path = GOLDEN / f"{name}.png"
    if os.environ.get("EMOREC_UPDATE_GOLDEN") == "1":
        cv2.imwrite(str(path), drawn)
    golden = cv2.imread(str(path))
    assert golden is not None and golden.shape == drawn.shape
    difference = np.abs(golden.astype(int) - drawn).max(axis=2)
    # Another build of OpenCV may round the edges of letters otherwise; never whole strokes.
    assert np.mean(difference > 48) < 0.0005


def test_nobody_leaves_the_picture_as_it_is(astronaut: np.ndarray) -> None:
    for show in SHOWS:
        drawn = draw_faces(astronaut, [], show)
        assert drawn is not astronaut and not np.shares_memory(drawn, astronaut)
        np.testing.assert_array_equal(drawn, astronaut)


@pytest.mark.parametrize("show", SHOWS)
@pytest.mark.parametrize("size_wh", [(0, 0), (1, 1), (3, 200), (200, 3), (16, 16), (40, 30)])
def test_tiny_pictures(size_wh: tuple[int, int], show: Show) -> None:
    image = plain(*size_wh, 128)
    faces = [
        face((0, 0, 2, 2)),
        face((0, 0, *size_wh), name="A rather long name"),
        unknown((1,) * 4),
    ]
    assert draw_faces(image, faces, show).shape == image.shape
    assert blur_all(image).shape == image.shape


@example(boxes=[(0, -2, 1, -1)], show="blur", emotion=None, name=None, confidence=0.3)
@given(
    boxes=st.lists(st.tuples(*[st.integers(-80, 240)] * 4), max_size=4),
    show=st.sampled_from(SHOWS),
    emotion=st.sampled_from([*EMOTIONS, None]),
    name=st.none() | st.text(max_size=60),
    confidence=st.floats(0, 1),
)
def test_any_box_anywhere(
    boxes: list[tuple[int, int, int, int]],
    show: Show,
    emotion: str | None,
    name: str | None,
    confidence: float,
) -> None:
    image = busy(160, 120)
    before = image.copy()
    faces = [face(box, emotion, confidence, name=name) for box in boxes]
    drawn = draw_faces(image, faces, show)
    assert drawn.shape == image.shape and drawn.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


def test_a_box_outside_draws_nothing() -> None:
    image = plain(160, 120, 90)
    outside = [face((200, 10, 260, 60)), face((-50, -50, 0, 0)), face((30, 30, 30, 60))]
    np.testing.assert_array_equal(draw_faces(image, outside, "all"), image)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size_wh", [(320, 180), (640, 360), (1920, 1080)])
def test_label_is_filled_with_the_colour_and_its_text_contrasts(
    size_wh: tuple[int, int], value: int
) -> None:
    width, height = size_wh
    box = (width // 3, height // 3, width * 2 // 3, height * 2 // 3)
    for emotion in EMOTIONS:
        drawn = draw_faces(plain(width, height, value), [face(box, emotion)])
        colored = np.all(drawn == rgb(emotion)[::-1], axis=2)
        plate = colored[: height // 3 - height // 100].any(axis=1)
        assert 12 <= plate.sum() <= height / 10, "the plate stands above the box"
        rows = drawn[: height // 3 - height // 100][plate]
        assert (rows.max(axis=2) < 40).any(), "dark letters on the plate"


def test_unsure_is_grey_and_shows_no_per_cent() -> None:
    image = plain(320, 240, 250)
    box = (100, 100, 200, 200)
    drawn = draw_faces(image, [face(box, None, 0.31)])
    np.testing.assert_array_equal(drawn, draw_faces(image, [face(box, None, 0.42)]))
    assert np.all(drawn == rgb("unsure")[::-1], axis=2).any()


def test_unclassified_has_a_box_and_no_label() -> None:
    drawn = draw_faces(plain(320, 240, 250), [unknown((100, 100, 200, 200))], "all")
    rows, columns = np.nonzero((drawn != 250).any(axis=2))
    assert rows.min() >= 95 and rows.max() <= 205
    assert columns.min() >= 95 and columns.max() <= 205
    assert (drawn[110:190, 110:190] == 250).all()


def test_unreadable_has_a_thin_grey_box_and_the_reason() -> None:
    box = (200, 200, 400, 400)
    thin = draw_faces(plain(800, 800, 250), [unknown(box, "too dark")], "all")
    whole = draw_faces(plain(800, 800, 250), [unknown(box)], "all")
    grey = np.array(rgb("unsure")[::-1])
    left = [(drawn[300, 190:220] != 250).any(axis=1).sum() for drawn in (thin, whole)]
    assert 0 < left[0] < left[1], "its line is the thinner one"
    assert np.all(thin[100:195] == grey, axis=2).any(), "a plate above the box"
    for emotion in EMOTIONS:
        assert not np.all(thin == rgb(emotion)[::-1], axis=2).any(), "no bars"


def test_from_sixteen_faces_on_there_are_numbers_and_no_words_or_bars() -> None:
    image = plain(640, 360, 245)
    fifteen, sixteen = CROWDED[:15], CROWDED[:16]
    assert (draw_faces(image, fifteen) != draw_faces(image, fifteen, "all")).any()
    np.testing.assert_array_equal(draw_faces(image, sixteen), draw_faces(image, sixteen, "all"))
    named = [replace(one, name="Ada") for one in sixteen]
    np.testing.assert_array_equal(draw_faces(image, sixteen), draw_faces(image, named))


def test_one_face_has_no_number_and_several_have_theirs() -> None:
    image, box = plain(640, 480, 245), (100, 100, 200, 200)
    alone = [draw_faces(image, [face(box, track_id=number)]) for number in (1, 8)]
    np.testing.assert_array_equal(*alone)
    other = face((400, 100, 500, 200), track_id=20)
    both = [draw_faces(image, [face(box, track_id=number), other]) for number in (1, 8)]
    assert (both[0] != both[1]).any()


@pytest.mark.parametrize("show", SHOWS)
def test_for_the_group_only_all_boxes_are_alike(show: Show) -> None:
    image = busy(640, 360)
    one, two = (10, 60, 90, 140), (300, 60, 380, 140)
    faces = [face(one, "angry", name="Ada"), unknown(two, "too dark", track_id=2)]
    others = [face(one, "happy", 0.4, track_id=8), face(two, None, 0.3, track_id=9)]
    drawn = [draw_faces(image, each, show, group_only=True) for each in (faces, others)]
    np.testing.assert_array_equal(*drawn)
    hidden = blur_faces(image, [each.box for each in faces]) if show == "blur" else image
    changed = (drawn[0] != hidden).any(axis=2)
    assert changed.any() and not changed[:50].any() and not changed[150:].any(), "boxes alone"


def test_a_panel_covers_no_face() -> None:
    image = plain(640, 360, 245)
    faces = [
        face((20 + 90 * i, 100, 100 + 90 * i, 180), emotion, 0.5, track_id=i + 1)
        for i, emotion in enumerate(EMOTIONS[:6])
    ]
    drawn = draw_faces(image, faces, "all")
    for one in faces:
        x1, y1, x2, y2 = one.box
        assert (drawn[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6] == 245).all()


def test_label_flips_below_a_face_at_the_top() -> None:
    drawn = draw_faces(plain(320, 240, 250), [face((100, 0, 200, 100))])
    assert (drawn[20:90, 110:190] == 250).all(), "the face stays free"
    assert (drawn[104:112, 104:140] != 250).any()


def test_a_name_that_the_font_lacks_is_drawn_as_the_number_of_its_face() -> None:
    box = (100, 100, 200, 200)
    drawn = draw_faces(plain(640, 480, 120), [face(box, track_id=7, name="Мария")])
    number = draw_faces(plain(640, 480, 120), [face(box, track_id=7, name="Face 7")])
    assert (drawn == number).all()
    asked = draw_faces(plain(640, 480, 120), [face(box, track_id=7, name="Why?")])
    assert (asked != number).any()


def test_a_long_name_is_wrapped_and_never_cut() -> None:
    name = "Bartholomew Featherstonehaugh Cholmondeley"
    box = (100, 60, 160, 120)
    image = plain(200, 180, 250)
    color = rgb("happy")[::-1]
    short = np.all(draw_faces(image, [face(box)]) == color, axis=2).any(axis=1).sum()
    drawn = draw_faces(image, [face(box, name=name)])
    colored = np.all(drawn == color, axis=2)
    assert colored.any(axis=1).sum() > short + 12, "more than one line"
    dark = (drawn[:58].max(axis=2) < 40).any(axis=0)
    assert not dark[[0, 1, -2, -1]].any(), "no letter touches the border"


def test_labels_of_neighbours_leave_the_faces_free() -> None:
    faces = [
        face((20 + 60 * i, 80, 70 + 60 * i, 140), emotion, 0.5, track_id=i + 1)
        for i, emotion in enumerate(EMOTIONS[:5])
    ]
    together = draw_faces(plain(640, 360, 250), faces)
    for one in faces:
        x1, y1, x2, y2 = one.box
        inside = together[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6]
        assert (inside == 250).all(), "no label lies on a face"


def test_all_shows_seven_bars() -> None:
    drawn = draw_faces(plain(640, 360, 250), [face((100, 100, 250, 250), "happy", 0.4)], "all")
    beside = drawn[:, 256:]
    for emotion in EMOTIONS:
        assert np.all(beside == rgb(emotion)[::-1], axis=2).sum() >= 6, emotion


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.0])
def test_blur_defeats_the_detector(
    astronaut: np.ndarray, haar: cv2.CascadeClassifier, scale: float
) -> None:
    image = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = [box for box in found(haar, image) if box.y1 < 0.3 * image.shape[0]]
    assert len(boxes) == 1, "the detector finds her before"
    head = boxes[0]
    hidden = blur_faces(image, boxes)
    drawn = draw_faces(image, [face(head)], "blur")
    for result in (hidden, drawn):
        centers = [((b.x1 + b.x2) / 2, (b.y1 + b.y2) / 2) for b in found(haar, result)]
        assert not [(x, y) for x, y in centers if head.x1 < x < head.x2 and head.y1 < y < head.y2]
    assert np.all(drawn == rgb("happy")[::-1], axis=2).any(), "box and label are still drawn"
    np.testing.assert_array_equal(image[-20:], hidden[-20:], "the rest stays as it is")


def test_blur_leaves_few_colours_and_covers_hair_and_chin() -> None:
    image = busy(300, 300)
    hidden = blur_faces(image, [Box(100, 100, 200, 200)])
    area = hidden[60:225, 80:220]
    assert len(np.unique(area.reshape(-1, 3), axis=0)) <= 36
    assert (hidden != image).any(axis=2)[60:225, 80:220].mean() > 0.95


@pytest.mark.parametrize("size_wh", [(50, 100), (100, 50)])
def test_blur_covers_hair_and_chin_of_a_face_that_the_border_cuts(size_wh: tuple[int, int]) -> None:
    image = busy(300, 300)
    changed = (blur_faces(image, [Box(0, 0, *size_wh)]) != image).any(axis=2)
    assert changed[: size_wh[1] + 28, : size_wh[0] + 24].mean() > 0.95


def test_blur_grows_ahead_of_a_moving_face() -> None:
    image = busy(300, 300)
    still, right, up = (
        (draw_faces(image, [face((100, 100, 150, 150), velocity_xy=v)], "blur") != image).any(2)
        for v in ((0.0, 0.0), (200.0, 0.0), (0.0, -9000.0))
    )
    assert right[110:140, 163:180].mean() > 0.9 > still[110:140, 163:180].mean() + 0.4
    assert up[55:75, 110:140].mean() > 0.9 > still[55:75, 110:140].mean() + 0.4
    assert not up[:40].any(), "no farther than half a face"


def test_blur_all_hides_a_face_that_fills_the_picture(
    astronaut: np.ndarray, haar: cv2.CascadeClassifier
) -> None:
    before = astronaut.copy()
    head = astronaut[0:220, 110:330]
    for image in (astronaut, head, cv2.resize(head, (640, 480))):
        assert found(haar, image)
        hidden = blur_all(image)
        assert hidden.shape == image.shape and not found(haar, hidden)
    np.testing.assert_array_equal(astronaut, before)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_wrong_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"Expected .* Received "):
        draw_faces(image, [])


def test_wrong_show_is_refused() -> None:
    with pytest.raises(ValueError, match="Received 'bars'"):
        draw_faces(plain(10, 10, 0), [], "bars")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("velocity_xy", "seconds", "expected"),
    [
        ((0, 0), 1.0, (100, 100, 150, 160)),
        ((100, 0), 0.0, (100, 100, 150, 160)),
        ((100, 0), -1.0, (100, 100, 150, 160)),
        ((100, -50), 0.2, (120, 90, 170, 150)),
        ((100, 0), 9.0, (130, 100, 180, 160)),  # 0.3 s at most
        ((900, 0), 0.2, (150, 100, 200, 160)),  # one box width at most
        ((-600, -800), 0.3, (70, 60, 120, 120)),  # … along the path
        ((0, 5000), 0.3, (100, 150, 150, 200)),  # cut at the border
    ],
)
def test_moved(
    velocity_xy: tuple[float, float], seconds: float, expected: tuple[int, int, int, int]
) -> None:
    before = face((100, 100, 150, 160), velocity_xy=velocity_xy, name="Ada")
    (after,) = moved([before], seconds, (320, 200))
    assert after.box == expected
    assert before.box == (100, 100, 150, 160)
    assert (after.track_id, after.emotion, after.name) == (1, "happy", "Ada")
    np.testing.assert_array_equal(after.probs, before.probs)


def test_nobody_moves() -> None:
    assert moved([], 0.1, (320, 200)) == ()
