"""What is drawn and charted in German: labels with their dots, names and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.drawing import charts
from emorec.drawing.overlay import draw_faces
from emorec.drawing.text import coverage
from emorec.emotions import EMOTIONS
from emorec.live.frame import View
from emorec.records import Box, Face
from emorec.words import speaking

PROBS = np.array([0.02, 0.02, 0.02, 0.86, 0.02, 0.04, 0.02], np.float32)
FACE = Face(1, Box(40, 60, 140, 160), 1.0, 0, 0, PROBS, PROBS, "happy")


@pytest.mark.parametrize(("dotted", "bare"), [("ä", "a"), ("Ü", "U"), ("fröhlich", "frohlich")])
def test_letters_have_their_dots(dotted: str, bare: str) -> None:
    with_dots, without = coverage(dotted, 20), coverage(bare, 20)
    assert with_dots.shape == without.shape and (with_dots >= without).all()
    above = np.flatnonzero((with_dots - without).sum(axis=1))
    letters = np.flatnonzero(coverage(bare.replace("f", "o"), 20).sum(axis=1))
    assert len(above) and above.mean() < letters.mean()


def test_a_picture_speaks_the_language_that_it_is_drawn_in() -> None:
    image = np.full((240, 320, 3), 128, np.uint8)
    english = draw_faces(image, [FACE], "all")
    with speaking("de"):
        german = draw_faces(image, [FACE], "all")
    assert not np.array_equal(english, german)
    assert np.array_equal(english, draw_faces(image, [FACE], "all"))
    assert View().language == "en"


def test_charts_name_the_emotions_and_have_room_for_the_names() -> None:
    english = charts.minute(np.arange(3.0), np.stack([PROBS] * 3), (0, 60))[1]
    with speaking("de"):
        table, spec = charts.minute(np.arange(3.0), np.stack([PROBS] * 3), (0, 60))
        bars, _ = charts.bars(FACE)
    domain = spec["layer"][0]["encoding"]["color"]["scale"]["domain"]
    assert domain[3] == bars["emotion"].to_pylist()[3] == "fröhlich" and len(domain) == 7
    assert set(table["emotion"].to_pylist()) == set(domain)
    assert "fröhlich" in table["label"].to_pylist()
    ends = [
        each["layer"][0]["encoding"]["x"]["scale"]["range"][1]["expr"] for each in (english, spec)
    ]
    assert ends == ["width - 66", "width - 82"]
    assert charts.names() == list(EMOTIONS)
