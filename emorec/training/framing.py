"""Does the pipeline cut faces out as FER2013 framed them? Kept where the model card finds it.

    python -m emorec.training.framing --data fer2013.csv [--detector auto] [--faces 500]
        [--out models/crops.json] [--picture models/images/crops.png]

Faces of FER2013's PublicTest are pasted into larger pictures, looked for by the detector, cut out
by the pipeline, and read by the model: its FER2013 head, against FER2013's labels. FER2013 shows
nothing around a face, so a margin is made of its mirrored border, which fades into a plain ground.
Many faces are not found like that: what is measured are the crops of those that are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from emorec.errors import EmorecError
from emorec.geometry import iou, square
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
    parser.add_argument("--out", type=Path, default=MODELS / "crops.json")
    parser.add_argument("--picture", type=Path, default=MODELS / "images" / "crops.png")
    args = parser.parse_args(argv)
    try:
        given = data.load(args.data)[SPLIT]
        model = load()
        own = model.contract
        faces, labels = given.faces[: args.faces], given.labels[: args.faces]
        again = find_again(faces, make_detector(args.detector))
    except EmorecError as error:
        print(f"crops: {error}", file=sys.stderr)
        return 2
    if not len(again.rows):
        print(f"crops: {args.detector} found none of {len(faces)} faces.", file=sys.stderr)
        return 2
    report = {
        "date": date.today().isoformat(),
        "command": "python -m emorec.training.framing --data fer2013.csv"
        f" --detector {args.detector}",
        "model": {"name": own.name, "sha256": own.files[model.file.suffix[1:]]["sha256"]},
        "split": SPLIT,
        "sides_px": SIDES_PX,
        "detector": args.detector,
        **score(faces, labels, again, model),
    }
    args.out.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    draw(faces[again.rows], again.crops["pipeline"], args.picture)
    print(json.dumps(report, indent=1))
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
    faces: Gray, labels: npt.NDArray[np.int_], again: Found, model: EmotionModel
) -> dict[str, Any]:
    """Return how the boxes lie, and how often the model is right about each kind of crop.

    Returns:
        ``faces`` looked for, ``found`` of them; ``side`` the boxes' sides over the given ones and
        ``offset_xy`` the way from the given centres in given sides, medians; ``accuracy`` of the
        faces that were found: ``original`` as FER2013 has them, and by kind of crop;
        ``by_scale``, of crops that are not turned, by their side over the box's.
    """

    def accuracy(shown: Gray) -> float:
        said = model.outputs(shown)["fer2013"].argmax(axis=1)
        return round(float((said == labels[again.rows]).mean()), 4)

    sides = again.given[:, 2:3] - again.given[:, :1]
    boxes = again.found
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    centers = (boxes[:, :2] + boxes[:, 2:] - again.given[:, :2] - again.given[:, 2:]) / 2
    return {
        "faces": len(faces),
        "found": len(again.rows),
        "side": round(float(np.median(longer / sides)), 3),
        "offset_xy": np.median(centers / sides, axis=0).round(3).tolist(),
        "accuracy": {"original": accuracy(faces[again.rows])}
        | {way: accuracy(again.crops[way]) for way in ("given", "pipeline", "upright")},
        "by_scale": {f"{scale:.2f}": accuracy(again.crops[f"{scale:.2f}"]) for scale in SCALES},
    }


def draw(given: Gray, cropped: Gray, file: Path) -> None:
    """Draw the mean of the faces as they were given beside that of the pipeline's crops.

    A mean shows how faces are framed, and nobody's face.
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
