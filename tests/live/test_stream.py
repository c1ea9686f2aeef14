"""The live stream without a browser: frames in, frames out."""

import gc
import threading
import time
import weakref
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from emorec.live import frame
from emorec.live import stream as module
from emorec.live.frame import Frame, View, mirrored, scaled
from emorec.live.mailbox import Mailbox
from emorec.live.shared import SharedClassifier
from emorec.live.stream import LiveStream
from emorec.paths import CASCADE
from emorec.pipeline.detect import HaarDetector
from emorec.pipeline.pipeline import Pipeline
from emorec.reading import Reader
from emorec.records import Box, Face, FrameResult, unclassified
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
        def reader():
            return Reader(Pipeline(HaarDetector(), classifier, Settings(), unsure_below=0.4))

        streams.append(LiveStream(reader, view=view))
        streams[-1].start()
        return streams[-1]

    yield make
    for stream in streams:
        stream.stop(wait_s=10)


def frame_of(image, seconds):
    frame = av.VideoFrame.from_ndarray(image, format="bgr24")
    frame.pts, frame.time_base = round(seconds / TICK), TICK
    return frame


def picture_of(stream):
    return av.VideoFrame.from_numpy_buffer(stream.planes, format="yuv420p")


def shown_by(stream):
    return picture_of(stream).to_ndarray(format="bgr24")


def play(stream, image, seconds, fps=30, until=None, pictures=None):
    """Put the picture at this rate, in real time; return every new picture that was shown.

    Ends when ``until`` holds, after so many new pictures, or after so many seconds.
    """
    shown, newest = [], None
    for number in range(int(seconds * fps)):
        stream.put(frame_of(image, number / fps))
        time.sleep(1 / fps)
        if stream._worker.newest is not newest:
            newest = stream._worker.newest
            shown.append(picture_of(stream))
        if (until and until()) or (pictures and len(shown) >= pictures):
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
    shown = play(open_stream(classifier), portrait, 60, until=lambda: classifier.calls >= 3)
    # Had the picture waited, there were as few pictures as readings.
    assert len(shown) > 3 * classifier.calls


def test_a_classifier_that_raises_does_not_end_the_stream(open_stream, portrait, caplog):
    classifier = Broken()
    stream = open_stream(classifier)
    shown = play(stream, portrait, 5, until=lambda: stream.error is not None)
    shown = play(stream, portrait, 20, pictures=6)
    assert "no weights today" in stream.error
    assert len(shown) > 5
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
    assert not stream.live and not stream.silent  # STOP is no silence
    stream.stop(wait_s=10)  # once more does nothing
    stream.put(frame_of(portrait, 0))  # nor does a frame that comes late
    assert not stream.running and stream.timeline.rows() == rows
    stream.start()  # but START begins anew
    stream.put(frame_of(portrait, 0))
    assert stream.running and stream.timeline.rows() == []


def test_blur_shows_no_face_from_the_first_frame_on(open_stream, portrait):
    cascade = cv2.CascadeClassifier(str(CASCADE))
    stream = open_stream(Happy(), View(show="blur"))
    shown = play(stream, portrait, 60, until=lambda: stream.result and stream.result.index > 8)
    assert len(shown) > 5  # it plays
    for picture in shown:
        gray = cv2.cvtColor(picture.to_ndarray(format="bgr24"), cv2.COLOR_BGR2GRAY)
        assert len(cascade.detectMultiScale(gray, 1.1, 3)) == 0


def test_switching_blur_on_holds_for_the_very_next_picture(open_stream, portrait):
    cascade = cv2.CascadeClassifier(str(CASCADE))
    stream = open_stream(Happy(takes_s=0.5))

    def faces_shown():
        gray = cv2.cvtColor(shown_by(stream), cv2.COLOR_BGR2GRAY)
        return len(cascade.detectMultiScale(gray, 1.1, 3))

    play(stream, portrait, 20, until=lambda: faces_shown() == 1)
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


def test_faces_of_a_picture_of_another_size_are_scaled_to_this_one():
    face = Face(1, Box(10, 20, 40, 60), 1.0, 0, 0, unclassified(), unclassified(), None, (5.0, 2.0))
    (larger,) = scaled((face,), (640, 360), (1280, 1080))
    assert larger.box == Box(20, 60, 80, 180)
    assert larger.velocity_xy == (10.0, 6.0)
    assert scaled((face,), (640, 360), (640, 360)) == (face,)


def test_a_label_stays_on_its_face_when_the_camera_sends_another_size():
    faces = (Face(1, Box(64, 36, 128, 72), 1.0, 0, 0, unclassified(), unclassified(), None),)
    read = FrameResult(0, 0.0, (320, 180), faces)
    drawn = frame.draw(
        Frame(frame_of(np.full((720, 1280, 3), 128, np.uint8), 0.1), 0.1), read, View(mirror=False)
    )
    luma = drawn.planes[:720]
    rows, columns = np.nonzero(luma != luma[0, 0])
    assert (columns.min(), columns.max()) == pytest.approx((256, 512), abs=12)
    assert (rows.min(), rows.max()) == pytest.approx((144, 288), abs=40)


def test_while_it_is_paused_nothing_is_read_and_the_session_goes_on(
    open_stream, portrait, monkeypatch
):
    monkeypatch.setattr(module, "SILENCE_S", 3.0)
    stream = open_stream(Happy())
    play(stream, portrait, 40, until=lambda: stream.result is not None)
    stream.paused = True
    play(stream, portrait, 0.5)  # what was on its way
    shown, index = stream.planes, stream.result.index
    before = stream.timeline
    play(stream, portrait, 3.5)  # longer than the silence that ends a session
    assert stream.live and stream.running
    assert stream.result.index == index and stream.planes is shown
    stream.view = View("blur")
    assert len(np.unique(stream.planes[:480])) == 1, "the last picture is not blurred"
    stream.view = View()
    stream.paused = False
    play(stream, portrait, 40, until=lambda: stream.result.index > index)
    assert stream.result.index > index and stream.timeline is before


def test_a_snapshot_is_the_picture_that_is_sent_and_never_an_unblurred_one(open_stream, portrait):
    stream = open_stream(Happy(), View(mirror=False))
    play(stream, portrait, 40, until=lambda: stream.result is not None and stream.result.faces)
    taken = stream.snapshot()
    assert taken.shape == (480, 640, 3) and taken.std() > 20
    stream.view = View("blur", mirror=False)
    blank = stream.snapshot()  # no blurred picture has been drawn yet
    assert blank.std() < 2 or not cv2.CascadeClassifier(str(CASCADE)).detectMultiScale(
        blank, 1.1, 5
    )
    stream.stop(wait_s=10)
    assert stream.snapshot().std() < 2


def test_a_session_is_discarded_only_once_it_is_over(open_stream, portrait):
    stream = open_stream(Happy())
    play(stream, portrait, 40, until=lambda: stream.result is not None)
    stream.discard()
    assert stream.timeline is not None
    stream.stop(wait_s=10)
    stream.problem = "The camera was lost."
    stream.discard()
    assert stream.timeline is None and stream.result is None and stream.problem is None


def test_the_mirror_turns_the_picture(open_stream):
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :320] = 255
    for mirror, left in ((True, 0), (False, 255)):
        stream = open_stream(Happy(), View(mirror=mirror))
        play(stream, image, 20, until=lambda stream=stream: shown_by(stream).max() > 200)
        assert abs(int(shown_by(stream)[240, 50, 0]) - left) < 10


def feed(streams, image, until, fps=15, deadline_s=60):
    """Put the picture to all of them at this rate until something is the case."""
    began = time.monotonic()
    for number in range(fps * deadline_s):
        for stream in streams:
            stream.put(frame_of(image, number / fps))
        time.sleep(1 / fps)
        if until():
            return
        if time.monotonic() - began > deadline_s:
            break
    pytest.fail("it did not happen in time")


def readings(stream):
    return stream.result.index + 1 if stream.result else 0


def test_of_many_streams_on_one_slow_classifier_each_gets_its_share(open_stream, portrait):
    shared = SharedClassifier(Happy(takes_s=0.1))
    streams = [open_stream(shared) for _ in range(4)]
    feed(streams, portrait, lambda: all(map(readings, streams)))  # all have begun
    before = [readings(stream) for stream in streams]
    feed(streams, portrait, lambda: sum(map(readings, streams)) >= sum(before) + 40)
    counts = [readings(stream) - own for stream, own in zip(streams, before, strict=True)]
    assert min(counts) >= 0.5 * sum(counts) / len(counts), counts
    dark = [shown_by(stream).mean() / 2 for stream in streams]
    feed(
        streams,
        portrait // 4,
        lambda: all(
            shown_by(stream).mean() < level for stream, level in zip(streams, dark, strict=True)
        ),
    )  # nobody's picture is frozen


def test_the_planes_are_the_same_until_there_is_another_picture(open_stream, portrait):
    stream = open_stream(Happy())
    assert stream.planes is stream.planes
    feed([stream], portrait, lambda: shown_by(stream).std() > 10)
    stream._worker._to_draw.close()  # the same picture from now on
    drawn = stream.planes
    assert stream.planes is drawn
    stream.view = View(show="blur")  # the very next picture is another one
    assert stream.planes is not drawn and shown_by(stream).std() < 2
    assert stream.planes is stream.planes


@pytest.mark.parametrize("size_wh", [(641, 481), (641, 480), (640, 481)])
def test_a_picture_of_odd_size_is_shown_up_to_its_last_row_or_column(open_stream, size_wh):
    stream = open_stream(Happy())
    width, height = size_wh
    bright = np.full((height, width, 3), 200, np.uint8)
    feed([stream], bright, lambda: shown_by(stream).mean() > 150)
    assert shown_by(stream).shape == (480, 640, 3)


def seen(stream):
    return stream.result.faces if stream.result else ()


def drawn_over(stream, portrait):
    """How much the picture that is shown differs from the camera's at its strongest."""
    return np.abs(shown_by(stream).astype(int) - portrait).max()


@pytest.mark.long
def test_labels_older_than_a_second_are_dimmed_and_their_age_is_told(open_stream, portrait):
    classifier = Happy()
    stream = open_stream(classifier, View(mirror=False))
    feed([stream], portrait, lambda: any(face.emotion for face in seen(stream)))
    feed([stream], portrait, lambda: drawn_over(stream, portrait) > 150)
    strong = drawn_over(stream, portrait)
    assert stream.labels_age_s < 1
    classifier.takes_s = 3.0
    ages, weakest = [], strong
    began = time.monotonic()
    first = readings(stream) + 1  # the reading that goes on may not ask it
    while readings(stream) < first + 2 and time.monotonic() - began < 30:
        stream.put(frame_of(portrait, 3 + time.monotonic() - began))
        time.sleep(1 / 15)
        ages.append((readings(stream), stream.labels_age_s))
        weakest = min(weakest, drawn_over(stream, portrait))
    assert weakest < 0.6 * strong
    # Once they are old, the age that is told does not fall at every reading.
    late = [age for count, age in ages if count > first]
    assert late and min(late) > 2


@pytest.mark.parametrize("height", [270, 450, 90, 478])
def test_a_picture_of_any_height_keeps_its_colours(open_stream, height):
    stream = open_stream(Happy(), View(mirror=False))
    orange = np.full((height, 640, 3), (40, 120, 220), np.uint8)
    feed([stream], orange, lambda: shown_by(stream).mean() > 60)
    shown = shown_by(stream)
    assert height - 4 < shown.shape[0] <= height and shown.shape[1] == 640
    assert np.abs(shown.astype(int) - orange[: len(shown)]).max() < 8


def test_a_stream_that_fails_does_not_disturb_the_others(open_stream, portrait):
    well, ill = open_stream(Happy()), open_stream(Broken())
    feed([well, ill], portrait, lambda: ill.error is not None)
    before = readings(well)
    feed([well, ill], portrait, lambda: readings(well) >= before + 5)
    assert well.error is None


class Deadly(Happy):
    """Ends the thread that asks it, once."""

    def classify(self, faces_gray):
        probs = super().classify(faces_gray)
        if self.calls == 1:
            raise SystemExit
        return probs


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_is_replaced(open_stream, portrait):
    stream = open_stream(Deadly())
    feed([stream], portrait, lambda: stream.result is not None)
    timeline = stream.timeline
    feed([stream], portrait, lambda: timeline.rows())
    assert stream.timeline is timeline  # it is still the same session


def test_a_frame_that_cannot_be_drawn_does_not_end_the_picture(open_stream, portrait, monkeypatch):
    stream = open_stream(Happy())
    with monkeypatch.context() as patch:
        patch.setattr(frame, "draw_faces", lambda *_: 1 / 0)
        feed([stream], portrait, lambda: readings(stream) > 1)
        assert shown_by(stream).std() < 2
    feed([stream], portrait, lambda: shown_by(stream).std() > 10)


def test_silence_ends_a_stream_and_its_threads(open_stream, portrait, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_S", 1.0)
    before = len(emorec_threads())
    stream = open_stream(Happy())
    assert stream.live and not stream.running
    feed([stream], portrait, lambda: stream.timeline and stream.timeline.rows())
    until = time.monotonic() + 60
    while len(emorec_threads()) > before or stream.running:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert stream.silent and not stream.live and stream.timeline.rows()
    stream.put(frame_of(portrait, 9))  # who comes back has to press START
    assert not stream.running
    stream.start()
    assert stream.live


def test_a_start_that_no_frame_follows_is_over_after_a_while(open_stream, monkeypatch):
    monkeypatch.setattr(module, "SILENCE_S", 0.1)
    stream = open_stream(Happy())
    until = time.monotonic() + 60
    while stream.live:
        assert time.monotonic() < until
    stream.start()
    assert stream.live


def test_after_stop_nothing_keeps_frames_pipelines_or_the_stream_itself(portrait):
    made = []

    def reader():
        own = Pipeline(HaarDetector(), Happy(), Settings(), unsure_below=0.4)
        made.append(weakref.ref(own))
        return Reader(own)

    stream = LiveStream(reader)
    streams = weakref.WeakSet([stream])  # what waits for it must not keep it
    stream.start()
    feed([stream], portrait, lambda: any(map(readings, streams)))
    stream.stop(wait_s=60)
    gc.collect()
    assert made and [ref() for ref in made] == [None] * len(made)
    assert stream.timeline is not None
    assert not [thing for thing in gc.get_objects() if type(thing) is Frame]
    del stream
    gc.collect()
    assert not streams


def test_a_mailbox_keeps_the_newest_and_lets_go_when_closed():
    box = Mailbox()
    box.put(1)
    box.put(2)
    assert box.take() == 2
    threading.Timer(0.1, box.close).start()
    assert box.take() is None
    box.put(3)
    assert box.take() is None


def test_a_mailbox_says_when_nothing_came_and_when_something_had_to_go():
    box = Mailbox()
    with pytest.raises(TimeoutError):
        box.take(patience_s=0.01)
    assert box.put(1) is False
    assert box.put(2) is True
    assert box.take(patience_s=0.01) == 2
    assert box.put(3) is False
