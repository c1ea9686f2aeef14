"""The settings of a person's calibration: the baseline's switch, and "Show it your face"."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from emorec.calibration.guide import Guide
from emorec.emotions import EMOTIONS
from emorec.live.stream import LiveStream
from emorec.model import spread
from emorec.model.store import WithFeatures
from emorec.pages.live.reader import NextReader
from emorec.recognizer import EmotionRecognizer


def page() -> None:
    import streamlit as st

    from emorec.pages.live import calibration

    stream, reader = st.session_state["own stream"], st.session_state["own reader"]
    calibration.show(stream, reader, off=st.session_state.get("own off", False))
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


def begun(reader: NextReader, running: LiveStream) -> tuple[AppTest, Guide]:
    """Return the page on which the guide has begun, with "happy"."""
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["own stream"], app.session_state["own reader"] = running, reader
    app.run()
    app.multiselect(key="own expressions").select("happy").run()
    app.button(key="own begin").click().run()
    assert not app.exception
    guide = reader.calibration.watch
    assert isinstance(guide, Guide)
    return app, guide


def test_examples_that_would_make_it_worse_are_refused_with_what_to_do(
    reader: NextReader, running: LiveStream
) -> None:
    app, guide = begun(reader, running)
    # The network is right about all of them; in the features one of each looks like the other.
    features = {name: rows(reader, EMOTIONS.index(name), 1)[0] for name in ("neutral", "happy")}
    time_s = 0.0
    while (shows := guide.progress.emotion) is not None:
        other = "happy" if shows == "neutral" else "neutral"
        row = features[other if guide.labels.count(shows) == 2 else shows].copy()
        row[:7] = 0.6 / 7
        row[EMOTIONS.index(shows)] += 0.4
        guide(3, row, time_s)
        time_s += 0.41
    app.run()
    assert not app.exception
    said = app.caption[0].value
    assert "would make it worse" in said and "Begin again, and hold each face" in said
    assert reader.calibration.corrector is None and reader.calibration.watch is None


@pytest.mark.parametrize(
    ("paused", "off", "says"),
    [(True, False, "is paused. Go on, and"), (False, True, "Blur faces or Group only is on")],
)
def test_a_picture_that_shows_no_face_ends_the_guide_and_says_why(
    reader: NextReader, running: LiveStream, paused: bool, off: bool, says: str
) -> None:
    app, _guide = begun(reader, running)
    running.paused, app.session_state["own off"] = paused, off
    app.run()
    assert says in app.caption[0].value and reader.calibration.watch is None


def test_a_guide_that_a_stop_ended_does_not_stand_on_the_next_picture(
    reader: NextReader, running: LiveStream
) -> None:
    app, _guide = begun(reader, running)
    running.stop(5.0)
    app.run()
    assert reader.calibration.watch is None and not app.markdown and not app.get("progress")


def test_the_seconds_left_are_never_told_as_none(reader: NextReader, running: LiveStream) -> None:
    app, guide = begun(reader, running)
    for time_s, says in ((0.0, "get ready, 2 s"), (1.7, "get ready, 1 s"), (4.8, ": 1 s")):
        guide(3, rows(reader, 6, 1)[0], time_s)
        app.run()
        (bar,) = app.get("progress")
        assert says in bar.proto.text
