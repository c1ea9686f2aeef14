"""Faces pasted into pictures, found again and cut out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from emorec.geometry import square
from emorec.model import typed_json
from emorec.model.contract import read
from emorec.model.shelf import Crops, crops
from emorec.paths import MODELS
from emorec.records import Detection
from emorec.training.framing import SCALES, SIDES_PX, SIZE_WH, draw, find_again, main, pasted, score

EDGES = np.kron(np.arange(36, dtype=np.uint8).reshape(6, 6) * 7, np.ones((8, 8), dtype=np.uint8))


class Finder:
    """Knows where the faces will be, and frames them wider by a factor; some it does not see."""

    def __init__(self, factor: float, blind: set[int] = frozenset()) -> None:
        self.factor, self.blind = factor, blind
        self.rng, self.asked = np.random.default_rng(0), -1

    def detect(self, image_bgr: npt.NDArray[np.uint8], min_face_px: float) -> list[Detection]:
        assert image_bgr.shape == (*SIZE_WH[::-1], 3) and min_face_px < SIDES_PX[0]
        self.asked += 1
        _, place = pasted(EDGES, self.rng)
        if self.asked in self.blind:
            return []
        far = Detection(box_xyxy=np.array([0.0, 0.0, 9.0, 9.0]), score=0.9, tilt_deg=0.0)
        box = square([place], self.factor)[0]
        return [far, Detection(box_xyxy=box, score=0.5, tilt_deg=0.0)]


class Reader:
    """Names a face by its mean grey."""

    file = MODELS / "elu_cnn.tflite"
    contract = read(MODELS / "elu_cnn.json")

    def outputs(self, faces: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.float32]]:
        said = np.where(faces.mean(axis=(1, 2)) > 100, 1, 0)
        return {"fer2013": np.eye(7, dtype=np.float32)[said]}


def test_a_face_lies_where_it_is_said_to_and_its_margin_fades() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        scene, (x1, y1, x2, y2) = pasted(EDGES, rng)
        assert scene.shape == SIZE_WH[::-1] and scene.dtype == np.uint8
        assert x2 - x1 == y2 - y1 and SIDES_PX[0] <= x2 - x1 <= SIDES_PX[1]
        assert scene[0, 0] == scene[-1, -1] == scene[0, -1]
        corner = scene[int(y2) - 3, int(x2) - 3].astype(int)
        assert abs(corner - int(EDGES[-1, -1])) < 12


def test_what_is_found_is_cut_out_in_every_way() -> None:
    again = find_again(np.array([EDGES] * 3), Finder(1.1, blind={1}))
    assert again.rows.tolist() == [0, 2]
    assert {f"{scale:.2f}" for scale in SCALES} < again.crops.keys()
    assert all(crop.shape == (2, 48, 48) for crop in again.crops.values())
    given = again.crops["given"].astype(int)
    assert np.abs(given - EDGES).mean() < 4
    assert np.abs(again.crops["pipeline"].astype(int) - EDGES).mean() > 6  # framed too wide


def test_the_scores_are_of_the_faces_that_were_found() -> None:
    faces = np.array([EDGES, EDGES, EDGES])
    again = find_again(faces, Finder(1.1, blind={1}))
    told = score(faces, np.array([1, 0, 0]), again, Reader(), "auto")
    assert (told.faces, told.found) == (3, 2)
    assert told.side == pytest.approx(1.1) and told.offset_xy == (0, 0)
    assert set(told.accuracy.values()) == {0.5}
    assert len(told.by_scale) == len(SCALES)


def test_the_picture_is_of_means(tmp_path: Path) -> None:
    draw(np.array([EDGES] * 2), np.array([EDGES] * 2), tmp_path / "crops.png")
    with Image.open(tmp_path / "crops.png") as picture:
        assert picture.width > 500
    assert (tmp_path / "crops.png").stat().st_size < 60_000


@pytest.mark.parametrize(
    ("split", "words"),
    [("PublicTest", "found none of 1 faces"), ("Training", "no PublicTest faces in it; only T")],
)
def test_no_face_is_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], split: str, words: str
) -> None:
    blank = " ".join(["9"] * 48 * 48)
    data = tmp_path / "fer2013.csv"
    data.write_text(f"emotion,pixels,Usage\n3,{blank},{split}\n")
    out = tmp_path / "crops.json"
    assert main(["--data", str(data), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"framing: {data}: ") and words in error and error.count("\n") == 1
    assert not out.exists()


def test_what_is_written_is_what_the_card_reads(tmp_path: Path) -> None:
    again = find_again(np.array([EDGES] * 2), Finder(1.1))
    told = score(np.array([EDGES] * 2), np.array([1, 0]), again, Reader(), "auto")
    typed_json.write(Crops, told, tmp_path / "crops.json")
    assert crops(tmp_path, Reader.contract) == told


def test_the_crops_of_the_model_that_ships_cost_little() -> None:
    told = crops(MODELS, read(MODELS / "elu_cnn.json"))
    assert told is not None and told.detector == "auto" and told.faces == 3589
    assert told.found / told.faces > 0.95
    assert told.accuracy["original"] - told.accuracy["pipeline"] <= 0.01
