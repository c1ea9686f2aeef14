"""The live stream without a browser: frames in, frames out."""

import threading
import time
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from emorec.live.mailbox import Mailbox
from emorec.live.stream import LiveStream, View, mirrored
from emorec.paths import CASCADE
from emorec.pipeline.detect import HaarDetector
from emorec.pipeline.pipeline import Pipeline
from emorec.records import Box, Face, unclassified
from emorec.settings import Settings

TICK = Fraction(1, 90000)


class Happy:
    """A classifier that is sure, after the time it is told to take."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.calls = 0

    def classify(self, faces_gray):
        self.calls += 1
        time.sleep(self.takes_s)
        probs = np.full((len(faces_gray), 7), 0.02, np.float32)
        probs[:, 3] = 0.88
        return probs


class Broken:
    """A classifier that fails until it is mended."""

    mended = False

    def classify(self, faces_gray):
        if not self.mended:
            raise RuntimeError("no weights today")
        return Happy().classify(faces_gray)


@pytest.fixture(scope="module")
def portrait():
    skimage_data = pytest.importorskip("skimage.data")
    picture = np.ascontiguousarray(skimage_data.astronaut()[:300, 60:460, ::-1])
    return cv2.resize(picture, (640, 480))


@pytest.fixture
def open_stream():
    streams = []

    def make(classifier, view=None):
        def pipeline():
            return Pipeline(HaarDetector(), classifier, Settings(), unsure_below=0.4)

        streams.append(LiveStream(pipeline, view=view))
        streams[-1].start()
        return streams[-1]

    yield make
    for stream in streams:
        stream.stop(wait_s=10)


def frame_of(image, seconds):
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame.pts, frame.time_base = round(seconds / TICK), TICK
    return frame


def shown_by(stream):
    return stream.picture(0, TICK).to_ndarray(format="bgr24")


def play(stream, image, seconds, fps=30, until=None):
    """Put the picture at this rate, in real time; return what was shown after each frame."""
    shown = []
    for number in range(int(seconds * fps)):
        stream.put(frame_of(image, number / fps))
        time.sleep(1 / fps)
        shown.append(stream.picture(0, TICK))
        if until and until():
            break
    return shown


def emorec_threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("emorec-")]


def test_before_the_first_frame_there_is_a_dark_picture_and_no_thread(open_stream):
    before = emorec_threads()
    stream = open_stream(Happy())
    assert shown_by(stream).shape == (480, 640, 3)
    assert shown_by(stream).std() < 2
    assert (stream.running, stream.result, stream.timeline) == (False, None, None)
    assert emorec_threads() == before


def test_a_face_is_found_named_and_recorded(open_stream, portrait):
    stream = open_stream(Happy(), View(mirror=False))
    play(stream, portrait, 5, until=lambda: stream.timeline and len(stream.timeline.rows()) > 3)
    (face,) = stream.result.faces
    assert face.emotion == "happy"
    assert stream.timeline.rows()[0]["track_id"] == face.track_id
    assert stream.timeline.rows()[0]["happy"] == pytest.approx(0.88, abs=0.01)
    # The label is drawn: the picture is no longer the camera's.
    assert np.abs(shown_by(stream).astype(int) - portrait).max() > 100


def test_the_picture_goes_on_while_the_classifier_thinks(open_stream, portrait):
    classifier = Happy(takes_s=1.0)
    shown = play(open_stream(classifier), portrait, 3)
    pictures = {id(picture) for picture in shown[15:]}
    # Had the picture waited, there were as few pictures as readings.
    assert 1 <= classifier.calls <= 5
    assert len(pictures) > 20


def test_a_classifier_that_raises_does_not_end_the_stream(open_stream, portrait, caplog):
    classifier = Broken()
    stream = open_stream(classifier)
    shown = play(stream, portrait, 5, until=lambda: stream.error is not None)
    shown = play(stream, portrait, 0.5)
    assert "no weights today" in stream.error
    assert len({id(picture) for picture in shown}) > 5
    assert sum("reading a frame failed" in r.message for r in caplog.records) == 1
    classifier.mended = True
    play(stream, portrait, 5, until=lambda: stream.error is None and stream.result is not None)
    assert stream.error is None and len(stream.result.faces) == 1


def test_stop_ends_every_thread_and_keeps_the_timeline(open_stream, portrait):
    before = len(emorec_threads())
    stream = open_stream(Happy())
    play(stream, portrait, 5, until=lambda: stream.timeline and stream.timeline.rows())
    assert len(emorec_threads()) == before + 2
    stream.stop(wait_s=10)
    assert len(emorec_threads()) == before
    rows = stream.timeline.rows()
    assert rows and not stream.running
    stream.stop(wait_s=10)  # once more does nothing
    stream.put(frame_of(portrait, 0))  # nor does a frame that comes late
    assert not stream.running and stream.timeline.rows() == rows
    stream.start()  # but START begins anew
    stream.put(frame_of(portrait, 0))
    assert stream.running and stream.timeline.rows() == []


def test_blur_shows_no_face_from_the_first_frame_on(open_stream, portrait):
    cascade = cv2.CascadeClassifier(str(CASCADE))
    stream = open_stream(Happy(), View(show="blur"))
    shown = play(stream, portrait, 2)
    assert len({id(picture) for picture in shown}) > 5  # it plays
    for picture in {id(picture): picture for picture in shown}.values():
        gray = cv2.cvtColor(picture.to_ndarray(format="bgr24"), cv2.COLOR_BGR2GRAY)
        assert len(cascade.detectMultiScale(gray, 1.1, 3)) == 0


def test_switching_blur_on_holds_for_the_very_next_picture(open_stream, portrait):
    cascade = cv2.CascadeClassifier(str(CASCADE))
    stream = open_stream(Happy(takes_s=0.5))
    play(stream, portrait, 1)

    def faces_shown():
        gray = cv2.cvtColor(shown_by(stream), cv2.COLOR_BGR2GRAY)
        return len(cascade.detectMultiScale(gray, 1.1, 3))

    assert faces_shown() == 1  # the test can see a face where there is one
    stream.view = View(show="blur")
    assert faces_shown() == 0
    for _ in range(20):
        stream.put(frame_of(portrait, 2))
        time.sleep(0.03)
        assert faces_shown() == 0


def test_a_mirrored_face_lies_on_the_other_side():
    face = Face(1, Box(10, 20, 40, 60), 1.0, 0, 0, unclassified(), unclassified(), None, (5.0, 2.0))
    (other,) = mirrored((face,), 100)
    assert other.box == Box(60, 20, 90, 60)
    assert other.velocity_xy == (-5.0, 2.0)
    (back,) = mirrored((other,), 100)
    assert back.box == face.box


def test_the_mirror_turns_the_picture(open_stream):
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :320] = 255
    for mirror, left in ((True, 0), (False, 255)):
        stream = open_stream(Happy(), View(mirror=mirror))
        play(stream, image, 1)
        assert abs(int(shown_by(stream)[240, 50, 0]) - left) < 10


def test_a_mailbox_keeps_the_newest_and_lets_go_when_closed():
    box = Mailbox()
    box.put(1)
    box.put(2)
    assert box.take() == 2
    threading.Timer(0.1, box.close).start()
    assert box.take() is None
    box.put(3)
    assert box.take() is None
