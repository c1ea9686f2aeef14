"""What the Live page keeps of a visitor, and what of it is left after it was forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import av
import numpy as np
import pytest
import skimage.data
import streamlit as st

from emorec.live.names import LiveNames
from emorec.pages.live.state import live_picture
from emorec.pages.parts.visit import visit
from emorec.recognizer import EmotionRecognizer

THREADS = {"emorec-read", "emorec-draw", "emorec-names"}


class Strangers:
    """An embedder and a gallery in which nobody is known."""

    def embed(self, image_bgr: np.ndarray, boxes_xyxy: object) -> np.ndarray:
        return np.zeros((1, 128), np.float32)

    def match(self, faces: list[np.ndarray]) -> list[None]:
        return [None for _ in faces]


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def running() -> set[str]:
    return THREADS & {thread.name for thread in threading.enumerate()}


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})


def test_a_visitor_has_one_live_picture_until_it_is_forgotten() -> None:
    engine, other = EmotionRecognizer(), EmotionRecognizer()
    stream, reader = live_picture(engine, engine.model)
    assert live_picture(other, other.model) == (stream, reader)
    assert (reader.engine, reader.classifier) == (other, other.model)
    visit().forget()
    again, later = live_picture(engine, engine.model)
    assert again is not stream and later.calibration is not reader.calibration


def test_forgetting_ends_the_threads_that_read_draw_and_name() -> None:
    engine = EmotionRecognizer()
    stream, _ = live_picture(engine, engine.model)
    stream.names = LiveNames(Strangers(), Strangers())
    stream.start()
    frame = av.VideoFrame.from_ndarray(skimage.data.astronaut(), format="rgb24")
    stream.put(frame)
    try:
        assert within(30, lambda: running() == THREADS)
        visit().forget()
        assert not stream.live
        assert within(30, lambda: not running())
        stream.put(frame)  # the connection may still carry pictures
        assert not stream.running
    finally:
        stream.stop(wait_s=10)
