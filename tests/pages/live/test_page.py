"""The live page without a browser: what stands on it in each state."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from threading import Event, Timer

import av
import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from emorec.calibration import examples
from emorec.columns import FACE_SECOND, SECOND
from emorec.emotions import EMOTIONS
from emorec.errors import ModelError
from emorec.live.frame import View
from emorec.live.room import Room
from emorec.live.stream import LiveStream
from emorec.model import choice
from emorec.model.store import load, path_of
from emorec.pages.live.camera import start_problem
from emorec.pages.live.now import _row, totals
from emorec.pages.live.now import said as said_of
from emorec.pages.live.reader import NextReader
from emorec.pages.live.state import LivePicture
from emorec.pages.parts.engine import live_classifier, live_recognizer
from emorec.recognizer import EmotionRecognizer
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.sessions.group import of_groups
from emorec.sessions.timeline import Timeline

pytestmark = pytest.mark.usefixtures("charts_loaded")

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


TOTALS = {"HTML", "PNG", "XLSX", "CSV", "JSON", "Parquet"}
FACES = {"CSV of faces", "Parquet of faces"}


def downloads(app: AppTest) -> set[str]:
    return {button.label for button in app.get("download_button")}


def session_of(seconds: int, people: int = 1) -> Timeline:
    timeline = Timeline(datetime(2026, 1, 1, tzinfo=UTC))
    probs = np.full(len(EMOTIONS), 0.05, np.float32)
    probs[EMOTIONS.index("happy")] = 0.7
    for index in range(seconds * 10):
        seen = tuple(
            Face(number, Box(10, 10, 90, 90), 1.0, 0, 0, probs, probs, "happy")
            for number in range(1, people + 1)
        )
        timeline.add(PICTURE, FrameResult(index, index / 10, (640, 480), seen))
    return timeline


def test_before_start_it_says_what_it_does_and_that_people_must_agree():
    app = page().run()
    assert not app.exception
    said = texts(app)
    assert "apparent expression" in said and "not inner feeling" in said
    assert "Press **Start camera**" in said
    assert "only if they know and agree" in said and "Art. 5(1)(f)" in said
    assert app.toggle(key="mirror").value is True
    assert not any(app.toggle(key=key).value for key in ("blur", "group_only", "bars"))


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ("NotAllowedError: Permission denied", "denies this page the camera"),
        ("NotFoundError: Requested device not found", "finds no camera"),
        ("NotReadableError: Could not start video source", "The camera is busy"),
        ("OverconstrainedError: *width*", "Choose another camera or picture size"),
    ],
)
def test_a_camera_that_does_not_start_is_told_in_the_pages_words(alert, said):
    assert said in start_problem(alert)


def test_of_a_connection_the_slot_beside_the_picture_tells():
    assert start_problem("") is None
    assert start_problem("Connection is taking longer than expected.") is None


def test_controls_reach_the_stream():
    app = page().run()
    app.toggle(key="blur").set_value(True)
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
    "blur": True,
    "group_only": True,
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
        for kind in ("toggle", "slider", "select_slider", "selectbox")
        for element in app.get(kind)
    }
    assert controls.keys() >= CHOICES.keys()
    for key, chosen in CHOICES.items():
        controls[key].set_value(chosen)
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
    assert stream.view == View("blur", mirror=False, group_only=True)
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


def test_a_camera_is_chosen_by_its_name_or_side_and_a_screen_in_its_place(monkeypatch):
    from emorec.pages.live import camera

    told = {"named": [{"id": "c2", "name": "Desk camera"}], "touch": True, "screen": True}
    monkeypatch.setattr(camera, "_known", lambda: told)
    app = page().run()
    source = app.selectbox(key="source")
    assert source.options == [
        "Any camera",
        "Front camera",
        "Back camera",
        "Desk camera",
        "A screen, window or tab",
    ]
    assert live(app).stream.view.mirror
    source.set_value("c2").run()
    assert wanted_video(app)["deviceId"] == {"ideal": "c2"}
    app.selectbox(key="source").set_value("back").run()
    assert wanted_video(app)["facingMode"] == {"ideal": "environment"}
    assert not live(app).stream.view.mirror, "what faces away is not shown as in a mirror"
    app.selectbox(key="source").set_value("screen").run()
    assert not app.exception
    assert not {"deviceId", "facingMode"} & wanted_video(app).keys()
    told["named"].clear()
    app.selectbox(key="source").set_value("c2")
    told["screen"] = False
    app.run()
    assert not app.exception, "a camera that was unplugged stays chosen: the browser takes another"


class Running:
    """A stream in the midst of a session."""

    live = running = True
    silent = paused = False
    error = names = problem = None
    view = View()
    shown_per_s = read_per_s = 20.0
    labels_age_s = 0.2

    def __init__(self) -> None:
        self.timeline = session_of(5)
        self.result = FrameResult(49, 4.9, (1280, 720))


def readings(stream: Running, followed: int | None = None) -> AppTest:
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import readings, state

        st.session_state.resolution = "1280 × 720"
        state.follow(st.session_state["followed"])
        readings.show(st.session_state["stream"])

    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = stream
    app.session_state["followed"] = followed
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


def faces(count: int) -> tuple[Face, ...]:
    """So many faces in a row, with numbers that are not 1, 2, 3: happy, sad, unsure in turn."""
    made = []
    for place in range(count):
        emotion = ("happy", "sad", None)[place % 3]
        probs = np.full(len(EMOTIONS), 0.05, np.float32)
        probs[EMOTIONS.index(emotion or "fear")] = 0.7
        box = Box(40 * place, 10, 40 * place + 30, 50)
        made.append(Face(3 * place + 2, box, 1.0, 0, 0, probs, probs, emotion))
    return tuple(made)


def now(count: int, followed: int | None = None, **view: bool) -> tuple[str, list[str]]:
    """What the page shows now of so many faces: its words and HTML, and its charts' keys."""
    stream = Running()
    stream.view = View(**view)
    stream.result = FrameResult(49, 4.9, (1280, 720), faces(count))
    app = readings(stream, followed)
    html = "".join(element.proto.body for element in app.get("html"))
    charts = [element.proto.id for element in app.get("vega_lite_chart")]
    assert app.metric[0].value == str(count)
    return texts(app) + html, charts


def test_one_or_two_faces_have_all_their_bars():
    for count in (1, 2):
        said, charts = now(count)
        assert said.count("**Face ") == count and len(charts) == count + 1


def test_up_to_eight_faces_have_a_row_each_in_the_order_of_their_numbers():
    said, charts = now(8)
    assert len(charts) == 1, "only the minute"
    rows = re.findall(r'role="listitem"><button [^>]*>(\d+)</button><span>(\w+)</span>', said)
    assert rows == [
        (str(3 * place + 2), ("happy", "sad", "unsure")[place % 3]) for place in range(8)
    ]
    assert said.count("70\N{NO-BREAK SPACE}%") == 8


def test_from_nine_faces_on_the_room_is_shown():
    said, charts = now(25)
    words = re.sub("<[^>]+>", "", said)
    assert "9 happy, 8 sad, 8 unsure" in words
    assert "listitem" not in said and len(charts) == 1, "only the minute"
    seats = re.findall(r'data-face="(\d+)"[^>]* style="left:([\d.]+)%;top:', said)
    assert [int(number) for number, _ in seats] == [3 * place + 2 for place in range(25)]
    assert float(seats[0][1]) == pytest.approx(100 - 100 * 15 / 1280, abs=0.1), "as in a mirror"


def test_the_face_that_was_chosen_is_shown_alone_until_all_are():
    said, charts = now(25, followed=8)
    assert "**Face 8**: unsure" in said and len(charts) == 2, "its bars, and the minute"
    assert re.findall(r'data-face="(\d+)"', said) == ["0"], "the way back to all"
    assert "Face 7 is out of view" in now(3, followed=7)[0]


def test_for_the_group_only_no_face_is_followed():
    said, charts = now(25, followed=8, group_only=True)
    assert "Face 8" not in said and "data-face" not in said and len(charts) == 1


@pytest.mark.parametrize(
    ("count", "group_only", "says"),
    [
        (0, False, "No face in view"),
        (1, False, "1 face, happy"),
        (2, False, "2 faces, mixed"),
        (2, True, "2 faces"),
        (4, False, "4 faces, mixed"),
        (25, True, "25 faces, mixed"),
    ],
)
def test_a_screen_reader_is_told_in_a_few_words(count, group_only, says):
    assert said_of(faces(count), group_only) == says


def test_a_screen_reader_is_told_what_most_faces_show():
    assert said_of(faces(1) * 2 + faces(2)[1:], group_only=False) == "3 faces, mostly happy"


@pytest.mark.parametrize("count", [3, 5, 25])
def test_for_the_group_only_totals_are_all_that_is_shown(count):
    said, charts = now(count, group_only=True)
    words = re.sub("<[^>]+>", "", said)
    assert "1 happy" in words or "happy, " in words
    assert len(charts) == 1, "only the minute"
    assert "listitem" not in said and "Face " not in said.replace("Faces", "")


@pytest.mark.parametrize("count", [1, 2])
def test_for_the_group_only_nothing_is_told_of_less_than_a_group(count):
    said, charts = now(count, group_only=True)
    assert "Fewer than 3 faces" in said and "happy" not in said
    assert len(charts) == 1, "only the minute"


def test_a_group_is_at_least_three_faces_in_one_moment():
    seconds = np.array([0.0, 0.0, 0.0, 0.5, 0.5, 1.0, 1.5, 1.5, 1.5, 1.5])
    probs = np.arange(70, dtype=np.float32).reshape(10, 7)
    kept_s, kept = of_groups(seconds, probs)
    np.testing.assert_array_equal(kept_s, [0.0] * 3 + [1.5] * 4)
    np.testing.assert_array_equal(kept, probs[[0, 1, 2, 6, 7, 8, 9]])
    assert of_groups(seconds[:0], probs[:0])[1].shape == (0, 7)


@pytest.mark.parametrize("people", [1, 3])
def test_group_only_is_all_that_is_taken_away(monkeypatch, people):
    monkeypatch.setattr(LiveStream, "timeline", session_of(12, people))
    app = page().run()
    app.toggle(key="group_only").set_value(True).run()
    assert not app.exception
    assert downloads(app) == (TOTALS if people == 3 else set())
    assert ("happy" in texts(app)) == (people == 3)
    assert "single shot" not in texts(app)
    assert app.toggle(key="bars").disabled


def test_switching_group_only_off_shows_no_face_of_the_session_that_is_over(monkeypatch):
    monkeypatch.setattr(LiveStream, "timeline", session_of(12, people=3))
    app = page().run()
    assert downloads(app) == TOTALS | FACES
    live(app).group_only = True
    app.run()
    assert not app.toggle(key="group_only").value
    assert downloads(app) == TOTALS


def test_a_deployer_can_have_the_group_only(monkeypatch):
    monkeypatch.setenv("EMOREC_GROUP_ONLY", "1")
    app = page().run()
    assert not app.exception
    assert app.toggle(key="group only").disabled and app.toggle(key="group only").value
    assert live(app).stream.view.group_only
    assert "single shot" not in texts(app)


def test_a_name_is_shown_as_it_is_written():
    (one,) = faces(1)
    row = _row(replace(one, name="<b>Ada & Co</b>"))
    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;: happy" in row


def test_totals_begin_with_the_most_frequent_and_end_with_what_has_no_label():
    nothing = unclassified()
    unread = Face(99, Box(0, 0, 9, 9), 1.0, 0, 0, nothing, nothing, None, unreadable="too dark")
    many = [*faces(9), *faces(3)[1:2] * 2, unread, unread]
    assert list(totals(many).items()) == [
        ("sad", 5),
        ("happy", 3),
        ("unsure", 3),
        ("unreadable", 2),
    ]


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
        lambda self, source, settings, **given: made.append(settings),
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
    timeline = session_of(seconds)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    app = page().run()
    assert not app.exception
    labels = downloads(app)
    if seconds:
        assert [m.value for m in app.metric][:3] == ["0:11", "1", "1"]
        assert "Most often **happy**: >99\N{NO-BREAK SPACE}% of the time" in texts(app)
        assert labels == TOTALS | FACES
        assert "A mood line needs 3 faces" in texts(app) and "politeness" in texts(app)
    else:
        assert "Press **Start camera**" in texts(app) and not labels


def test_a_session_is_taken_home_with_what_it_was_read_with(monkeypatch):
    from streamlit.delta_generator import DeltaGenerator

    timeline, offered = session_of(12), {}
    real = DeltaGenerator.download_button

    def offer(self, label, data, *args, **kwargs):
        offered[label] = data
        return real(self, label, data, *args, **kwargs)

    monkeypatch.setattr(DeltaGenerator, "download_button", offer)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    assert not page().run().exception
    for name, columns, n in (("CSV", SECOND, 12), ("CSV of faces", FACE_SECOND, 11)):
        rows = list(csv.DictReader(io.StringIO(offered[name]().decode("utf-8-sig"))))
        assert tuple(rows[0]) == tuple(columns) and len(rows) == n
    told = json.loads(offered["JSON"]())
    assert {"header", "summary", "rows", "markers", "faces"} <= set(told)
    assert told["header"]["model"]["name"] == choice.for_live(load())
    assert told["header"]["settings"]["smoothing_s"] == 0.6
    assert told["summary"]["dominant"] == "happy" and len(told["rows"]) == 12


def test_of_more_than_three_faces_single_ones_are_told_by_choice_and_purpose(monkeypatch):
    timeline = session_of(12, people=4)
    timeline.mark("question 1", 5.0)
    monkeypatch.setattr(LiveStream, "timeline", timeline)
    app = page().run()
    assert downloads(app) == TOTALS
    choice = next(toggle for toggle in app.toggle if toggle.label == "Single faces too")
    choice.set_value(True).run()
    assert downloads(app) == TOTALS, "a purpose is still missing"
    app.text_input(key="faces purpose").input("a study").run()
    assert not app.exception and downloads(app) == TOTALS | FACES
    next(field for field in app.text_input if field.label == "Label").input("the break").run()
    app.button(key="session rename marker").click().run()
    assert [marker.label for marker in timeline.markers] == ["the break"]
    app.button(key="session remove marker").click().run()
    assert not timeline.markers and not app.exception


def test_a_wrong_setting_is_one_line_not_a_traceback(monkeypatch):
    monkeypatch.setenv("EMOREC_ICE_SERVERS", "{")
    app = page().run()
    assert not app.exception
    assert [error.value for error in app.error] == [
        "EMOREC_ICE_SERVERS: is no JSON (Expecting property name enclosed in double quotes)."
    ]


class Slow:
    """Reads a picture when it is told that it may, as a busy computer does."""

    names = settings = None

    def __init__(self) -> None:
        self.goes_on = Event()
        self.reads = Event()

    def read(self, image_bgr, time_s):
        self.reads.set()
        assert self.goes_on.wait(30)
        return FrameResult(0, 5.0, (64, 48), faces(3))


def test_a_report_waits_for_the_last_reading_and_does_not_change_then():
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import summary
        from emorec.pages.live.state import LivePicture
        from emorec.pages.parts.visit import visit

        summary.show(st.session_state["stream"], {}, visit().state(LivePicture))

    reader = Slow()
    stream = LiveStream(lambda: reader)
    stream.start()
    picture = av.VideoFrame(64, 48, "yuv420p")
    picture.pts, picture.time_base = 0, Fraction(1, 1000)
    stream.put(picture)
    assert reader.reads.wait(30)
    stream.stop()  # while the picture is being read
    Timer(0.3, reader.goes_on.set).start()
    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = stream
    app.run()
    assert not app.exception and stream.timeline.over
    assert app.metric[1].value == "3"


def test_what_was_marked_is_named_while_the_picture_runs():
    def script() -> None:
        import streamlit as st

        from emorec.pages.live import controls

        controls._markers(st, st.session_state["stream"])

    stream = Running()
    app = AppTest.from_function(script, default_timeout=120)
    app.session_state["stream"] = stream
    assert not app.run().selectbox, "nothing was marked"
    stream.timeline.mark("Mark 1", 2.0)
    app.run()
    next(field for field in app.text_input if field.label == "Label").input("question 3").run()
    app.button(key="live rename marker").click().run()
    assert not app.exception
    assert [marker.label for marker in stream.timeline.markers] == ["question 3"]


def test_where_the_room_is_full_nothing_says_to_press_start(monkeypatch):
    class Other:
        live = received = True

        def start(self):
            pass

    other, full = Other(), Room(1)
    assert full.enter(other)
    monkeypatch.setattr("emorec.pages.live.admission.room", lambda: full)
    app = page().run()
    assert not app.exception
    said = texts(app)
    assert "1 of 1 places" in said and "tries again by itself" in said
    assert "Start camera" not in said and not app.get("component_instance")
    assert "try example" not in {button.key for button in app.button}


@pytest.mark.parametrize(("cost_ms", "name"), [(0.5, "elu_cnn"), (5.0, "small_cnn")])
def test_live_pictures_are_read_by_what_the_machine_carries_and_shots_by_the_large_network(
    monkeypatch, cost_ms, name
):
    monkeypatch.setattr(choice, "ms_per_face", lambda model: cost_ms)
    shot_by = []
    monkeypatch.setattr(
        "emorec.pages.live.page.single_shot",
        lambda key, engine, *rest, **named: shot_by.append(engine.model.contract.name),
    )
    monkeypatch.setattr(choice, "_chosen", {})
    app = page().run()
    assert not app.exception
    reader = live(app).reader
    reader()
    assert reader.made_with["model"]["name"] == reader.model.contract.name == name
    assert shot_by == ["elu_cnn"]


def test_examples_of_another_network_are_dropped_at_start():
    large, small = (EmotionRecognizer(path_of(name)) for name in ("elu_cnn", "small_cnn"))
    reader = NextReader(large, large.model)
    rows = np.full((4, 7 + 256), 1 / 7, np.float32) * [[1], [1], [2], [2]]
    learned = examples.learn(large.model, rows.astype(np.float32), ["happy", "happy", "sad", "sad"])
    reader.calibration.corrector = examples.Corrector(learned, large.model)
    reader()
    assert reader.calibration.corrector is not None
    reader.engine = small  # the machine carries no more, or the visitor chose it
    reader()
    assert reader.calibration.corrector is None and reader.model is small.model
    with pytest.raises(ModelError, match=r"belongs to another network \(elu_cnn"):
        examples.Corrector(learned, small.model)


@pytest.mark.parametrize("source", ["camera", "example"])
def test_what_is_read_says_where_its_pictures_came_from(source):
    reader = NextReader(live_recognizer(), live_classifier())
    reader.source = source
    reader()
    assert reader.made_with["source"] == source
