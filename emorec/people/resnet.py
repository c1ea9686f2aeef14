"""Faces to numbers, in a process of its own: the file that `FaceEmbedder` runs.

dlib keeps Python's lock for as long as it computes, about 0.1 s a face: in a thread of the app the
pictures of all visitors would stand still meanwhile. Faces come by standard input, embeddings go by
standard output, one after another; the end of the input ends it, so it never outlives the app.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

HEAD = struct.Struct("<2I4f")
"""What goes before a face's pixels (uint8, red first): their height and width, the face's box."""

PREDICTOR = "shape_predictor_5_face_landmarks.dat"
NETWORK = "dlib_face_recognition_resnet_model_v1.dat"

_CHIP_PX, _PADDING = 150, 0.25  # as the network was trained

_MOST_TILT = 0.25  # rise of the line of the eyes: from 14° on the points are found anew, upright
_UPRIGHT_PX, _ROOM = 300, 1.0  # the turned face, and how many faces' widths are around it
_MIDDLE, _SIDE = (0.5, 0.44), 1.1  # dlib's box in its mean face's frame, which is 1 wide


def main(folder: Path) -> None:
    """Answer until the input ends.

    Args:
        folder: with dlib's two model files.
    """
    import dlib

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the app, which ends this
    if hasattr(os, "nice"):
        os.nice(5)  # moving pictures go first
    find_points = dlib.shape_predictor(str(folder / PREDICTOR))
    network = dlib.face_recognition_model_v1(str(folder / NETWORK))
    source = sys.stdin.buffer
    while len(head := source.read(HEAD.size)) == HEAD.size:
        height, width, *box = HEAD.unpack(head)
        pixels = source.read(height * width * 3)
        if len(pixels) < height * width * 3:
            return
        image_rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
        chip = _chip(dlib, find_points, image_rgb, box)
        embedding = np.asarray(network.compute_face_descriptor(chip), dtype="<f4")
        try:
            os.write(sys.stdout.fileno(), embedding.tobytes())
        except BrokenPipeError:  # the app ended meanwhile
            return


def _chip(
    dlib: Any, find_points: Any, image_rgb: npt.NDArray[np.uint8], box_xyxy: list[float]
) -> npt.NDArray[np.uint8]:
    """Return the face as the network knows faces: upright, 150 × 150."""
    shape = find_points(image_rgb, _rectangle(dlib, box_xyxy))
    points = [shape.part(number) for number in range(4)]  # the corners of both eyes
    right, left = points[0] + points[1], points[2] + points[3]
    if abs(right.y - left.y) > _MOST_TILT * max(right.x - left.x, 1):
        image_rgb = dlib.get_face_chip(image_rgb, shape, _UPRIGHT_PX, _ROOM)
        face_px = _UPRIGHT_PX / (1 + 2 * _ROOM)
        x, y = ((_ROOM + middle) * face_px for middle in _MIDDLE)
        half = _SIDE * face_px / 2
        box = _rectangle(dlib, [x - half, y - half, x + half, y + half])
        shape = find_points(image_rgb, box)
    return np.asarray(dlib.get_face_chip(image_rgb, shape, _CHIP_PX, _PADDING))


def _rectangle(dlib: Any, box_xyxy: list[float]) -> Any:
    x1, y1, x2, y2 = (round(value) for value in box_xyxy)
    return dlib.rectangle(x1, y1, x2 - 1, y2 - 1)  # dlib's right and bottom are inside


if __name__ == "__main__":
    main(Path(sys.argv[1]))
