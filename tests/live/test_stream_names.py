"""Names in a live stream: beside the picture, never with blur, gone with the stream."""

from __future__ import annotations

import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from emorec.live.frame import View
from emorec.live.names import LiveNames
from emorec.live.stream import LiveStream
from emorec.people import followed
from emorec.pipeline.pipeline import Pipeline
from emorec.reading import Reader
from emorec.settings import Settings
from testkit.scripted import Scripted

IMAGE = np.random.default_rng(3).integers(0, 256, (240, 320, 3), dtype=np.uint8)


class OneFace(Scripted):
    """A detector that finds one face, and a classifier that is sure of it."""

    def __init__(self):
        super().__init__([(100, 60, 200, 160)])

    def classify(self, faces_gray):
        probs = np.full((len(faces_gray), 7), 0.02, np.float32)
        probs[:, 3] = 0.88
        return probs


class Ada:
    """Takes everybody for Ada."""

    def __init__(self) -> None:
        self.looks = 0

    def embed(self, image_bgr, boxes_xyxy):
        self.looks += 1
        return np.zeros((len(boxes_xyxy), 128), np.float32)

    def match(self, embeddings):
        from types import SimpleNamespace

        return [SimpleNamespace(person_id=1, name="Ada", distance=0.1) for _ in embeddings]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(followed, "_SOON_S", 0.01)
    monkeypatch.setattr(followed, "_clear", lambda face: True)  # noise is no clear face
    both = OneFace()
    stream = LiveStream(lambda: Reader(Pipeline(both, both, Settings(), unsure_below=0.4)))
    stream.start()
    yield stream
    stream.stop(wait_s=10)


def play(stream: LiveStream, holds, s: float = 30) -> bool:
    began = time.monotonic()
    while not holds() and time.monotonic() - began < s:
        frame = av.VideoFrame.from_ndarray(IMAGE, format="bgr24")
        frame.pts, frame.time_base = round((time.monotonic() - began) * 90000), Fraction(1, 90000)
        stream.put(frame)
        time.sleep(0.03)
    return holds()


def names_of(stream: LiveStream) -> list[str | None]:
    return [face.name for face in stream.result.faces] if stream.result else []


def threads() -> int:
    return sum(thread.name == "emorec-names" for thread in threading.enumerate())


def test_a_name_comes_goes_with_its_switch_and_its_thread_ends_with_the_stream(stream) -> None:
    ada = Ada()
    stream.names = LiveNames(ada, ada)
    assert play(stream, lambda: names_of(stream) == ["Ada"])
    stream.names = None
    assert play(stream, lambda: names_of(stream) == [None] and not threads())
    stream.names = LiveNames(ada, ada)
    assert play(stream, lambda: names_of(stream) == ["Ada"])
    assert play(stream, lambda: "Ada" in [row["name"] for row in stream.timeline.rows()])
    stream.stop(wait_s=10)
    assert play(stream, lambda: not threads())


def test_with_blur_on_nobody_is_looked_at_or_named(stream) -> None:
    ada = Ada()
    stream.names = LiveNames(ada, ada)
    assert play(stream, lambda: names_of(stream) == ["Ada"])
    stream.view = View(show="blur")
    assert play(stream, lambda: names_of(stream) == [None] and not threads())
    before = ada.looks
    stream.names = LiveNames(ada, ada)
    play(stream, lambda: False, s=1)
    assert ada.looks == before and names_of(stream) == [None]
