"""Computes embeddings with dlib: the program that `FaceEmbedder` runs as a separate process.

dlib holds Python's global lock while it computes, about 0.1 s a face. In a thread of the app that
would freeze the live pictures of all visitors. The program reads faces from standard input and
writes one embedding for each to standard output. It ends when its input ends, so it never outlives
the app.
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
"""Header before a face's pixels (uint8, red first): their height and width, the face's box."""

PREDICTOR = "shape_predictor_5_face_landmarks.dat"
NETWORK = "dlib_face_recognition_resnet_model_v1.dat"

_CHIP_PX, _PADDING = 150, 0.25  # the crops that the network was trained with

# Slope of the line through the eyes. Above it (14°) the face is rotated upright and its landmarks
# are found a second time there.
_MOST_TILT = 0.25
_UPRIGHT_PX, _PADDING_UPRIGHT = 300, 1.0  # the rotated crop: its side, its margin in face widths
_BOX_CENTER, _BOX_SIDE = (0.5, 0.44), 1.1  # dlib's box on its mean face, which is 1 wide


def main(folder: Path) -> None:
    """Answer requests until the input ends.

    Args:
        folder: holds dlib's two model files.
    """
    import dlib

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C stops the app, and the app stops this
    if hasattr(os, "nice"):
        os.nice(5)  # the live pictures have the higher priority
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
        except BrokenPipeError:  # the app has ended
            return


def _chip(
    dlib: Any, find_points: Any, image_rgb: npt.NDArray[np.uint8], box_xyxy: list[float]
) -> npt.NDArray[np.uint8]:
    """Return the network's input for a face: upright, uint8 of shape (150, 150, 3), red first."""
    shape = find_points(image_rgb, _rectangle(dlib, box_xyxy))
    points = [shape.part(number) for number in range(4)]  # the corners of both eyes
    right, left = points[0] + points[1], points[2] + points[3]
    if abs(right.y - left.y) > _MOST_TILT * max(right.x - left.x, 1):
        image_rgb = dlib.get_face_chip(image_rgb, shape, _UPRIGHT_PX, _PADDING_UPRIGHT)
        face_px = _UPRIGHT_PX / (1 + 2 * _PADDING_UPRIGHT)
        x, y = ((_PADDING_UPRIGHT + center) * face_px for center in _BOX_CENTER)
        half = _BOX_SIDE * face_px / 2
        box = _rectangle(dlib, [x - half, y - half, x + half, y + half])
        shape = find_points(image_rgb, box)
    return np.asarray(dlib.get_face_chip(image_rgb, shape, _CHIP_PX, _PADDING))


def _rectangle(dlib: Any, box_xyxy: list[float]) -> Any:
    x1, y1, x2, y2 = (round(value) for value in box_xyxy)
    # dlib's right column and bottom row belong to the rectangle.
    return dlib.rectangle(x1, y1, x2 - 1, y2 - 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
