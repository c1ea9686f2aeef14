"""Trains the network that confirms BlazeFace's detections, and measures it.

    python -m benchmarks.face_check --data fer2013.csv --out models/face_check.tflite

The positive examples are FER2013's Training faces, varied in framing, tilt, sharpness, light and
noise. The negative examples are false detections of BlazeFace in pictures without faces:
photographs of scikit-image, pages of text, and seeded backgrounds with many objects that resemble
faces (`testkit.backgrounds`; with other seeds than the detection benchmark's). The classifier is a
small convolutional network. A tenth of both kinds is not used for training; the network is measured
on it. Takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data

from emorec.model.network import FACE_SIDE
from emorec.model.runtime import LiteRTRuntime, start_keras
from emorec.pipeline.blazeface import BlazeFaceDetector, surest
from emorec.pipeline.crop import crop_faces
from emorec.training.data import load
from testkit.backgrounds import background

if TYPE_CHECKING:
    import keras

Faces = npt.NDArray[np.uint8]

_SEED = 100_000  # far from every benchmark's
_NO_FACES = (
    *("astronaut", "brick", "checkerboard", "chelsea", "clock", "coffee", "colorwheel", "grass"),
    *("gravel", "horse", "hubble_deep_field", "immunohistochemistry", "logo", "moon", "page"),
    *("retina", "rocket", "text"),
)
_SUIT = 190  # row of the astronaut's portrait from which on her face is out of the picture
_SIZES = (1.0, 0.7, 0.45)  # in which each photograph is searched
_RANDOM = 5  # crops of each picture, wherever
_VARIATIONS = 3  # of each face and each mistake
_EPOCHS, _BATCH, _RATE = 8, 128, 2e-3
_LAYERS = ((16, 2), (32, 2), (32, 1), (64, 2), (64, 1))  # channels and stride


def main() -> None:
    """Train the network, print its measurements, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="CSV", help="FER2013")
    parser.add_argument("--faces", type=int, default=12000)
    parser.add_argument("--pictures", type=int, default=400, help="seeded backgrounds")
    parser.add_argument("--out", type=Path, required=True, metavar="TFLITE")
    args = parser.parse_args()
    rng = np.random.default_rng(_SEED)
    known = load(args.data)["Training"].faces
    faces = known[rng.permutation(len(known))[: args.faces]]
    others = np.concatenate(list(mistakes(rng, args.pictures)))
    others = others[rng.permutation(len(others))]
    held = [len(part) // 10 for part in (faces, others)]
    network = trained(rng, faces[held[0] :], others[held[1] :])
    args.out.write_bytes(converted(network))
    check = LiteRTRuntime(args.out.read_bytes())
    right, wrong = (
        check.run(np.array([varied(rng, face) for face in part[:count]]))["logit"][:, 0]
        for part, count in zip((faces, others), held, strict=True)
    )
    print(f"{len(faces)} faces, {len(others)} others, a tenth of each held back")
    for share in (0.01, 0.05, 0.2):
        least = np.quantile(wrong, 1 - share)
        print(f"where {share:.0%} of the others pass, {np.mean(right > least):.1%} of the faces do")


def varied(rng: np.random.Generator, face: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a face as a detector might frame it and a camera might show it."""
    side = len(face)
    face = face[:, ::-1] if rng.random() < 0.5 else face
    turn = cv2.getRotationMatrix2D(
        ((side - 1) / 2, (side - 1) / 2), rng.normal(0, 7), 1 / rng.uniform(0.75, 1.12)
    )
    turn[:, 2] += rng.normal(0, 2, 2)
    face = cv2.warpAffine(face, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.35:  # as far from the camera
        small = int(rng.integers(16, 36))
        face = cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA)
        face = cv2.resize(face, (side, side))
    light = face * rng.uniform(0.2, 1.2) + rng.uniform(-10, 40)
    noise = rng.normal(0, rng.uniform(0, 5), face.shape)
    return (light + noise).clip(0, 255).astype(np.uint8)


def mistakes(rng: np.random.Generator, pictures: int) -> Iterator[Faces]:
    """Yield the crops of what BlazeFace takes for faces, a picture at a time."""
    detector = BlazeFaceDetector(check=None)
    for name in _NO_FACES:
        image = getattr(skimage.data, name)()
        image = (image * 255).astype(np.uint8) if image.dtype == bool else image[..., :3]
        image = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., ::-1]
        image = image[_SUIT:] if name == "astronaut" else image
        for quarter, scale in itertools.product(range(4), _SIZES):
            smaller = cv2.resize(
                np.rot90(image, quarter).copy(),
                None,
                fx=scale,
                fy=scale,
                interpolation=cv2.INTER_AREA,
            )
            yield taken_for_faces(detector, np.asarray(smaller, np.uint8), 24)
    for number in range(pictures):
        image = background(np.random.default_rng(_SEED + number), (640, 480), clutter=12)
        yield taken_for_faces(detector, image, float(rng.choice([24, 32, 48])))
        if number % 4 == 0:
            yield taken_for_faces(detector, slide(rng), float(rng.choice([24, 48])))


def slide(rng: np.random.Generator) -> Faces:
    """Return a page of text and simple shapes, as it is projected or photographed."""
    light = bool(rng.random() < 0.5)
    image = np.full((480, 640, 3), rng.integers(200, 256) if light else rng.integers(0, 60))
    image = image.astype(np.uint8)
    ink = tuple(int(v) for v in (rng.integers(0, 90, 3) if light else rng.integers(170, 256, 3)))
    for _ in range(int(rng.integers(2, 9))):
        x, y, side = (int(value) for value in rng.integers([0, 0, 10], [600, 440, 120]))
        if rng.random() < 0.5:
            cv2.circle(image, (x, y), side // 2, ink, int(rng.choice([-1, 2, 5])))
        else:
            cv2.rectangle(image, (x, y), (x + side, y + side // 2), ink, int(rng.choice([-1, 2])))
    row = 20
    while row < 470:
        size = float(rng.uniform(0.4, 2.0))
        letters = "".join(chr(letter) for letter in rng.integers(33, 123, 40)).replace("0", " ")
        font = int(rng.integers(0, 8))
        cv2.putText(image, letters, (int(rng.integers(0, 80)), row), font, size, ink, 1 + int(size))
        row += int(22 * size + rng.integers(8, 30))
    image = np.rot90(image, int(rng.integers(4))).copy() if rng.random() < 0.4 else image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.5))), np.uint8)


def taken_for_faces(detector: BlazeFaceDetector, image_bgr: Faces, min_face_px: float) -> Faces:
    """Return crops, uint8 (n, 48, 48), of places that a zoomed look takes for faces, and others."""
    size_wh = image_bgr.shape[1], image_bgr.shape[0]
    places = [
        place
        for patch in detector.patches(size_wh, min_face_px)
        for place in detector.search(image_bgr, patch)
    ]
    faces = detector.confirm(image_bgr, surest(places), cautious=True)
    # And some places at random, so that what it never took for a face is no riddle to the check.
    corners = np.random.default_rng(len(places)).uniform(0, 0.8, (_RANDOM, 2)) * size_wh
    boxes = np.hstack([corners, corners + min(size_wh) * 0.2])
    return crop_faces(
        cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY),
        [*(face.box_xyxy for face in faces), *boxes],
        [*(face.tilt_deg for face in faces), *([0.0] * _RANDOM)],
    )


def trained(rng: np.random.Generator, faces: Faces, others: Faces) -> keras.Model:
    """Return a trained network that separates faces from other crops; both kinds weigh the same."""
    start_keras()
    import keras
    from keras import layers

    keras.utils.set_random_seed(_SEED)
    inputs = layers.Input((FACE_SIDE, FACE_SIDE, 1), dtype="uint8", name="faces")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.LayerNormalization(
        axis=(1, 2, 3), center=False, scale=False, epsilon=1e-3, dtype="float32"
    )(x)
    for channels, stride in _LAYERS:
        x = layers.Conv2D(channels, 3, stride, padding="same", use_bias=False)(x)
        x = layers.Activation("elu")(layers.BatchNormalization()(x))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    network = keras.Model(inputs, {"logit": layers.Dense(1, name="logit")(x)})
    crops = np.array(
        [varied(rng, one) for part in (faces, others) for one in part for _ in range(_VARIATIONS)]
    )
    counts = _VARIATIONS * len(faces), _VARIATIONS * len(others)
    steps = _EPOCHS * -(-len(crops) // _BATCH)
    network.compile(
        keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(_RATE, steps), 1e-4),
        {"logit": keras.losses.BinaryCrossentropy(from_logits=True)},
    )
    network.fit(
        crops[..., None],
        {"logit": np.repeat([1.0, 0.0], counts)[:, None]},
        _BATCH,
        _EPOCHS,
        sample_weight={"logit": np.repeat(sum(counts) / 2 / np.array(counts), counts)},
        verbose=2,
    )
    return network


def converted(network: keras.Model) -> bytes:
    """Return the network as a LiteRT file with float16 weights."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "face_check.keras"
        network.save(file)
        subprocess.run(
            [sys.executable, "-m", "emorec.training.export", str(file), folder],
            env={**os.environ, "KERAS_BACKEND": "tensorflow"},
            check=True,
        )
        return (Path(folder) / "float16.tflite").read_bytes()


if __name__ == "__main__":
    main()
