from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from emorec import EMOTIONS, EmotionRecognizer, Settings
from emorec.drawing.overlay import draw_faces
from emorec.errors import EmorecError, ModelError
from emorec.geometry import iou
from emorec.settings import DETECTORS
from testkit.app import FPS, webcam_frame


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(settings=Settings())


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.ascontiguousarray(astronaut()[:, :, ::-1])


def test_nobody(recognizer: EmotionRecognizer) -> None:
    result = recognizer.analyze(np.full((480, 640, 3), 127, np.uint8))
    assert result.faces == () and result.size_wh == (640, 480)


def test_one_face(recognizer: EmotionRecognizer, portrait: np.ndarray) -> None:
    result = recognizer.analyze(portrait)
    (face,) = result.faces
    assert iou(face.box, (172, 62, 278, 168))[0, 0] > 0.8
    assert face.classified and face.probs.sum() == pytest.approx(1, abs=1e-4)
    assert face.emotion == "happy"
    assert face.confidence == pytest.approx(face.probs.max())


def test_a_view_of_a_picture_is_read_like_a_copy(
    recognizer: EmotionRecognizer, portrait: np.ndarray
) -> None:
    view = recognizer.analyze(portrait[:, ::-1])
    copy = recognizer.analyze(portrait[:, ::-1].copy())
    assert [face.box for face in view.faces] == [face.box for face in copy.faces]
    assert len(view.faces) == 1


def test_several_threads_read_what_one_reads() -> None:
    image = np.hstack([astronaut()[:, :, ::-1], astronaut()[::2, ::2, ::-1].repeat(2, axis=0)])
    one, two = (
        EmotionRecognizer(settings=Settings(), threads=threads).analyze(image).faces
        for threads in (1, 2)
    )
    assert [face.box for face in one] == [face.box for face in two] and one
    assert np.array_equal([face.probs for face in one], [face.probs for face in two])


@pytest.mark.parametrize(
    ("image", "received"),
    [
        (np.zeros((4, 4), np.uint8), "uint8 of (4, 4)"),
        (np.zeros((4, 4, 4), np.uint8), "uint8 of (4, 4, 4)"),
        (np.zeros((1, 4, 4, 3), np.uint8), "uint8 of (1, 4, 4, 3)"),
        (np.zeros((0, 4, 3), np.uint8), "uint8 of (0, 4, 3)"),
        (np.full((4, 4, 3), np.nan), "float64 of (4, 4, 3)"),
        (np.zeros((4, 4, 3), np.uint16), "uint16 of (4, 4, 3)"),
    ],
)
def test_what_is_no_picture(
    recognizer: EmotionRecognizer, image: np.ndarray, received: str
) -> None:
    expected = rf"^Expected a uint8 picture .*Received {re.escape(received)}\.$"
    with pytest.raises(ValueError, match=expected):
        recognizer.analyze(image)


@pytest.mark.parametrize(
    "file",
    ["me.jpg", Path("me.jpg"), b"content", None, [np.zeros((9, 9, 3), np.uint8)], np.matrix],
    ids=["name", "path", "content", "what cv2.imread gives for none", "list", "class"],
)
def test_who_gives_a_file_is_told_what_reads_it(
    recognizer: EmotionRecognizer, file: object
) -> None:
    with pytest.raises(ValueError, match=r"^Expected an array, .*photo\.read_photo reads files\.$"):
        recognizer.analyze(file)  # type: ignore[arg-type]


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 2000), (2000, 1), (23, 24)])
def test_a_tiny_picture(recognizer: EmotionRecognizer, size_hw: tuple[int, int]) -> None:
    assert recognizer.analyze(np.zeros((*size_hw, 3), np.uint8)).faces == ()


@pytest.mark.parametrize(
    "faces", [np.zeros((48, 48), np.uint8), np.full((1, 48, 48), np.nan, np.float32)]
)
def test_what_is_no_stack_of_faces(recognizer: EmotionRecognizer, faces: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^Expected uint8 faces .*Received "):
        recognizer.classify(faces)


def test_classify(recognizer: EmotionRecognizer) -> None:
    probs = recognizer.classify(np.zeros((3, 48, 48), np.uint8))
    assert probs.shape == (3, len(EMOTIONS)) and probs.dtype == np.float32


def test_however_an_array_lies_in_memory_it_is_read(
    recognizer: EmotionRecognizer, portrait: np.ndarray
) -> None:
    fixed = portrait.copy()
    fixed.setflags(write=False)
    wide = np.dstack([portrait, portrait[..., :1]])
    for array in (
        np.asfortranarray(portrait),
        fixed,
        astronaut()[..., ::-1],
        wide[..., :3],
        portrait[:509, :511],
    ):
        (face,) = recognizer.analyze(array).faces
        assert face.emotion == "happy"


def test_settings_for_one_picture(recognizer: EmotionRecognizer, portrait: np.ndarray) -> None:
    assert recognizer.analyze(portrait, Settings(min_face_px=200)).faces == ()
    assert len(recognizer.analyze(portrait).faces) == 1


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMOREC_MIN_FACE_PX", "77")
    assert EmotionRecognizer().settings.min_face_px == 77


def test_the_environment_chooses_the_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    monkeypatch.setattr("emorec.recognizer.load", chosen.append)
    for runtime in ("", "litert", "keras"):
        monkeypatch.setenv("EMOREC_RUNTIME", runtime)
        EmotionRecognizer()
    assert [path.name for path in chosen] == ["elu_cnn.tflite", "elu_cnn.tflite", "elu_cnn.keras"]


@pytest.mark.parametrize("variable", ["DATABASE_URL", "EMOREC_KEY", "PORT", "TURN_URL"])
def test_a_server_variable_that_is_wrong_does_not_concern_the_library(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "another program's")
    assert EmotionRecognizer().settings == Settings()


@pytest.mark.parametrize("variable", ["EMOREC_MIN_FACE_PX", "EMOREC_RUNTIME"])
def test_a_variable_of_its_own_that_is_wrong_is_one_line(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "wrong")
    with pytest.raises(EmorecError, match=rf"^{variable}: expected .* Received 'wrong'\.$"):
        EmotionRecognizer()


def test_settings_choose_the_detector(recognizer: EmotionRecognizer, portrait: np.ndarray) -> None:
    turn = cv2.getRotationMatrix2D((225, 115), -30, 1)
    tilted = cv2.warpAffine(portrait, turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    found = {
        name: len(recognizer.analyze(tilted, Settings(detector=name)).faces) for name in DETECTORS
    }
    assert found == {"auto": 1, "haar": 0}
    assert recognizer.detector("haar") is recognizer.detector("haar")


def test_blur_hides_more_places_and_tells_of_the_same_faces() -> None:
    """Twenty places of this picture may show a face; without blur one does, with it 23 did."""
    recognizer = EmotionRecognizer(settings=Settings())
    readers = [recognizer.reader("file", Settings(cautious=blur)) for blur in (False, True)]
    for number in range(12):
        frame, time_s = webcam_frame(number), number / FPS
        without, blurred = (reader.read(frame, time_s) for reader in readers)
        ids = [[face.track_id for face in result.faces] for result in (without, blurred)]
        assert ids[0] == ids[1] == ([1] if number else [])
        assert blurred.suspects and not without.suspects
    hidden = draw_faces(frame, blurred.faces + blurred.suspects, "blur")
    only_faces = draw_faces(frame, blurred.faces, "blur")
    assert (hidden != only_faces).any(), "suspects are blurred"


def test_each_stream_has_a_past_of_its_own(
    recognizer: EmotionRecognizer, portrait: np.ndarray
) -> None:
    one, other = recognizer.reader("live"), recognizer.reader("live")
    one.read(portrait, 0.0)
    assert len(one.read(portrait, 0.03).faces) == 1
    assert other.read(portrait, 0.03).faces == ()


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.tflite"):
        EmotionRecognizer(tmp_path / "none.tflite")
