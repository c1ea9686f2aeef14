"""The live page: the webcam's picture with the apparent emotion of every face drawn on it."""

from __future__ import annotations

from time import monotonic
from typing import Any

import streamlit as st
from streamlit_webrtc import WebRtcMode, webrtc_streamer

from emorec.drawing import charts
from emorec.drawing.overlay import Show
from emorec.errors import EmorecError
from emorec.live.frame import OLD_S, View
from emorec.live.ice import rtc_configuration
from emorec.live.room import cores
from emorec.live.stream import LiveStream
from emorec.pages.live import admission
from emorec.pages.live.camera import NO_CONNECTION, TRANSLATIONS, camera_problem
from emorec.pages.live.connection import connection_check
from emorec.pages.live.webrtc import tracks
from emorec.pages.parts import naming
from emorec.pages.parts.detector import choose_detector
from emorec.pages.parts.engine import classifier, recognizer, room
from emorec.pages.photo import single_shot
from emorec.pipeline.classify import Classifier
from emorec.pipeline.smallest import notes
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer
from emorec.records import Face
from emorec.sessions.summary import summarize, to_csv, to_json
from emorec.sessions.timeline import Timeline
from emorec.settings import Settings

_FPS = 30
_LAST_S = 60.0
_CONNECT_S = 10.0
_SMALLEST_FACES_PX = (16, 24, 32, 48, 64, 96, 128, 200)
_CARDS = 4  # faces with bars beside the picture; the others are counted
_SHOW: dict[str, Show] = {"Label": "label", "All probabilities": "all", "Blur faces": "blur"}
_RESOLUTIONS = {
    "1280 × 720": (1280, 720),
    "1920 × 1080": (1920, 1080),
    "640 × 360": (640, 360),
}
_DEFAULT, _SMALLEST = "1280 × 720", "640 × 360"
_CORES = 2.0  # a picture of 1280 × 720 in and out takes one, and the faces are still to be read


class _NextReader:
    """What the next START reads with; a stream that runs keeps what it started with."""

    def __init__(self, engine: EmotionRecognizer, classifier: Classifier) -> None:
        self.engine = engine
        self.classifier = classifier
        self.settings = engine.settings

    def __call__(self) -> Reader:
        return self.engine.reader("live", self.settings, classifier=self.classifier)


def render() -> None:
    """Show the page."""
    st.title("Live")
    st.caption(
        "Reads the **apparent expression** of every face, not inner feeling. "
        "Nothing is stored: the picture is read in memory and forgotten."
    )
    try:
        engine, shared = recognizer(), classifier()
        room()
        rtc = rtc_configuration()
    except EmorecError as error:
        st.error(str(error))
        return
    if "live_stream" not in st.session_state:
        st.session_state.live_reader = _NextReader(engine, shared)
        st.session_state.live_stream = LiveStream(st.session_state.live_reader)
    stream: LiveStream = st.session_state.live_stream
    reader: _NextReader = st.session_state.live_reader
    # Others where the visitor has chosen another model.
    reader.engine, reader.classifier = engine, shared

    picture, readings = st.columns([3, 2], gap="large")
    with picture:
        active = _picture(stream, rtc)
        problem = camera_problem()
        if problem and not active:
            st.warning(problem, icon=":material/videocam_off:")
        detector = _controls(stream, reader, active)
        connection_check(stream, rtc, active)
    with readings:
        if active:
            st.fragment(_readings, run_every=0.5)(stream)
        elif stream.timeline is not None and stream.timeline.span_s[1] > 0:
            _summary(stream.timeline)
        else:
            st.info(
                "Press **START** and allow the camera. Faces in view, their probabilities and the "
                "last minute appear here.",
                icon=":material/mood:",
            )
    if not active:
        st.caption("No live picture? A single shot goes through the same engine.")
        single_shot("live", engine, detector, names=stream.names is not None)


def _picture(stream: LiveStream, rtc: dict[str, Any]) -> bool:
    """Show START and the moving picture; return whether it runs or is about to."""
    if not admission.let_in(stream):
        return False
    over = admission.over(stream)
    sink, source = tracks(stream, _FPS)
    st.session_state.setdefault("resolution", _DEFAULT if cores() >= _CORES else _SMALLEST)
    width, height = _RESOLUTIONS[st.session_state.resolution]
    context = webrtc_streamer(
        key=admission.component_key(),
        mode=WebRtcMode.SENDRECV,
        rtc_configuration=rtc,
        media_stream_constraints={
            "audio": False,
            "video": {
                "width": {"ideal": width},
                "height": {"ideal": height},
                "frameRate": {"ideal": _FPS, "min": 15},
            },
        },
        sink_video_track=sink,
        source_video_track=source,
        desired_playing_state=False if over else None,
        video_html_attrs={
            "autoPlay": True,
            "controls": False,
            "muted": True,
            "playsInline": True,
            "style": {"width": "100%", "borderRadius": "0.5rem"},
        },
        translations=TRANSLATIONS,
        media_toggle_controls=False,
    )
    st.caption(
        ":material/visibility: Everyone in view is on camera: press START only if they know "
        "and agree. In the EU, not at work or in education "
        "([AI Act, Art. 5(1)(f)](https://eur-lex.europa.eu/eli/reg/2024/1689/oj))."
    )
    playing = context.state.playing or context.state.signalling
    active = admission.goes_on(stream, playing, over)
    if active:
        st.session_state.setdefault("live_since", monotonic())
    else:
        st.session_state.pop("live_since", None)
    return active


def _controls(stream: LiveStream, reader: _NextReader, active: bool) -> str:
    """Let the visitor set what is shown; every change holds from the next frame on.

    Only the camera and the detector, whose name is returned, wait for the next START.
    """
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        show = left.segmented_control(
            "Show",
            list(_SHOW),
            default="Label",
            required=True,
            key="show",
            width="stretch",
            persist_state="session",
        )
        mirror = right.toggle("Mirror", value=True, key="mirror", persist_state="session")
        first, second, third = st.columns(3)
        smoothing_s = first.slider(
            "Smoothing (s)",
            0.0,
            3.0,
            stream.settings.smoothing_s,
            0.1,
            key="smoothing",
            persist_state="session",
        )
        chosen_px = reader.engine.settings.min_face_px
        min_face_px = second.select_slider(
            "Smallest face (px)",
            sorted({0, *_SMALLEST_FACES_PX, chosen_px or 0}),
            chosen_px or 0,
            format_func=lambda side_px: str(side_px or "Auto"),
            key="min_face",
            help="**Auto**: what suits the picture; smaller where nobody is found.",
            persist_state="session",
        )
        third.selectbox(
            "Camera",
            list(_RESOLUTIONS),
            key="resolution",
            persist_state="session",
            disabled=active,
            help="Takes effect at the next START.",
        )
        detector = choose_detector(reader.engine, "live detector", locked=active)
        named = naming.choose("live names", off=show == "Blur faces")
    stream.names = naming.stream_names() if named else None
    stream.view = View(_SHOW[show or "Label"], mirror)
    stream.settings = Settings(min_face_px or None, smoothing_s=smoothing_s, detector=detector)
    reader.settings = stream.settings
    if show == "Blur faces":
        st.caption(
            "Only frames that were searched are shown, with every face found made "
            "unrecognisable. A face that the detector misses, as in full profile, is not blurred."
        )
    return detector


def _readings(stream: LiveStream) -> None:
    """What is seen now; runs again by itself while the picture does."""
    if admission.over(stream):
        st.rerun()
    result, timeline = stream.result, stream.timeline
    if not stream.live:  # STOP was pressed; the component says so in a moment
        st.info("The picture has ended.", icon=":material/stop_circle:")
        return
    if not stream.running or result is None or timeline is None:
        waited = monotonic() - st.session_state.get("live_since", monotonic())
        if waited > _CONNECT_S:
            st.warning(NO_CONNECTION, icon=":material/wifi_off:")
        else:
            st.info("Connecting to your camera…", icon=":material/hourglass_top:")
        return
    if stream.error:
        st.error(stream.error)
    if stream.names is not None and stream.names.error:
        st.warning(naming.plain(f"No names: {stream.names.error}"), icon=":material/person_off:")
    faces = sorted(result.faces, key=lambda face: -face.box.width * face.box.height)
    count, shown, read = st.columns(3)
    count.metric("Faces in view", len(faces))
    shown.metric("Pictures/s", f"{stream.shown_per_s:.0f}")
    read.metric("Readings/s", f"{stream.read_per_s:.0f}")
    st.caption(_received(result.size_wh, _RESOLUTIONS[st.session_state.resolution]))
    if stream.labels_age_s > OLD_S:
        st.warning(
            f"This computer is busy: labels are {stream.labels_age_s:.0f} s old.",
            icon=":material/hourglass_bottom:",
        )
    for note in notes(result):
        st.caption(f":material/zoom_in: {note}")
    _cards([face for face in faces if face.classified or face.unreadable])
    st.markdown("**The last minute**")
    _, now_s = timeline.span_s
    window = (now_s - _LAST_S, now_s) if now_s > _LAST_S else (0.0, _LAST_S)
    st.vega_lite_chart(*charts.mood(*timeline.readings(_LAST_S), window), key="minute")


def _received(size_wh: tuple[int, int], asked_wh: tuple[int, int]) -> str:
    """Say how large the camera's picture arrives, and where it is smaller than asked for."""
    (width, height), (asked_width, asked_height) = size_wh, asked_wh
    if width * height >= asked_width * asked_height:
        return f":material/aspect_ratio: Received: {width} × {height}"
    return (
        f":material/aspect_ratio: Received: {width} × {height}, less than the {asked_width} × "
        f"{asked_height} asked for. Your line, your camera or your computer carries no more now."
    )


def _cards(faces: list[Face]) -> None:
    if not faces:
        st.info("Nobody in view.", icon=":material/person_off:")
        return
    columns = st.columns(min(len(faces), 2))
    for place, face in enumerate(faces[:_CARDS]):
        with columns[place % 2]:
            st.markdown(f"{naming.called(face)}: {face.says}")
            if face.classified:
                st.vega_lite_chart(*charts.bars(face), key=f"bars {place}")
    if len(faces) > _CARDS:
        st.caption(f"and {len(faces) - _CARDS} more, smaller in the picture")


def _summary(timeline: Timeline) -> None:
    """What the session was, once it is over."""
    summary, rows = summarize(timeline), timeline.rows()
    st.subheader("Your session")
    length, seen, most = st.columns(3)
    length.metric("Length", f"{summary.duration_s:.0f} s")
    seen.metric("Faces seen", summary.faces_seen)
    most.metric("At once", summary.most_at_once)
    if not rows:
        st.info("No face was read in this session.", icon=":material/person_off:")
        return
    if summary.dominant is not None:
        share = summary.shares[summary.dominant]
        st.markdown(f"Most often **{summary.dominant}**: {share:.0%} of the time.")
    st.vega_lite_chart(*charts.mood(*timeline.readings(), timeline.span_s), key="session")
    csv, json = st.columns(2)
    csv.download_button(
        "CSV", to_csv(rows), "emorec_session.csv", "text/csv", width="stretch", on_click="ignore"
    )
    json.download_button(
        "JSON",
        to_json(summary, rows),
        "emorec_session.json",
        "application/json",
        width="stretch",
        on_click="ignore",
    )
    st.caption("Kept in memory until the next START or until this tab is closed; on disk, nothing.")
