"""The newest picture of a camera, a network stream, or a video file that plays at its own pace."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Self
from urllib.parse import urlsplit

import av
import cv2
import numpy as np
from av.container import InputContainer

from emorec.errors import ImageError
from emorec.live.mailbox import Mailbox
from emorec.media.photo import MAX_PIXELS
from emorec.media.video import ImageBGR, Video, VideoFrame

SILENCE_S = 20.0
"""A camera that sends no picture for so long is given up; so is a network stream that does not
answer."""

Pictures = Generator[VideoFrame, None, None]
Clock = Callable[[], float]

_CLOSE_S = 2.0  # at the end, so long the thread that reads the camera is waited for


class Camera:
    """Pictures as they come: one that is not taken before the next one comes is dropped.

    A thread of its own takes the pictures. Iterate once, in one thread; leaving the context ends
    both.

    Args:
        name: the number of a camera, ``/dev/videoN``, the address of a network stream
            (``rtsp://…``, ``http://…``), or a video file, which is played at its own pace.
        silence_s: after so long without a picture the camera is given up.

    Attributes:
        title: the name without a user or password that the address may hold.
        began_s: second 0 of the pictures' times, by ``time.monotonic``.

    Raises:
        ImageError: there is no such camera, or it cannot be opened.
    """

    def __init__(self, name: str, silence_s: float = SILENCE_S) -> None:
        self._silence_s = silence_s
        self._newest: Mailbox[VideoFrame] = Mailbox()
        self._problem: Exception | None = None
        self._over = Event()
        if number := re.fullmatch(r"(?:/dev/video)?(\d{1,3})", name, re.ASCII):
            self.title = f"camera {number[1]}"
            pictures = _device(_opened(int(number[1]), self.title), self._now_s, self.title)
        elif "://" in name:
            self.title = _without_password(name)
            pictures = _network(_connected(name, self.title), self._now_s, self.title)
        else:
            self.title = name
            pictures = self._played(Video(Path(name)))
        self.began_s = monotonic()
        self._thread = Thread(target=self._take, args=(pictures,), name="camera", daemon=True)

    def __enter__(self) -> Self:
        self.began_s = monotonic()
        self._thread.start()
        return self

    def __exit__(self, *why: object) -> None:
        self.end()
        self._thread.join(_CLOSE_S)

    def end(self) -> None:
        """Let the iteration end; a signal handler may call it."""
        self._over.set()
        self._newest.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        """Yield the newest picture each time, with its time, until a video file ends.

        Raises:
            ImageError: the camera or the stream sends no more pictures.
        """
        while True:
            try:
                picture = self._newest.take(self._silence_s)
            except TimeoutError:
                raise ImageError(
                    f"{self.title}: sent no picture for {self._silence_s:.0f} s."
                ) from None
            if picture is None:
                break
            yield picture
        if self._problem and not self._over.is_set():
            raise self._problem

    def _now_s(self) -> float:
        return monotonic() - self.began_s

    def _take(self, pictures: Pictures) -> None:
        try:
            for picture in pictures:
                if self._over.is_set():
                    break
                self._newest.put(picture)
        except Exception as error:  # noqa: BLE001 (the thread that iterates raises it)
            self._problem = error
        finally:
            pictures.close()
            self._newest.close()

    def _played(self, video: Video) -> Pictures:
        """Yield each frame of a video file when its time has come."""
        with video:
            for frame in video.frames():
                if self._over.wait(max(frame.time_s - self._now_s(), 0.0)):
                    return
                yield frame


def _opened(number: int, title: str) -> cv2.VideoCapture:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the line below says it
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        capture.release()
        raise ImageError(
            f"{title}: cannot be opened: it is not there, another program uses it, or this user may"
            " not use it."
        )
    return capture


def _device(capture: cv2.VideoCapture, now_s: Clock, title: str) -> Pictures:
    """Yield a camera's pictures; each has the time at which it arrived."""
    came = False
    try:
        while True:
            there, image_bgr = capture.read()
            if not there:
                break
            came = True
            yield _checked(image_bgr, now_s(), title)
    finally:
        capture.release()
    why = "sends no more pictures; is it unplugged?" if came else "sends no picture; is it in use?"
    raise ImageError(f"{title}: {why}")


def _connected(address: str, title: str) -> InputContainer:
    try:
        # Over TCP no packet is lost, and firewalls let it through.
        options = {"rtsp_transport": "tcp"} if address.startswith("rtsp") else {}
        container = av.open(address, options=options, timeout=SILENCE_S)
    except (av.FFmpegError, OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise ImageError(f"{title}: cannot be opened ({why}).") from None
    if not container.streams.video:
        container.close()
        raise ImageError(f"{title}: holds no video.")
    return container


def _network(container: InputContainer, now_s: Clock, title: str) -> Pictures:
    """Yield a network stream's pictures; each has the time at which it was decoded."""
    why = "it has ended"
    try:
        for packet in container.demux(container.streams.video[0]):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:  # a lost or damaged part; the next key frame is whole
                continue
            for frame in frames:
                image_bgr = np.ascontiguousarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
                yield _checked(image_bgr, now_s(), title)
    except (av.FFmpegError, OSError) as error:
        why = error.strerror or type(error).__name__
    finally:
        container.close()
    raise ImageError(f"{title}: sends no more pictures ({why}).")


def _checked(image_bgr: ImageBGR, time_s: float, title: str) -> VideoFrame:
    height, width = image_bgr.shape[:2]
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{title}: its pictures are too large ({width} × {height}); the limit is"
            f" {MAX_PIXELS // 1_000_000} million pixels."
        )
    return VideoFrame(image_bgr, time_s)


def _without_password(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:  # as of "http://["
        return re.sub(r"//.*@", "//", address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
