"""Faces by a small neural network: also tilted, half turned, dark; and how far each is tilted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.geometry import Boxes, as_boxes, distinct, iou
from emorec.model.runtime import quiet
from emorec.paths import BLAZEFACE
from emorec.pipeline.tiles import INPUT_SIDE, Patch, tiles, zooms
from emorec.records import Detection

Image = npt.NDArray[np.uint8]
_Points = npt.NDArray[np.float64]

# A face is found in three looks. In a tile, where small ones are 25 input pixels wide, faces of the
# standard portrait, dark, bright or tilted by 30 degrees, score from 0.15 up, and so do many other
# things. Zoomed in on, 98 % of 150 such portraits score 0.70 or more, and 85 places that are no
# face, from 21 pictures without one, 0.53 or less. Among things made to look like faces single ones
# reach 0.76; averaged with a look at the mirrored place, 279 portraits score 0.71 or more and the
# things, two apart, 0.64 or less. FER2013's faces, cut off as they are at the chin, pass in 74 % of
# 300.
_MAYBE = 0.15
_LIKELY = 0.5
_SURE = 0.64
_PLACES = 64  # looked at again in one picture, the likeliest first
_SAME = 0.3  # IoU from which two finds are one face
_STRIDE = 4  # input pixels from one anchor to the next

# From its box to FER2013's frame, which is also the cascade's. Its side, over the frame's, was
# measured to be 0.86 on FER2013 faces (314 of them) and 1.03 on the standard portrait, and its
# middle 0.02 to 0.07 further down; at a tilt of 30 degrees it is smaller by another 0.09.
_SIDE = 1.04
_UP = 0.05
_LEAN = 0.7


class BlazeFaceDetector:
    """MediaPipe's full-range BlazeFace (V. Bazarevsky et al., "BlazeFace", 2019) on LiteRT.

    The whole picture and overlapping tiles of it are searched for places where a face may be;
    zoomed looks at each and at its mirror image decide. Near a known face one such look suffices.
    Anchors that mean the same face are averaged by score, as the paper does against jitter.

    Args:
        file: the network.

    Raises:
        ModelError: the file is missing or is no such network.
    """

    def __init__(self, file: Path = BLAZEFACE) -> None:
        from ai_edge_litert.interpreter import Interpreter

        if not file.is_file():
            raise ModelError(f"{file.name}: the face network is missing from {file.parent}.")
        try:
            with quiet():
                # With a second thread a look takes hardly less time, and twice the processor's.
                self._network = Interpreter(model_content=file.read_bytes(), num_threads=1)
                self._network.allocate_tensors()
            (self._input,) = (one["index"] for one in self._network.get_input_details())
            self._points, self._scores = (
                one["index"] for one in self._network.get_output_details()
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{file.name}: is no face network that LiteRT can run.") from error
        rows, columns = np.mgrid[0:INPUT_SIDE:_STRIDE, 0:INPUT_SIDE:_STRIDE]
        self._anchors = np.stack([columns, rows], axis=2).reshape(-1, 1, 2) + _STRIDE / 2
        self._bgr = np.zeros((INPUT_SIDE, INPUT_SIDE, 3), dtype=np.uint8)
        self._lock = Lock()  # an interpreter keeps its working buffers inside

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        return self.search(image_bgr, min_face_px, as_boxes([]))

    def search(
        self, image_bgr: Image, min_face_px: float, proposals_xyxy: Boxes
    ) -> list[Detection]:
        """Search the whole picture, and look at what another detector takes for faces."""
        height, width = image_bgr.shape[:2]
        maybe = [
            found
            for patch in tiles((width, height), min_face_px)
            for found in self._look(image_bgr, [patch], _MAYBE)[0]
        ]
        maybe += [Detection(box, 0.0) for box in proposals_xyxy]
        places = as_boxes([found.box_xyxy for found in _surest(maybe)[:_PLACES]])
        once = _surest([face for face in self._zoom(image_bgr, places, False) if face])
        again = self._zoom(image_bgr, as_boxes([face.box_xyxy for face in once]), True)
        twice = [_mean(one, other) for one, other in zip(once, again, strict=True) if other]
        return [
            face
            for face in _surest(twice)
            if face.score >= _SURE and np.ptp(face.box_xyxy[::2]) >= 0.8 * min_face_px
        ]

    def detect_near(self, image_bgr: Image, boxes_xyxy: Boxes) -> list[Detection]:
        return [face for face in self._zoom(image_bgr, boxes_xyxy, False) if face]

    def _zoom(self, image_bgr: Image, boxes_xyxy: Boxes, mirrored: bool) -> list[Detection | None]:
        """Return for each box the face in its middle."""
        patches = zooms(boxes_xyxy, mirrored)
        looks = [found for group in patches for found in self._look(image_bgr, group, _LIKELY)]
        faces: list[Detection | None] = []
        for box, found in zip(boxes_xyxy, looks, strict=True):
            middle, reach = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]).max() / 2
            # A neighbour's face may reach in: the one nearest to the middle is meant.
            away = [
                float(np.abs((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 - middle).max())
                for face in found
            ]
            near = away and min(away) < reach
            faces.append(found[int(np.argmin(away))] if near else None)
        return faces

    def _look(
        self, image_bgr: Image, patches: Sequence[Patch], threshold: float
    ) -> list[list[Detection]]:
        """Return for each of the patches, which share one input, the faces found in it."""
        with self._lock:
            self._bgr[:] = 0
            for patch in patches:
                self._fill(image_bgr, patch)
            rgb = cv2.cvtColor(self._bgr, cv2.COLOR_BGR2RGB)
            pixels = self._network.tensor(self._input)()[0]
            np.multiply(rgb, np.float32(2 / 255), out=pixels)
            np.subtract(pixels, 1, out=pixels)
            del pixels  # LiteRT does not run while someone holds its memory
            self._network.invoke()
            raw = self._network.get_tensor(self._scores)[0, :, 0]
            hits = np.flatnonzero(raw >= math.log(threshold / (1 - threshold)))
            # Centre, size, eyes, nose, mouth, ears; all but the size count from the anchor.
            points = self._network.get_tensor(self._points)[0, hits].astype(np.float64)
        scores = 1 / (1 + np.exp(-raw[hits].astype(np.float64)))
        anchors = self._anchors[hits]
        points = points.reshape(-1, 8, 2)
        points[:, [0, 2, 3]] += anchors
        found = []
        for patch in patches:
            corner = np.array([patch.left, patch.top])
            own = ((anchors >= corner) & (anchors < corner + patch.cell)).all(axis=(1, 2))
            found.append(_faces(points[own], scores[own], patch))
        return found

    def _fill(self, image_bgr: Image, patch: Patch) -> None:
        """Bring a patch to its place in the input."""
        height, width = image_bgr.shape[:2]
        x1, y1 = max(patch.x, 0), max(patch.y, 0)
        x2, y2 = min(patch.x + patch.side, width), min(patch.y + patch.side, height)
        left, right = (round((x - patch.x) / patch.scale) for x in (x1, x2))
        top, bottom = (round((y - patch.y) / patch.scale) for y in (y1, y2))
        if right <= left or bottom <= top:
            return
        cell = self._bgr[patch.top : patch.top + patch.cell, patch.left : patch.left + patch.cell]
        cell = cell[:, ::-1] if patch.mirrored else cell
        cell[top:bottom, left:right] = cv2.resize(
            image_bgr[y1:y2, x1:x2],
            (right - left, bottom - top),
            interpolation=cv2.INTER_AREA if patch.scale > 1.5 else cv2.INTER_LINEAR,
        )


def _faces(points: _Points, scores: npt.NDArray[np.float64], patch: Patch) -> list[Detection]:
    """Merge the anchors that mean one face, each weighing as much as it is sure."""
    sides = points[:, 1].max(axis=1)
    boxes = np.hstack([points[:, 0] - sides[:, None] / 2, points[:, 0] + sides[:, None] / 2])
    left = np.argsort(-scores, kind="stable")
    faces = []
    while len(left):
        same = iou(boxes[left[0]], boxes[left])[0] >= _SAME
        same[0] = True
        group, left = left[same], left[~same]
        weights = scores[group] / scores[group].sum()
        center, _, eye_1, eye_2 = np.tensordot(weights, points[group, :4], axes=1)
        faces.append(
            _framed(center, weights @ sides[group], eye_2 - eye_1, float(scores[group[0]]), patch)
        )
    return faces


def _framed(
    center: npt.NDArray[np.float64],
    side: float,
    eyes: npt.NDArray[np.float64],
    score: float,
    patch: Patch,
) -> Detection:
    """Return the face in the picture, framed as FER2013's are.

    Args:
        center: of the network's box, in input pixels.
        side: of that box.
        eyes: from the left eye in the picture to the right one.
        score: of the face.
        patch: in which it was found.
    """
    center = center - [patch.left, patch.top]
    tilt = math.atan2(eyes[1], eyes[0])
    if patch.mirrored:
        center[0] = patch.cell - center[0]
        tilt = -tilt
    down = np.array([-math.sin(tilt), math.cos(tilt)])
    side *= _SIDE / (1 - _LEAN + _LEAN * max(math.cos(tilt), 0.0))
    center = (center - _UP * side * down) * patch.scale
    center += [patch.x, patch.y]
    half = side * patch.scale / 2
    return Detection(np.concatenate([center - half, center + half]), score, math.degrees(tilt))


def _mean(one: Detection, other: Detection) -> Detection:
    """Return what two looks at a face say together."""
    apart = (other.tilt_deg - one.tilt_deg + 180) % 360 - 180
    tilt_deg = (one.tilt_deg + apart / 2 + 180) % 360 - 180
    box = (one.box_xyxy + other.box_xyxy) / 2
    return Detection(box, (one.score + other.score) / 2, tilt_deg)


def _surest(found: Sequence[Detection]) -> list[Detection]:
    """Return the surest find of each face, the surest first."""
    found = sorted(found, key=lambda face: -face.score)
    return [found[number] for number in distinct([face.box_xyxy for face in found], _SAME)]
