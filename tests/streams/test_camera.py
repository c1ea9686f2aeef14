"""Cameras: pictures come at their own pace, the newest wins, and each fault is one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep

import cv2
import numpy as np
import pytest

from emorec.cli import main
from emorec.errors import ImageError
from emorec.media.video import VideoFrame
from emorec.media.video_writer import VideoWriter
from emorec.streams.camera import Camera, _connected, _device, _network
from tests.streams.conftest import FPS


@pytest.fixture
def server(network_film: Path) -> Iterator[str]:
    """Serves the film over HTTP: a network stream that ends."""
    handler = partial(SimpleHTTPRequestHandler, directory=network_film.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever).start()
        yield f"127.0.0.1:{serving.server_port}"
        serving.shutdown()


def test_a_film_plays_at_its_own_pace_and_ends(film: Path) -> None:
    with Camera(str(film)) as camera:
        times = []
        for image_bgr, time_s in camera:
            assert monotonic() - camera.began_s >= time_s
            assert image_bgr.shape == (480, 480, 3) and image_bgr.dtype == np.uint8
            times.append(time_s)
    assert times == sorted(set(times))
    assert set(np.round(times, 3)) <= set(np.round(np.arange(15) / FPS, 3))


def test_the_newest_picture_wins(film: Path) -> None:
    with Camera(str(film)) as camera:
        times = []
        for _, time_s in camera:
            times.append(time_s)
            sleep(0.35)
    assert 1 <= len(times) < 15
    assert times == sorted(set(times))


def test_leaving_early_ends_the_thread(long_film: Path) -> None:
    with Camera(str(long_film)) as camera:
        next(iter(camera))
    assert not [thread for thread in threading.enumerate() if thread.name == "camera"]


def test_a_camera_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "slow.mp4") as writer:
        for time_s in (0, 30):
            writer.write(np.zeros((64, 64, 3), np.uint8), time_s)
    with (
        Camera(str(tmp_path / "slow.mp4"), silence_s=0.5) as camera,
        pytest.raises(ImageError, match=r"slow\.mp4: sent no picture for 0 s"),
    ):
        list(camera)


def read_to_the_end(pictures: Iterator[VideoFrame]) -> tuple[list[VideoFrame], str]:
    """Return the pictures, and why there are no more."""
    read = []
    try:
        for picture in pictures:
            read.append(picture)
    except ImageError as error:
        return read, str(error)
    raise AssertionError("a camera never simply ends")


def test_a_camera_that_is_unplugged_says_so(film: Path) -> None:
    # OpenCV reads a film as it reads a camera; the end of one is the loss of the other.
    capture = cv2.VideoCapture(str(film))
    read, why = read_to_the_end(_device(capture, lambda: 1.5, "camera 3"))
    assert why == "camera 3: sends no more pictures; is it unplugged?"
    assert len(read) == 15
    assert read[-1].image_bgr.shape == (480, 480, 3) and read[-1].time_s == 1.5
    assert not capture.isOpened()


def test_a_camera_that_another_program_uses_says_so() -> None:
    read, why = read_to_the_end(_device(cv2.VideoCapture(), lambda: 0.0, "camera 3"))
    assert (read, why) == ([], "camera 3: sends no picture; is it in use?")


def test_a_network_stream_that_ends_is_lost(server: str) -> None:
    address = f"http://me:secret@{server}/four.ts"
    read, why = read_to_the_end(_network(_connected(address, "the stream"), lambda: 1.5, "it"))
    assert why == "it: sends no more pictures (it has ended)."
    assert len(read) == 15
    assert read[-1].image_bgr.shape == (480, 480, 3) and read[-1].time_s == 1.5
    with Camera(address) as camera:
        assert camera.title == f"http://{server}/four.ts"
        _, why = read_to_the_end(iter(camera))
        assert why == f"{camera.title}: sends no more pictures (it has ended)."


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        ("97", "camera 97: cannot be opened: it is not there, another program uses it"),
        ("/dev/video97", "camera 97: cannot be opened: it is not there"),
        ("none.mp4", "none.mp4: cannot be read (No such file or directory)."),
        ("http://me:secret@127.0.0.1:9/x", "http://127.0.0.1:9/x: cannot be opened (Connection"),
        ("http://[", "http://[: cannot be opened ("),
        ("soon://x", "soon://x: cannot be opened (Protocol not found)."),
        ("", ".: cannot be read"),
    ],
)
def test_one_that_cannot_be_opened_is_one_line(
    camera: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "--camera", camera]) == 2
    out, err = capfd.readouterr()
    assert not out
    assert err.startswith(f"emorec: {said}")
    assert len(err.splitlines()) == 1
    assert "secret" not in err


def test_a_network_stream_without_pictures_is_refused(server: str, network_film: Path) -> None:
    (network_film.parent / "text.txt").write_text("no video")
    with pytest.raises(ImageError, match=r"text\.txt: (cannot be opened|holds no video)"):
        Camera(f"http://{server}/text.txt")
