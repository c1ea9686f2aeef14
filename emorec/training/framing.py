"""Does the pipeline cut faces out as FER2013 framed them? Measured for the model card.

    python -m emorec.training.framing --data fer2013.csv [--detector auto] [--faces 500]
        [--out models/crops.json] [--picture models/images/crops.png]

This program pastes each face of FER2013's PublicTest into a larger picture, searches the picture
with the detector and lets the pipeline cut the face out. The model reads the crop with its FER2013
head, and the answer is compared with FER2013's label. FER2013 shows nothing around a face, so the
margin is the face's mirrored border, which fades into a plain ground. Only the faces that the
detector finds are measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import DataError, EmorecError
from emorec.geometry import iou, square
from emorec.model import typed_json
from emorec.model.evaluation import Weights
from emorec.model.shelf import CROPS, Crops
from emorec.model.store import EmotionModel, load
from emorec.paths import MODELS
from emorec.pipeline.crop import crop_faces
from emorec.pipeline.detect import Detector, make_detector
from emorec.settings import DETECTORS
from emorec.training import data

SPLIT = "PublicTest"
SIZE_WH = (640, 480)
SIDES_PX = (72, 200)
SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)
_SAME_IOU = 0.3
_LEAST_PX = 48.0
Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Found:
    """The faces that were found again, as arrays of one length.

    Attributes:
        rows: which of the given faces.
        given: their places (n, 4) in pixels, found: the detector's boxes (n, 4).
        crops: by rule uint8 (n, 48, 48): ``given`` their place in the picture, ``pipeline`` as the
            pipeline cuts, ``upright`` the same without turning; and the latter by each of `SCALES`.
    """

    rows: npt.NDArray[np.int_]
    given: npt.NDArray[np.float64]
    found: npt.NDArray[np.float64]
    crops: dict[str, Gray]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, write the file and the picture, print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="fer2013.csv")
    parser.add_argument("--detector", choices=DETECTORS, default="auto")
    parser.add_argument("--faces", type=int, metavar="N", help="only the first N")
    parser.add_argument("--out", type=Path, default=MODELS / CROPS)
    parser.add_argument("--picture", type=Path, default=MODELS / "images" / "crops.png")
    args = parser.parse_args(argv)
    try:
        given = data.load(args.data)
        if SPLIT not in given:
            raise DataError(f"{args.data}: no {SPLIT} faces in it; only {', '.join(given)}.")
        model = load()
        faces, labels = given[SPLIT].faces[: args.faces], given[SPLIT].labels[: args.faces]
        again = find_again(faces, make_detector(args.detector))
        if not len(again.rows):
            raise DataError(f"{args.data}: {args.detector} found none of {len(faces)} faces.")
        crops = score(faces, labels, again, model, args.detector)
        typed_json.write(Crops, crops, args.out)
    except EmorecError as error:
        print(f"framing: {error}", file=sys.stderr)
        return 2
    draw(faces[again.rows], again.crops["pipeline"], args.picture)
    print(json.dumps(typed_json.as_json(crops), indent=1))
    return 0


def find_again(faces: Gray, detector: Detector, seed: int = 0) -> Found:
    """Paste each face into a picture of its own, look for it, and cut it out in every way.

    Args:
        faces: uint8 of shape (n, 48, 48).
        detector: gives the boxes; the one that overlaps the face most is the face's.
        seed: of places and sizes.
    """
    rng = np.random.default_rng(seed)
    rows, places, boxes = [], [], []
    ways: dict[str, list[Gray]] = {}
    for row, face in enumerate(faces):
        scene, place = pasted(face, rng)
        detections = detector.detect(cv2.cvtColor(scene, cv2.COLOR_GRAY2BGR), _LEAST_PX)
        overlaps = iou([d.box_xyxy for d in detections], [place])[:, 0]
        if not overlaps.size or overlaps.max() < _SAME_IOU:
            continue
        best = detections[int(overlaps.argmax())]
        box = np.array([best.box_xyxy])
        rows.append(row)
        places.append(place)
        boxes.append(box[0])
        cut = {
            "given": crop_faces(scene, [place]),
            "pipeline": crop_faces(scene, box, [best.tilt_deg]),
            "upright": crop_faces(scene, box),
        } | {f"{scale:.2f}": crop_faces(scene, square(box, scale)) for scale in SCALES}
        for way, crop in cut.items():
            ways.setdefault(way, []).append(crop)
    crops = {way: np.concatenate(cut) for way, cut in ways.items()}
    return Found(np.array(rows, dtype=int), np.array(places), np.array(boxes), crops)


def pasted(face: Gray, rng: np.random.Generator) -> tuple[Gray, npt.NDArray[np.float64]]:
    """Return a picture of `SIZE_WH` that holds the face at a random place and size, and the place.

    Returns:
        The picture, uint8 (h, w), and ``x1, y1, x2, y2`` in pixels.
    """
    width, height = SIZE_WH
    side = int(rng.integers(*SIDES_PX, endpoint=True))
    margin = side // 3
    x, y = (int(rng.integers(margin, extent - side - margin)) for extent in SIZE_WH)
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    ground = float(np.median(np.concatenate([face[0], face[:, 0], face[:, -1]])))
    canvas = np.full((height, width), ground, dtype=np.float32)
    opaque = np.zeros_like(canvas)
    opaque[y : y + side, x : x + side] = 1
    soft = np.maximum(opaque, cv2.GaussianBlur(opaque, (0, 0), 0.06 * side))
    around = np.s_[y - margin : y + side + margin, x - margin : x + side + margin]
    mirrored = cv2.copyMakeBorder(large, *(margin,) * 4, cv2.BORDER_REFLECT_101)
    canvas[around] += soft[around] * (mirrored - canvas[around])
    place = np.array([x, y, x + side, y + side], dtype=np.float64)
    return np.rint(canvas).astype(np.uint8), place


def score(
    faces: Gray, labels: npt.NDArray[np.int_], again: Found, model: EmotionModel, detector: str
) -> Crops:
    """Return how the boxes lie, and how often the model is right about each kind of crop.

    Args:
        faces: that were pasted, uint8 of shape (n, 48, 48).
        labels: of these faces, int of shape (n,).
        again: those that were found.
        model: that reads them.
        detector: the name of the one that found them.
    """

    def accuracy(crops: Gray) -> float:
        said = model.outputs(crops)["fer2013"].argmax(axis=1)
        return round(float((said == labels[again.rows]).mean()), 4)

    own = model.contract
    sides = again.given[:, 2:3] - again.given[:, :1]
    boxes = again.found
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    centers = (boxes[:, :2] + boxes[:, 2:] - again.given[:, :2] - again.given[:, 2:]) / 2
    return Crops(
        date=date.today().isoformat(),
        command=f"python -m emorec.training.framing --data fer2013.csv --detector {detector}",
        model=Weights(name=own.name, sha256=own.files[model.file.suffix[1:]]["sha256"]),
        split=SPLIT,
        sides_px=SIDES_PX,
        detector=detector,
        faces=len(faces),
        found=len(again.rows),
        side=round(float(np.median(longer / sides)), 3),
        offset_xy=tuple(np.median(centers / sides, axis=0).round(3).tolist()),
        accuracy={"original": accuracy(faces[again.rows])}
        | {way: accuracy(again.crops[way]) for way in ("given", "pipeline", "upright")},
        by_scale={f"{scale:.2f}": accuracy(again.crops[f"{scale:.2f}"]) for scale in SCALES},
    )


def draw(given: Gray, cropped: Gray, file: Path) -> None:
    """Draw the mean of the faces as they were given beside that of the pipeline's crops.

    A mean shows how faces are framed, and not the face of one person.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.0), dpi=110, layout="constrained")
    for axes, faces, title in zip(
        figure.subplots(1, 2),
        (given, cropped),
        ("as FER2013 frames them", "as the pipeline cuts them out"),
        strict=True,
    ):
        axes.imshow(faces.mean(axis=0), cmap="gray")
        axes.set(title=title, xticks=[0, 24, 47], yticks=[0, 24, 47])
        axes.grid(color="white", alpha=0.35, linewidth=0.6)
    figure.savefig(file)


if __name__ == "__main__":
    sys.exit(main())
