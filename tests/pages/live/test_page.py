"""The live page without a browser: what stands on it in each state."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emorec.emotions import EMOTIONS
from emorec.pages.live.state import LivePicture
from emorec.records import Box, Face, FrameResult
from emorec.rows import columns
from emorec.sessions.timeline import Timeline

PICTURE = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture(autouse=True)
def no_session(monkeypatch):
    """AppTest has no browser session, which the WebRTC component would look up."""
    for module in ("component", "shutdown"):
        monkeypatch.setattr(f"streamlit_webrtc.{module}.get_this_session_info", lambda: None)


def page() -> AppTest:
    def script() -> None:
        from emorec.pages.live import page

        page.render()

    return AppTest.from_function(script, default_timeout=120)


def live(app: AppTest) -> LivePicture:
    return app.session_state["visit"].state(LivePicture)


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title)
    return "\n".join(element.value for kind in kinds for element in kind)


def session_of(seconds: int) -> Timeline:
    timeline = Timeline(datetime(2026, 1, 1, tzinfo=UTC))
    probs = np.full(len(EMOTIONS), 0.05, np.float32)
    probs[EMOTIONS.index("happy")] = 0.7
    for index in range(seconds * 10):
        face = Face(1, Box(10, 10, 90, 90), 1.0, 0, 0, probs, probs, "happy")
        timeline.add(PICTURE, FrameResult(index, index / 10, (640, 480), (face,)))
    return timeline


def test_before_start_it_says_what_it_does_and_that_people_must_agree():
    app = page().run()
    assert not app.exception
    said = texts(app)
    assert "apparent expression" in said and "not inner feeling" in said
    assert "Press **START**" in said
    assert "only if they know and agree" in said and "Art. 5(1)(f)" in said
    assert app.segmented_control(key="show").value == "Label"
    assert app.toggle(key="mirror").value is True


def test_controls_reach_the_stream():
    app = page().run()
    app.segmented_control(key="show").set_value("Blur faces")
    app.toggle(key="mirror").set_value(False)
    app.slider(key="smoothing").set_value(1.5)
    assert app.select_slider(key="min_face").value == 0, "Auto: what suits the picture"
    assert live(app).stream.settings.min_face_px is None
    app.select_slider(key="min_face").set_value(96)
    app.run()
    assert not app.exception
    stream = live(app).stream
    assert (stream.view.show, stream.view.mirror) == ("blur", False)
    assert (stream.settings.smoothing_s, stream.settings.min_face_px) == (1.5, 96)
    assert "not blurred" in texts(app)  # what blur cannot do is said


@pytest.mark.parametrize(
    ("smoothing", "min_face", "shown"),
    [("", "", (0.6, 0)), ("1.5", "77", (1.5, 77)), ("0", "16", (0.0, 16)), ("45", "", (45.0, 0))],
)
def test_the_controls_start_at_what_the_deployer_chose(smoothing, min_face, shown, monkeypatch):
    monkeypatch.setenv("EMOREC_SMOOTHING_S", smoothing)
    monkeypatch.setenv("EMOREC_MIN_FACE_PX", min_face)
    st.cache_resource.clear()
    try:
        app = page().run()
    finally:
        st.cache_resource.clear()
    assert not app.exception
    assert (app.slider(key="smoothing").value, app.select_slider(key="min_face").value) == shown
    settings = live(app).stream.settings
    assert (settings.smoothing_s, settings.min_face_px or 0) == shown


CHOICES = {
    "show": "Blur faces",
    "mirror": False,
    "smoothing": 1.5,
    "min_face": 96,
    "resolution": "1920 × 1080",
    "live detector": "haar",
}


def test_what_was_chosen_is_still_chosen_after_a_visit_to_another_page():
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import page

        if st.session_state.get("elsewhere"):
            st.write("Another page.")
        else:
            page.render()

    app = AppTest.from_function(script, default_timeout=120).run()
    before = live(app).stream
    controls = {
        element.key: element
        for kind in ("segmented_control", "toggle", "slider", "select_slider", "selectbox")
        for element in app.get(kind)
    }
    assert controls.keys() >= CHOICES.keys()
    for key, choice in CHOICES.items():
        controls[key].set_value(choice)
    app.run()
    app.session_state["elsewhere"] = True
    app.run().run()
    assert not app.slider
    app.session_state["elsewhere"] = False
    app.run()
    assert not app.exception
    assert {key: app.session_state[key] for key in CHOICES} == CHOICES
    stream = live(app).stream
    assert stream is before  # and with it the last session's numbers, as the page promises
    assert (stream.view.show, stream.view.mirror) == ("blur", False)
    assert (stream.settings.smoothing_s, stream.settings.min_face_px) == (1.5, 96)
    assert stream.settings.detector == "haar"
    assert wanted_video(app)["width"] == {"ideal": 1920}


def wanted_video(app: AppTest) -> dict:
    """What the page asks the browser's camera for."""
    (component,) = (
        element.proto
        for element in app.get("component_instance")
        if element.proto.component_name.endswith("webrtc_streamer")
    )
    return json.loads(component.json_args)["media_stream_constraints"]["video"]


@pytest.mark.parametrize(
    ("cores", "width_height"), [(1.0, (640, 360)), (2.0, (1280, 720)), (64.0, (1280, 720))]
)
def test_a_machine_is_asked_for_what_it_carries(monkeypatch, cores, width_height):
    monkeypatch.setattr("emorec.pages.live.stage.cores", lambda: cores)
    app = page().run()
    assert not app.exception
    wanted = wanted_video(app)
    assert (wanted["width"]["ideal"], wanted["height"]["ideal"]) == width_height
    app.selectbox(key="resolution").set_value("1920 × 1080").run()
    assert wanted_video(app)["height"] == {"ideal": 1080}


class Running:
    """A stream in the midst of a session."""

    live = running = True
    silent = False
    error = names = problem = None
    shown_per_s = read_per_s = 20.0
    labels_age_s = 0.2

    def __init__(self) -> None:
        self.timeline = session_of(5)
        self.result = FrameResult(49, 4.9, (1280, 720))


def readings(stream: Running) -> AppTest:
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import readings

        st.session_state.resolution = "1280 × 720"
        readings.show(st.session_state["stream"])

    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = stream
    app.run()
    assert not app.exception
    return app


def test_the_size_that_arrives_is_told_and_when_it_is_less_than_asked_for():
    stream = Running()
    assert "Received: 1280 × 720" in texts(readings(stream))
    assert "asked for" not in texts(readings(stream))
    stream.result = FrameResult(49, 4.9, (640, 360))
    assert "Received: 640 × 360, less than the 1280 × 720 asked for" in texts(readings(stream))


def test_labels_that_are_old_are_said_to_be():
    stream = Running()
    assert "busy" not in texts(readings(stream))
    stream.labels_age_s = 3.2
    assert "This computer is busy: labels are 3 s old." in texts(readings(stream))


def test_after_stop_nothing_is_said_of_a_firewall():
    stream = Running()
    stream.live = stream.running = False
    app = readings(stream)
    assert [info.value for info in app.info] == ["The picture has ended."] and not app.warning


def test_the_next_start_takes_the_detector_chosen(monkeypatch):
    app = page().run()
    stream = live(app).stream
    assert app.selectbox(key="live detector").value == "auto"
    app.selectbox(key="live detector").set_value("haar").run()
    assert not app.exception
    assert live(app).stream is stream  # what the last session read is kept
    made = []
    monkeypatch.setattr(
        "emorec.recognizer.EmotionRecognizer.reader",
        lambda self, source, settings, classifier: made.append(settings),
    )
    live(app).reader()
    assert [settings.detector for settings in made] == ["haar"]
    assert live(app).reader.made_with["settings"].detector == "haar"


def test_a_missing_network_is_said_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("emorec.pipeline.detect.BLAZEFACE", tmp_path / "gone.tflite")
    app = page().run()
    assert not app.exception
    assert [w.value for w in app.warning if "gone.tflite: is missing" in w.value]
    app.selectbox(key="live detector").set_value("haar").run()
    assert not [w.value for w in app.warning if "is missing" in w.value]


@pytest.mark.parametrize("seconds", [0, 12])
def test_after_stop_the_session_is_summed_up(seconds, monkeypatch):
    from emorec.live.stream import LiveStream

    timeline = session_of(seconds)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    app = page().run()
    assert not app.exception
    labels = {button.label for button in app.get("download_button")}
    if seconds:
        assert [m.value for m in app.metric] == ["12 s", "1", "1"]
        assert "Most often **happy**: 100% of the time" in texts(app)
        assert {"CSV", "JSON"} <= labels
    else:
        assert "Press **START**" in texts(app) and not labels


def test_a_session_is_taken_home_with_what_it_was_read_with(monkeypatch):
    from streamlit.delta_generator import DeltaGenerator

    from emorec.live.stream import LiveStream

    timeline, offered = session_of(12), {}
    real = DeltaGenerator.download_button

    def offer(self, label, data, *args, **kwargs):
        offered[label] = data
        return real(self, label, data, *args, **kwargs)

    monkeypatch.setattr(DeltaGenerator, "download_button", offer)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    assert not page().run().exception
    text = offered["CSV"]()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert tuple(rows[0]) == columns(wall_clock=True)
    assert len(rows) == len(timeline.rows()) == 120
    told = json.loads(offered["JSON"]())
    assert list(told) == ["header", "summary", "rows"]
    assert told["header"]["model"]["name"] == "elu_cnn"
    assert told["header"]["settings"]["smoothing_s"] == 0.6
    assert told["summary"]["dominant"] == "happy" and len(told["rows"]) == 120


def test_a_wrong_setting_is_one_line_not_a_traceback(monkeypatch):
    monkeypatch.setenv("EMOREC_ICE_SERVERS", "{")
    app = page().run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "EMOREC_ICE_SERVERS: is no JSON (Expecting property name enclosed in double quotes)."
    ]
