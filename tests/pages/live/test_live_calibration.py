"""The settings of a person's calibration: the baseline's switch, and "Show it your face"."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from emorec.live.stream import LiveStream
from emorec.model import spread
from emorec.model.store import WithFeatures
from emorec.pages.live.reader import NextReader
from emorec.recognizer import EmotionRecognizer


def page() -> None:
    import streamlit as st

    from emorec.pages.live import calibration

    stream, reader = st.session_state["own stream"], st.session_state["own reader"]
    calibration.show(stream, reader, off=False)
    calibration.guide(stream, reader)


@pytest.fixture(scope="module")
def reader() -> NextReader:
    engine = EmotionRecognizer()
    return NextReader(engine, WithFeatures(engine.model))


@pytest.fixture
def running(reader: NextReader) -> Iterator[LiveStream]:
    stream = LiveStream(reader)
    stream.start()
    frame = av.VideoFrame.from_ndarray(np.zeros((120, 160, 3), np.uint8), format="bgr24")
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    stream.put(frame)
    yield stream
    stream.stop(5.0)


def rows(reader: NextReader, expression: int, count: int) -> np.ndarray:
    """Rows that the network calls neutral, of faces that lie apart in the features."""
    model = reader.engine.model
    own = spread.read(model.file, model.contract)
    white = np.zeros((count, len(own.centre)))
    white[:, 10 * expression] = 5
    probs = np.full((count, 7), 0.02)
    probs[:, 6] = 0.88
    features = own.centre + white @ np.linalg.inv(own.whitening)
    return np.concatenate([probs, features], axis=1).astype(np.float32)


def test_a_person_shows_the_own_face_and_it_is_learned_and_forgotten(
    reader: NextReader, running: LiveStream
) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["own stream"], app.session_state["own reader"] = running, reader
    app.run()
    assert not app.exception
    assert app.toggle(key="baseline").value and reader.calibration.baseline
    assert app.button(key="own begin").disabled and app.button(key="own forget").disabled

    app.multiselect(key="own expressions").select("sad").run()
    app.button(key="own begin").click().run()
    guide = reader.calibration.watch
    assert guide is not None and app.button(key="own begin").disabled
    (bar,) = app.get("progress")
    assert "1 of 2" in bar.proto.text and "neutral" in bar.proto.text
    shown = {name: rows(reader, place, 1)[0] for name, place in (("neutral", 6), ("sad", 4))}
    time_s = 0.0
    while guide.progress.emotion is not None:
        guide(3, shown[guide.progress.emotion], time_s)
        time_s += 0.2
    app.run()
    assert not app.exception
    assert "Learned from" in app.caption[0].value and "sad" in app.caption[0].value
    assert app.markdown[0].value == app.caption[0].value  # on the picture, until it is closed
    app.button(key="own close").click().run()
    assert not app.markdown
    assert reader.calibration.watch is None and reader.calibration.owner == 3
    corrector = reader.calibration.corrector
    assert corrector is not None and corrector(rows(reader, 4, 1)).argmax() == 4

    app.toggle(key="baseline").set_value(False).run()
    assert not reader.calibration.baseline
    app.button(key="own forget").click().run()
    assert reader.calibration.corrector is None and not app.caption


def test_what_cannot_be_learned_is_refused_with_a_reason(
    reader: NextReader, running: LiveStream
) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["own stream"], app.session_state["own reader"] = running, reader
    app.run()
    app.multiselect(key="own expressions").select("happy").run()
    app.button(key="own begin").click().run()
    guide = reader.calibration.watch
    assert guide is not None
    for track_id, time_s in ((3, 0.0), (3, 2.1), (4, 8.0)):
        guide(track_id, rows(reader, 6, 1)[0], time_s)
    app.run()
    assert "Your face was lost" in app.caption[0].value
    assert reader.calibration.corrector is None and reader.calibration.watch is None
