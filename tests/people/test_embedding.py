"""Embeddings of the real network: near for one person however they are photographed."""

from __future__ import annotations

import os
import signal
import threading
import time

import cv2
import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.people import embedding
from emorec.people.embedding import FaceEmbedder

BOX = (111, 59, 221, 169)  # as the detectors frame the portrait's face


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    middle = ((BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 1)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def test_no_face_gives_no_embedding(embedder, portrait) -> None:
    assert embedder.embed(portrait, []).shape == (0, 128)


@pytest.mark.parametrize(
    ("change", "at_most"),
    [
        (lambda image: (image * 0.4).astype(np.uint8), 0.3),
        (lambda image: turned(image, 15), 0.25),
        (lambda image: turned(image, 40), 0.25),  # the points are found anew, upright
        (lambda image: turned(image, -40), 0.25),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 1.5), 0.4),
    ],
    ids=["dark", "leaning", "leaning far", "leaning far left", "soft"],
)
def test_one_person_stays_near(embedder, portrait, change, at_most) -> None:
    same, other = embedder.embed(portrait, [BOX])[0], embedder.embed(change(portrait), [BOX])[0]
    assert same.dtype == np.float32
    assert 0 < np.linalg.norm(same - other) < at_most


def test_the_size_of_the_picture_does_not_matter_and_red_stays_red(embedder, portrait) -> None:
    large = cv2.resize(portrait, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    first, second = embedder.embed(portrait, [BOX, BOX])
    assert (first == second).all()
    away = np.linalg.norm(embedder.embed(large, [np.multiply(BOX, 3)])[0] - first)
    swapped = np.linalg.norm(embedder.embed(portrait[..., ::-1], [BOX])[0] - first)
    assert away < swapped < 0.6  # where dlib takes two faces for one person's


@pytest.mark.parametrize(
    "box", [(-80, -80, 60, 60), (320, 280, 400, 400), (900, 900, 990, 990), (5, 5, 5, 5)]
)
def test_a_box_over_the_border_or_outside_is_no_crash(embedder, portrait, box) -> None:
    assert np.isfinite(embedder.embed(portrait, [box])).all()


def test_other_threads_run_while_it_computes(embedder, portrait) -> None:
    gaps, stop = [], threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.perf_counter()
    embedder.embed(portrait, [BOX] * 4)
    a_face = (time.perf_counter() - began) / 4
    stop.set()
    thread.join()
    # Were Python's lock held, each face would be one gap, and the ticks a handful.
    assert len(gaps) > 4 * 8
    assert np.median(gaps) < a_face / 4


def test_a_process_that_was_killed_is_one_line_and_the_next_face_starts_another(portrait) -> None:
    own = FaceEmbedder()
    before = own.embed(portrait, [BOX])
    os.kill(own._process.pid, signal.SIGKILL)
    own._process.wait()
    with pytest.raises(EmorecError, match="ended unexpectedly"):
        own.embed(portrait, [BOX])
    assert (own.embed(portrait, [BOX]) == before).all()
    process = own._process
    own.close()
    assert process.poll() is not None


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emorec.people.extra.find_spec", lambda name: None)
    with pytest.raises(EmorecError, match=r"pip install -r requirements-people\.txt"):
        embedding.FaceEmbedder()
