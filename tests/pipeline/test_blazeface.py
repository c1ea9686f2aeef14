from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

from emorec.errors import ModelError
from emorec.geometry import iou
from emorec.paths import BLAZEFACE, FACE_CHECK, MODELS
from emorec.pipeline.blazeface import BlazeFaceDetector, surest
from emorec.records import Detection
from testkit import portraits
from testkit.portraits import Portrait

THINGS = ("coffee", "chelsea", "rocket", "brick", "grass", "text", "moon", "page", "clock")


@pytest.fixture(scope="module")
def blazeface() -> BlazeFaceDetector:
    return BlazeFaceDetector()


def thing(name: str) -> np.ndarray:
    image = getattr(skimage.data, name)()
    image = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    return np.ascontiguousarray(image[..., ::-1])


def away(one_deg: float, other_deg: float) -> float:
    return abs((one_deg - other_deg + 180) % 360 - 180)


@pytest.mark.parametrize(
    ("name", "make"), [pytest.param(*one, id=one[0]) for one in portraits.named()]
)
def test_a_face_is_found_once_and_framed(
    blazeface: BlazeFaceDetector, name: str, make: Callable[[], Portrait]
) -> None:
    portrait = make()
    (face,) = blazeface.detect(portrait.image_bgr, 24)
    assert iou(face.box_xyxy, portrait.faces[0])[0, 0] > 0.65
    assert away(face.tilt_deg, 0) < 10
    assert 0.5 <= face.score <= 1


@pytest.mark.parametrize("tilt_deg", [-90, -60, -30, -15, 15, 30, 60, 90])
@pytest.mark.parametrize("person", portraits.PEOPLE)
def test_tilted_faces_are_found_and_their_tilt_told(
    blazeface: BlazeFaceDetector, person: str, tilt_deg: float
) -> None:
    portrait = portraits.turned(portraits.resized(portraits.PEOPLE[person](), 90), tilt_deg)
    (face,) = blazeface.detect(portrait.image_bgr, 40)
    assert iou(face.box_xyxy, portrait.faces[0])[0, 0] > 0.6
    assert away(face.tilt_deg, tilt_deg) <= 15


@pytest.mark.parametrize("side", [36, 60, 83])
def test_a_face_on_the_border_of_a_tile_is_found(
    blazeface: BlazeFaceDetector, scene: Any, side: float
) -> None:
    corner = max(
        blazeface.patches((640, 480), 28), key=lambda patch: (patch.scale, patch.x * patch.y)
    )
    assert corner.x > 0 and corner.y > 0
    middle = (corner.x + 18, corner.y + 18)  # the middle of what the tiles share
    found = blazeface.detect(scene.frame(middle, side=side), 28)
    assert len(found) == 1
    assert iou(found[0].box_xyxy, scene.truth(middle, side))[0, 0] > 0.65


@pytest.mark.parametrize(("gain", "offset"), [(0.25, 0), (1, 40)], ids=["dark", "bright"])
def test_light_does_not_matter(
    blazeface: BlazeFaceDetector, scene: Any, gain: float, offset: float
) -> None:
    frame = scene.frame((180.0, 240.0), side=64) * gain + offset
    (face,) = blazeface.detect(np.clip(frame, 0, 255).astype(np.uint8), 48)
    assert iou(face.box_xyxy, scene.truth((180.0, 240.0), 64))[0, 0] > 0.7


@pytest.mark.parametrize(
    ("columns", "rows", "side", "size_wh"),
    [(4, 3, 60, (640, 480)), (5, 5, 70, (1280, 720)), (2, 1, 110, (3000, 300))],
)
def test_everybody_in_a_room_is_found_and_nothing_else(
    blazeface: BlazeFaceDetector, columns: int, rows: int, side: float, size_wh: tuple[int, int]
) -> None:
    portrait = portraits.room(columns, rows, side, size_wh)
    found = blazeface.detect(portrait.image_bgr, 40)
    assert len(found) == columns * rows
    assert iou(portrait.faces, [face.box_xyxy for face in found]).max(axis=1).min() > 0.6


@pytest.mark.parametrize("name", THINGS)
def test_things_are_no_faces(blazeface: BlazeFaceDetector, name: str) -> None:
    assert blazeface.detect(thing(name), 24) == []


def test_smaller_faces_than_asked_for_are_left_out(
    blazeface: BlazeFaceDetector, scene: Any
) -> None:
    assert blazeface.detect(scene.frame((320.0, 240.0), side=60), 100) == []


def test_caution_takes_also_what_may_be_none(blazeface: BlazeFaceDetector) -> None:
    portrait = portraits.collins()
    places = [
        place
        for patch in blazeface.patches((512, 512), 24)
        for place in blazeface.search(portrait.image_bgr, patch)
    ]
    sure = blazeface.confirm(portrait.image_bgr, places)
    all_of_them = blazeface.confirm(portrait.image_bgr, places, cautious=True)
    assert len(places) > len(all_of_them) >= len(sure) == 1
    assert iou([sure[0].box_xyxy], [face.box_xyxy for face in all_of_them]).max() > 0.9


def test_known_faces_are_told_apart(blazeface: BlazeFaceDetector, scene: Any) -> None:
    middles = [(100.0 + 105 * number, 200.0) for number in range(5)]
    truth = np.array([scene.truth(middle, 60) for middle in middles])
    found = blazeface.detect_near(scene.frame(*middles, side=60), truth + np.array([6, -5, 6, -5]))
    assert np.diag(iou(truth, [face.box_xyxy for face in found])).min() > 0.75


def test_a_neighbours_face_is_not_taken_for_one_that_left(
    blazeface: BlazeFaceDetector, scene: Any
) -> None:
    frame = scene.frame((200.0, 240.0), side=80)
    gone = scene.truth((290.0, 240.0), 80)
    assert blazeface.detect_near(frame, gone[None]) == []


@pytest.mark.parametrize("tilt_deg", [-80, 80])
def test_a_look_at_a_known_face_uses_how_it_leans(
    blazeface: BlazeFaceDetector, tilt_deg: float
) -> None:
    portrait = portraits.turned(portraits.resized(portraits.collins(), 70), tilt_deg)
    (face,) = blazeface.detect_near(portrait.image_bgr, portrait.faces, [tilt_deg])
    assert away(face.tilt_deg, tilt_deg) <= 12
    assert iou(face.box_xyxy, portrait.faces[0])[0, 0] > 0.65
    blind = blazeface.detect_near(portrait.image_bgr, portrait.faces)
    assert not blind or blind[0].score < face.score


def test_one_detector_serves_several_threads(blazeface: BlazeFaceDetector, scene: Any) -> None:
    frames = [scene.frame((100.0 + 140 * number, 240.0), side=80) for number in range(4)]
    alone = [blazeface.detect(frame, 60)[0].box_xyxy for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda frame: blazeface.detect(frame, 60), frames))
    assert np.array_equal([faces[0].box_xyxy for faces in together], alone)


def test_of_two_finds_of_one_face_the_surest_is_kept() -> None:
    box = np.array([10.0, 10, 60, 60])
    one, other, far = (Detection(box + d, s) for d, s in ((0, 0.4), (4, 0.9), (200, 0.2)))
    assert surest([one, far, other]) == [other, far]
    assert surest([]) == []


@pytest.mark.parametrize(
    ("content", "expected"), [(None, "is missing"), (b"", "is no "), (b"junk" * 99, "is no ")]
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    file = tmp_path / "faces.tflite"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"^faces\.tflite: .*{expected}"):
        BlazeFaceDetector(file)
    with pytest.raises(ModelError, match=rf"^faces\.tflite: .*{expected}"):
        BlazeFaceDetector(check=file)


@pytest.mark.parametrize("other", [MODELS / "elu_cnn.tflite", FACE_CHECK])
def test_another_network_is_no_face_network(other: Path) -> None:
    with pytest.raises(ModelError, match=rf"^{other.name}: is no face network"):
        BlazeFaceDetector(other)


def test_the_file_that_ships_is_the_one_its_note_describes() -> None:
    note = BLAZEFACE.with_suffix(".md").read_text(encoding="utf-8")
    told = re.findall(r"`([0-9a-f]{64})`", note)
    assert hashlib.sha256(BLAZEFACE.read_bytes()).hexdigest() in told
    licence = BLAZEFACE.with_suffix(".LICENSE")
    assert licence.name in note
    assert "Apache License" in licence.read_text(encoding="utf-8")


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_half_a_face_at_the_border_is_found_with_caution(
    blazeface: BlazeFaceDetector, side: str
) -> None:
    image = portraits.room(1, 1, 64, (256, 256)).image_bgr
    half = {
        "left": image[:, 128:],
        "right": image[:, :128],
        "top": image[128:],
        "bottom": image[:128],
    }[side]
    half = np.ascontiguousarray(half)
    size_wh = half.shape[1], half.shape[0]
    middle = {"left": (0, 128), "right": (128, 128), "top": (128, 0), "bottom": (128, 128)}[side]
    truth = np.array([*np.subtract(middle, 32), *np.add(middle, 32)])
    places = [
        place
        for patch in blazeface.patches(size_wh, 36, cautious=True)
        for place in blazeface.search(half, patch)
    ]
    found = blazeface.confirm(half, places, cautious=True)
    assert iou(truth, [face.box_xyxy for face in found]).max(initial=0) > 0.4
    near = blazeface.detect_near(half, truth[None], cautious=True)
    assert iou(truth, [face.box_xyxy for face in near]).max(initial=0) > 0.4


def test_a_mirror_image_beyond_the_border_is_no_face(blazeface: BlazeFaceDetector) -> None:
    image = portraits.room(1, 1, 64, (128, 128)).image_bgr
    places = [
        place
        for patch in blazeface.patches((128, 128), 36, cautious=True)
        for place in blazeface.search(image, patch)
    ]
    assert len(blazeface.confirm(image, places, cautious=True)) == 1


def test_other_places_on_a_face_that_is_confirmed_are_not_enlarged(
    blazeface: BlazeFaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = portraits.resized(portraits.collins(), 80)
    box, enlarged = portrait.faces[0], []
    zoom = BlazeFaceDetector._zoom

    def counting(self: Any, *args: Any, **named: Any) -> Any:
        enlarged.append(args)
        return zoom(self, *args, **named)

    monkeypatch.setattr(BlazeFaceDetector, "_zoom", counting)
    inner = box + 30 * np.array([1, 1, -1, -1])
    places = [Detection(inner, 0.5, 0.0), Detection(box, 0.9, 0.0)]
    (face,) = blazeface.confirm(portrait.image_bgr, places)
    assert iou(face.box_xyxy, box)[0, 0] > 0.65
    assert len(enlarged) == 2, "once as it is and once mirrored"
