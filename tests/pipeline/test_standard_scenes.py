"""What detection and tracking must not lose, on a few of the standard pictures and films."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emorec import EmotionRecognizer, Settings
from emorec.pipeline.detect import make_detector
from emorec.reading import Reader
from emorec.training.data import load
from testkit.heads import Sprite, gray_heads
from testkit.scoring import count, drawn_iou, summary, total, watch
from testkit.standard import pictures, standard_scenes

SCENES = {scene.name: scene for scene in standard_scenes()}
SEARCH_PX = 40  # so that faces a little under 48 pixels are looked for too

EASY = ((48, 0, "even", 8), (96, 0, "even", 6), (200, 0, "even", 2))
HARD = ((48, 30, "even", 8), (96, 30, "even", 3), (96, 0, "dark", 3), (96, 0, "side", 3))


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(settings=Settings())


@pytest.fixture
def reader(recognizer: EmotionRecognizer) -> Reader:
    """A reader that takes no time: on a slow machine it searches as often as on a fast one."""
    return recognizer.reader("live", clock=lambda: 0.0)


def counted_in(
    name: str, kinds: tuple[tuple[float, float, str, int], ...], heads: Sequence[Sprite] = ()
) -> dict[str, float]:
    """Count over some standard pictures what the detector of this name finds."""
    detector = make_detector(name)
    counted = []
    for kind in kinds:
        for frame in pictures(*kind, heads):
            found = detector.detect(frame.image_bgr, SEARCH_PX)
            counted.append(
                count(
                    [[one.box_xyxy.tolist() for one in found]],
                    [[truth.box_xyxy.tolist() for truth in frame.truths]],
                )
            )
    return total(counted)


@pytest.fixture(scope="module")
def found_by_auto() -> dict[str, dict[str, float]]:
    return {"easy": counted_in("auto", EASY), "hard": counted_in("auto", HARD)}


def test_auto_finds_the_faces_and_nothing_else(found_by_auto) -> None:
    counted = total(list(found_by_auto.values()))
    assert counted["faces"] >= 30
    assert counted["recall"] >= 0.97
    assert counted["precision"] >= 0.9


def test_the_cascade_finds_upright_faces() -> None:
    assert counted_in("haar", EASY)["recall"] >= 0.9


def test_the_network_finds_what_the_cascade_cannot(found_by_auto) -> None:
    assert counted_in("haar", HARD)["recall"] < 0.7  # else these pictures tell nothing
    assert found_by_auto["hard"]["recall"] >= 0.9


@pytest.mark.skipif("EMOREC_FER2013" not in os.environ, reason="EMOREC_FER2013 names no CSV file")
def test_auto_finds_many_people() -> None:
    faces = load(Path(os.environ["EMOREC_FER2013"]))["PublicTest"].faces[:100]
    counted = counted_in("auto", ((96, 0, "even", 42), (48, 15, "even", 40)), gray_heads(faces))
    assert counted["recall"] >= 0.6  # some are drawings, or hidden by a hand
    assert counted["precision"] >= 0.9


def test_two_who_cross_keep_their_ids(reader: Reader) -> None:
    scene = replace(SCENES["crossing"], seconds=4)
    seen = watch(scene, reader)
    assert min(truth.visible for truths in seen.truths[45:56] for truth in truths) < 0.2  # they met
    done = summary([seen])
    assert done["id_switches"] == 0
    assert done["missed"] <= 8
    assert done["idf1"] >= 0.95


def test_boxes_keep_up_with_a_face_that_runs(reader: Reader) -> None:
    scene = replace(SCENES["mover"], seconds=2.6)
    seen = watch(scene, reader)
    for late in (1, 2):
        assert np.mean(drawn_iou(seen, late)) >= 0.8
    done = summary([seen])
    assert (done["id_switches"], done["false"]) == (0, 0)
