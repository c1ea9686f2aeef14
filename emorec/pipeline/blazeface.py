"""Stage 1 by neural networks: finds faces of any size, turned, tilted or grey, and their tilt."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.geometry import Boxes, as_boxes, distinct, share_inside
from emorec.paths import BLAZEFACE, FACE_CHECK
from emorec.pipeline.anchors import SAME, SIDE, Image, Network, Points, cut, merged
from emorec.pipeline.check import FaceCheck
from emorec.pipeline.crop import around, crop_faces
from emorec.pipeline.tiles import INPUT_SIDE, Patch, patches
from emorec.records import Detection

# A face is found in steps, each surer than the one before (benchmarks/detection.py and
# benchmarks/photos.py measure the whole). First the network runs on tiles of the picture, in which
# the smallest faces are 28 input pixels wide: 99 % of the faces on 194 photographs score 0.1 or
# more there, and so do some twenty other things in a cluttered picture, seventy in a noisy one.
# `FaceCheck` is run on each of these places. Where both together speak for a face, the network runs
# on the place enlarged and turned upright, once as it is and once mirrored. Things that are no face
# reach a mean score of up to 0.8, and a quarter of the faces on grey, tightly cropped photographs
# reach no more. So the mean score is weighed against the logit of `FaceCheck` on the same crop,
# whose errors are other ones.
_MAYBE = 0.1
_ZOOMED = 0.3  # a lower score of the enlarged place is no face: 1 % of faces on photographs
_LIKELY = 0.5
"""Least sum of the logits of a place's score and of the check, as the tile showed it: of 328 faces
on photographs, in rooms and on standard pictures one had less, and 96 % of the other things."""
_EVIDENT = 0.7
"""Score of a place that is enlarged without a check before it: hardly anything but faces."""
_HARDLY = -5.0  # the same with caution
_ONCE = 0.4  # least score of the first enlarged place: the mean of both must reach 0.53
_WEIGHT = 6.0  # of the logit of the mean score, over the logit of the check
_CHECK_MOST = 6.0  # of the check's logit: it never saw what BlazeFace does not take for a face
_SURE = 7.8  # least sum of both for a face of usual size; a suit on a portrait reached 7.7
_USUAL = 16.0  # side of the picture over that of a face of usual size
_KNOWN = 0.35  # least score of a known face: it has passed all this before
_HIDDEN = 0.25  # with caution, how far a face's middle may lie beyond the border, in its sides
_PLACES = 1000  # most places checked in one picture, the likeliest first: bounds pure noise
_PART = 0.7  # share of a detection inside a surer one from which it is a part of that face
_KEPT = 8  # networks kept ready, each for one size of input; each takes some megabytes

_ZOOM_FACE = 55  # side in input pixels of an enlarged face: the network is surest there
_UPRIGHT_DEG = 12.0  # a head that leans more is turned upright before it is enlarged


class BlazeFaceDetector:
    """MediaPipe's short-range BlazeFace (V. Bazarevsky et al., "BlazeFace", 2019) on LiteRT.

    The network is convolutional and takes an input of any size: a picture is searched in a few
    large tiles at several scales (`emorec.pipeline.tiles`). Places where a face may be are searched
    again, enlarged, and confirmed by `FaceCheck`. Anchors of the same face are averaged by score,
    as the paper does against jitter.

    Args:
        file: the network.
        check: confirms faces; None: without it, as while it is being trained.

    Raises:
        ModelError: a file is missing or is not what it should be.
    """

    def __init__(self, file: Path = BLAZEFACE, check: Path | None = FACE_CHECK) -> None:
        if not file.is_file():
            raise ModelError(f"{file.name}: the face network is missing from {file.parent}.")
        self._content = file.read_bytes()
        self._check = FaceCheck(check) if check else None
        self._lock = Lock()
        self._idle: list[tuple[tuple[int, int], Network]] = []  # the one used last comes last
        try:
            with self._network((INPUT_SIDE, INPUT_SIDE)):
                pass
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{file.name}: is no face network that LiteRT can run.") from error

    def detect(self, image_bgr: Image, min_face_px: float) -> list[Detection]:
        height, width = image_bgr.shape[:2]
        places = [
            place
            for patch in self.patches((width, height), min_face_px)
            for place in self.search(image_bgr, patch)
        ]
        return [
            face
            for face in self.confirm(image_bgr, places)
            if np.ptp(face.box_xyxy[::2]) >= 0.8 * min_face_px
        ]

    def patches(
        self, size_wh: tuple[int, int], min_face_px: float, cautious: bool = False
    ) -> list[Patch]:
        return patches(size_wh, min_face_px, cautious)

    def search(self, image_bgr: Image, patch: Patch) -> list[Detection]:
        points, scores = self._run(cut(image_bgr, patch), _MAYBE)
        points /= patch.scale
        points[:, [0, 2, 3]] += [patch.x, patch.y]
        found = merged(points, scores)
        return _inside(found, image_bgr) if patch.cautious else found

    def confirm(
        self, image_bgr: Image, places: Sequence[Detection], cautious: bool = False
    ) -> list[Detection]:
        places = surest(places)[:_PLACES]
        faces: list[Detection] = []
        # In a portrait most places are parts of the one face: known, it spares their checks.
        evident = [] if cautious else [place for place in places if place.score >= _EVIDENT]
        for place in evident:
            if _elsewhere([place], faces):
                faces += self._confirmed(image_bgr, place, cautious)
        places = _elsewhere(places[len(evident) :], faces)
        likely = np.array([_logit(place.score) for place in places])
        likely += self._checked(image_bgr, places)
        least = _HARDLY if cautious else _LIKELY
        # The likeliest first: the other places on the same face need not be enlarged then.
        for number in np.argsort(-likely, kind="stable"):
            if likely[number] < least:
                break
            if _elsewhere([places[number]], faces):
                found = self._confirmed(image_bgr, places[number], cautious)
                if likely[number] < _LIKELY:
                    found = [replace(face, suspected=True) for face in found]
                faces += found
        faces = surest(_inside(faces, image_bgr) if cautious else faces)
        # An eye and half a nose are sometimes taken for a face; no face lies inside another one.
        inside = np.triu(share_inside(*[[face.box_xyxy for face in faces]] * 2).T, 1) >= _PART
        return [faces[number] for number in np.flatnonzero(~inside.any(axis=0))]

    def detect_near(
        self,
        image_bgr: Image,
        boxes_xyxy: Boxes,
        tilts_deg: npt.ArrayLike | None = None,
        cautious: bool = False,
    ) -> list[Detection]:
        tilts = np.full(len(boxes_xyxy), np.nan) if tilts_deg is None else np.asarray(tilts_deg)
        found = []
        for box, tilt in zip(boxes_xyxy, tilts, strict=True):
            known = Detection(box, 1.0, float(tilt))
            for mirrored in (False, True):  # a face missed in one is often found in the other
                face = self._zoom(image_bgr, known, mirrored, cautious)
                if face is not None and face.score >= _KNOWN:
                    found.append(replace(face, suspected=cautious))
                    break
        return found

    def _confirmed(self, image_bgr: Image, place: Detection, cautious: bool) -> list[Detection]:
        """Return the face at a place, with its probability; none if it is no face enlarged."""
        once = self._zoom(image_bgr, place, cautious=cautious)
        if once is None or (once.score < _ONCE and not cautious):
            return []
        twice = self._zoom(image_bgr, once, mirrored=True, cautious=cautious)
        if twice is None:
            return []
        face = _mean(once, twice)
        evidence = _WEIGHT * _logit(face.score) + float(self._checked(image_bgr, [face])[0])
        surplus = evidence - _SURE - _odds(face, image_bgr)
        # With caution, as for blurring, a face need not pass the check.
        if not cautious and surplus < 0:
            return []
        suspected = surplus < 0 or once.score < _ONCE
        return [Detection(face.box_xyxy, 1 / (1 + math.exp(-surplus)), face.tilt_deg, suspected)]

    def _checked(self, image_bgr: Image, faces: Sequence[Detection]) -> npt.NDArray[np.float64]:
        """Return the logit of the check on each face; zeros without a check."""
        if self._check is None or not faces:
            return np.zeros(len(faces))
        boxes = as_boxes([face.box_xyxy for face in faces])
        near, corner = around(image_bgr, boxes)
        crops = crop_faces(
            np.asarray(cv2.cvtColor(near, cv2.COLOR_BGR2GRAY), np.uint8),
            boxes - np.tile(corner, 2),
            [face.tilt_deg for face in faces],
        )
        return np.minimum(self._check.logits(crops), _CHECK_MOST)

    def _zoom(
        self,
        image_bgr: Image,
        place: Detection,
        mirrored: bool = False,
        cautious: bool = False,
    ) -> Detection | None:
        """Return the face in the middle of a place, enlarged and turned upright; else None."""
        middle = (place.box_xyxy[:2] + place.box_xyxy[2:]) / 2
        side = float(place.box_xyxy[2] - place.box_xyxy[0]) / SIDE
        if side < 1:
            return None
        scale = _ZOOM_FACE / side
        leans = abs(place.tilt_deg) >= _UPRIGHT_DEG  # not if it is NaN
        tilt = math.radians(place.tilt_deg) if leans else 0.0
        # Turned, the corners of a larger square come into view.
        cut_side = math.ceil(INPUT_SIDE * math.sqrt(2)) if leans else INPUT_SIDE
        corner = middle - cut_side / 2 / scale
        part = cut(image_bgr, Patch(corner[0], corner[1], scale, (cut_side, cut_side), cautious))
        if leans:
            center = (cut_side - 1) / 2
            turn = cv2.getRotationMatrix2D((center, center), place.tilt_deg, 1.0)
            turn[:, 2] -= (cut_side - INPUT_SIDE) / 2
            part = cv2.warpAffine(part, turn, (INPUT_SIDE, INPUT_SIDE))
        points, scores = self._run(part[:, ::-1] if mirrored else part, _ZOOMED)
        if mirrored:
            points[:, [0, 2, 3], 0] = INPUT_SIDE - points[:, [0, 2, 3], 0]
            points[:, [2, 3]] = points[:, [3, 2]]
        upright = np.array([[math.cos(tilt), math.sin(tilt)], [-math.sin(tilt), math.cos(tilt)]])
        points[:, [0, 2, 3]] = (points[:, [0, 2, 3]] - INPUT_SIDE / 2) @ upright / scale + middle
        points[:, 1] /= scale
        # A neighbour's face may be in view too: take the one nearest to the middle.
        found = merged(points, scores)
        away = [
            float(np.abs((face.box_xyxy[:2] + face.box_xyxy[2:]) / 2 - middle).max())
            for face in found
        ]
        return found[int(np.argmin(away))] if away and min(away) < side / 2 else None

    def _run(self, bgr: Image, threshold: float) -> tuple[Points, npt.NDArray[np.float64]]:
        with self._network((bgr.shape[1], bgr.shape[0])) as network:
            return network.run(bgr, threshold)

    @contextmanager
    def _network(self, size_wh: tuple[int, int]) -> Iterator[Network]:
        """Lend a network for this size of input to one thread: its working buffers are inside."""
        with self._lock:
            places = [place for place, (size, _) in enumerate(self._idle) if size == size_wh]
            network = self._idle.pop(places[-1])[1] if places else None
        network = network or Network(self._content, size_wh)
        try:
            yield network
        finally:
            with self._lock:
                self._idle.append((size_wh, network))
                del self._idle[:-_KEPT]


def _odds(face: Detection, image_bgr: Image) -> float:
    """Return by how much more a small face must score: the logarithm of its number of places.

    A face n times as small has n² times as many places in a picture.
    """
    usual = math.sqrt(image_bgr.shape[0] * image_bgr.shape[1]) / _USUAL
    return max(2 * math.log(usual / max(float(np.ptp(face.box_xyxy[::2])), 1.0)), 0.0)


def _inside(faces: Sequence[Detection], image_bgr: Image) -> list[Detection]:
    """Return the faces whose middle lies in the picture, or almost: no mirror images."""
    boxes = as_boxes([face.box_xyxy for face in faces])
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:3] - boxes[:, :1]
    last = np.array(image_bgr.shape[1::-1])
    inside = ((middles >= -_HIDDEN * sides) & (middles <= last + _HIDDEN * sides)).all(axis=1)
    return [faces[number] for number in np.flatnonzero(inside).tolist()]


def _logit(score: float) -> float:
    score = min(score, 0.99)
    return math.log(score / (1 - score))


def _elsewhere(places: Sequence[Detection], faces: Sequence[Detection]) -> list[Detection]:
    """Return the places that are no part of one of these faces, nor one of them a part of it."""
    one, other = [place.box_xyxy for place in places], [face.box_xyxy for face in faces]
    part = np.maximum(share_inside(one, other), share_inside(other, one).T)
    free = part.max(axis=1, initial=0) < _PART
    return [places[number] for number in np.flatnonzero(free).tolist()]


def surest(found: Sequence[Detection]) -> list[Detection]:
    """Return the detection of each face that has the highest score, by falling score."""
    found = sorted(found, key=lambda face: -face.score)
    return [found[number] for number in distinct([face.box_xyxy for face in found], SAME)]


def _mean(one: Detection, other: Detection) -> Detection:
    """Return the mean of two detections of one face."""
    apart = (other.tilt_deg - one.tilt_deg + 180) % 360 - 180
    tilt_deg = (one.tilt_deg + apart / 2 + 180) % 360 - 180
    box = (one.box_xyxy + other.box_xyxy) / 2
    return Detection(box, (one.score + other.score) / 2, tilt_deg)
