"""What the benchmark of blur takes for a sharp face."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from benchmarks.blur import SHARP, TILTS, films, kept, table
from benchmarks.machine import ROOT
from emorec.drawing.blur import blur_all, blur_faces
from emorec.records import Box
from testkit import portraits
from testkit.scenes import Truth


def gray(image_bgr: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)


def test_a_face_is_sharp_until_it_is_blurred() -> None:
    portrait = portraits.resized(portraits.collins(), 80)
    image, box = portrait.image_bgr, portrait.faces[0]
    truth = Truth(1, box, 1.0)
    half = box.copy()
    half[2] -= 60
    whole_box, half_box = (Box(*np.rint(b).astype(int).tolist()) for b in (box, half))
    shares = [
        kept(gray(image), gray(returned), truth)
        for returned in (
            image,
            blur_faces(image, [half_box]),
            blur_faces(image, [whole_box]),
            blur_all(image),
        )
    ]
    assert shares[0] == pytest.approx(1.0)
    assert shares[0] > shares[1] > SHARP > max(shares[2:])


def test_heads_come_in_from_every_side_lean_every_way_and_are_cut_to_each_other() -> None:
    kinds = films()
    assert sum("half in" in name for name in kinds) == 8
    assert sum("tilt" in name for name in kinds) == len(TILTS)
    assert all(len(scenes) > 1 for scenes in kinds["cuts"])


def test_the_readme_shows_the_newest_numbers() -> None:
    file = max((ROOT / "benchmarks" / "results").glob("*-blur.json"))
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == table(json.loads(file.read_text(encoding="utf-8")))
