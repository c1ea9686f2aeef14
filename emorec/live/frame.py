"""One frame on its way: from the camera, with what is known of its faces, to the picture sent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

import av
import cv2
import numpy as np
import numpy.typing as npt

from emorec.drawing.overlay import Show, blur_all, draw_faces, moved
from emorec.live.buffers import Buffers
from emorec.records import Box, Face, FrameResult
from emorec.words import ENGLISH, speaking

Image = npt.NDArray[np.uint8]

OLD_S = 1.0
"""Labels of a frame that is older than this are dimmed, and the page says so."""


@dataclass(frozen=True, slots=True)
class View:
    """How the live picture is shown.

    Attributes:
        show: what is drawn of a face.
        mirror: whether as in a mirror.
        group_only: whether nothing is drawn of a face but a grey box, as all others have.
        language: of the words that are drawn, one of `emorec.words.LANGUAGES`.
    """

    show: Show = "label"
    mirror: bool = True
    group_only: bool = False
    language: str = ENGLISH

    @property
    def blurs(self) -> bool:
        return self.show == "blur"


class Frame:
    """A camera frame that both threads of a live picture use.

    Attributes:
        time_s: of the media clock.
        result: what was read from this very frame; None where it was not read.
    """

    def __init__(
        self, picture: av.VideoFrame, time_s: float, memory: FrameMemory | None = None
    ) -> None:
        self.time_s = time_s
        self.result: FrameResult | None = None
        self._picture: av.VideoFrame | None = picture
        self._image: Image | None = None
        self._memory = memory or FrameMemory()

    def image(self) -> Image:
        """Return the pixels, uint8 (h, w, 3), blue first; not to be written to."""
        with self._memory.lock:  # both threads may ask for them
            if self._picture is not None:
                self._image = self._memory.converted(self._picture)
                self._image.setflags(write=False)
                self._picture = None
            assert self._image is not None
            return self._image


class FrameMemory:
    """The memory in which the frames of one stream are converted, one after the other.

    Attributes:
        lock: to be held while a frame is converted.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._planes, self._images = Buffers(), Buffers()

    def converted(self, picture: av.VideoFrame) -> Image:
        """Return a decoded picture as uint8 (h, w, 3), blue first."""
        width, height = picture.width, picture.height
        if picture.format.name != "yuv420p" or width % 2 or height % 2:  # no camera sends such
            return picture.to_ndarray(format="bgr24")
        # NumPy and OpenCV let other threads run meanwhile; PyAV's own copy does not.
        planes = self._planes.take((height * 3 // 2, width))
        luma, *chroma = picture.planes
        planes[:height] = np.frombuffer(luma, np.uint8).reshape(height, -1)[:, :width]
        halves = planes[height:].reshape(2, height // 2, width // 2)
        for half, plane in zip(halves, chroma, strict=True):
            half[:] = np.frombuffer(plane, np.uint8).reshape(height // 2, -1)[:, : width // 2]
        image = self._images.take((height, width, 3))
        return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420, dst=image))


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A drawn picture, ready to be sent.

    Attributes:
        planes: I420: brightness above, both colours at half the size below; uint8 (h * 3 / 2, w).
        blurred: whether no face in it can be recognised.
    """

    planes: Image
    blurred: bool


class DrawMemory:
    """The memory that the pictures of one stream are drawn in."""

    def __init__(self) -> None:
        self.mirrored, self.planes = Buffers(), Buffers()


def draw(
    frame: Frame, newest: FrameResult | None, view: View, memory: DrawMemory | None = None
) -> Drawn:
    """Draw what is known of the faces on a frame.

    Args:
        frame: where it was read itself, its own result is drawn.
        newest: what was last read, from an older frame: its faces are moved on to this one.
        view: what is drawn. With blur a frame that was not read is blurred as a whole.
        memory: of the stream; None: of this picture alone.
    """
    memory = memory or DrawMemory()
    image = frame.image()
    result = frame.result or newest
    faces: tuple[Face, ...] = ()
    old = False
    if view.blurs and frame.result is None:
        image = blur_all(image)  # blur was switched on while this frame was on its way
    elif result:
        size_wh = image.shape[1], image.shape[0]
        age_s = frame.time_s - result.time_s
        faces = scaled(result.faces + result.suspects, result.size_wh, size_wh)
        old = age_s > OLD_S
        faces = moved(faces, age_s, size_wh)
    over = None
    if view.mirror:
        # NumPy's own way takes twenty times as long.
        over = image = np.asarray(cv2.flip(image, 1, dst=memory.mirrored.take(image.shape)))
        faces = mirrored(faces, image.shape[1])
    with speaking(view.language):
        drawn = draw_faces(
            image, faces, view.show, dimmed=old, group_only=view.group_only, out=over
        )
    # I420 halves both sides, and PyAV takes the height of such planes for a multiple of four
    # (`VideoFrame.from_numpy_buffer`: rows // 6 * 4): others came out with wrong colours.
    height, width = drawn.shape[0] // 4 * 4, drawn.shape[1] // 2 * 2
    planes = memory.planes.take((height * 3 // 2, width))
    planes = cv2.cvtColor(drawn[:height, :width], cv2.COLOR_BGR2YUV_I420, dst=planes)
    return Drawn(np.asarray(planes), view.blurs)


def scaled(
    faces: tuple[Face, ...], from_wh: tuple[int, int], to_wh: tuple[int, int]
) -> tuple[Face, ...]:
    """Return the faces as they lie in a picture of another size.

    A browser lowers the size where line or computer carry no more, and raises it again: until the
    next reading the faces are those of a picture of the size before.
    """
    if from_wh == to_wh:
        return faces
    across, down = to_wh[0] / from_wh[0], to_wh[1] / from_wh[1]
    return tuple(
        replace(
            face,
            box=Box(
                round(face.box.x1 * across),
                round(face.box.y1 * down),
                round(face.box.x2 * across),
                round(face.box.y2 * down),
            ),
            velocity_xy=(face.velocity_xy[0] * across, face.velocity_xy[1] * down),
        )
        for face in faces
    )


def mirrored(faces: tuple[Face, ...], width: int) -> tuple[Face, ...]:
    """Return the faces of a picture of this width as they lie in the mirrored one."""
    return tuple(
        replace(
            face,
            box=Box(width - face.box.x2, face.box.y1, width - face.box.x1, face.box.y2),
            velocity_xy=(-face.velocity_xy[0], face.velocity_xy[1]),
        )
        for face in faces
    )
