"""False accepts and false rejects over the threshold at which two faces count as one person.

With ``--people DIR``, one sub-folder a person as LFW comes, every pair of pictures is measured:
that is what a threshold may be chosen by. Without it there are only the faces that the tests have:
the portrait of scikit-image in light, lean and sharpness of all kinds (one person, far easier than
pictures of different days) against itself and against the 100 faces of its ``lfw_subset`` (25 × 25
pixels, many times smaller than what is enrolled). The report says which it was.

    python -m benchmarks.identity [--people DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.machine import machine
from benchmarks.report import Report, add_options, deliver
from emorec.errors import EmorecError
from emorec.media.photo import SUFFIXES, read_photo
from emorec.people.embedding import FaceEmbedder
from emorec.people.gallery import THRESHOLD
from emorec.recognizer import EmotionRecognizer

THRESHOLDS = tuple(round(0.3 + 0.05 * step, 2) for step in range(11))
_PORTRAIT_BOX = (171, 59, 281, 169)
_STEPS = 12  # changed copies of each kind


def rates(
    embeddings: npt.NDArray[np.float32], ids: npt.NDArray[np.int64]
) -> dict[str, int | list[dict[str, float | None]]]:
    """Return how often pairs are judged wrongly at each of ``THRESHOLDS``.

    Args:
        embeddings: float32 of shape (n, 128).
        ids: int64 of shape (n,), whose each is.
    """
    away = np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)
    upper = np.triu(np.ones(away.shape, dtype=bool), 1)
    same = ids[:, None] == ids[None]
    one, two = away[upper & same], away[upper & ~same]
    return {
        "same_pairs": len(one),
        "other_pairs": len(two),
        "rates": [
            {
                "threshold": threshold,
                "false_accept": float((two < threshold).mean()) if len(two) else None,
                "false_reject": float((one >= threshold).mean()) if len(one) else None,
            }
            for threshold in THRESHOLDS
        ],
    }


def measure(args: argparse.Namespace) -> Report:
    """Return the report of the faces asked for."""
    embedder = FaceEmbedder()
    try:
        embeddings, ids = folders(args.people, embedder) if args.people else at_hand(embedder)
    finally:
        embedder.close()
    return {
        "machine": machine(),
        "faces": "pictures of --people" if args.people else "the portrait and lfw_subset",
        "people": len(np.unique(ids)),
        "pictures": len(ids),
        "default": THRESHOLD,
        **rates(embeddings, ids),
    }


def folders(
    root: Path, embedder: FaceEmbedder
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the largest face of each picture, and the number of its sub-folder."""
    recognizer, found, ids = EmotionRecognizer(), [], []
    for number, folder in enumerate(sorted(path for path in root.iterdir() if path.is_dir())):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower().lstrip(".") not in SUFFIXES:
                continue
            image_bgr = read_photo(path)
            faces = recognizer.analyze(image_bgr).faces
            if faces:
                box = max((face.box for face in faces), key=lambda box: box.width * box.height)
                found.append(embedder.embed(image_bgr, [box])[0])
                ids.append(number)
    if not found:
        raise EmorecError(f"{root}: no face in it; expected one sub-folder a person.")
    return np.stack(found), np.array(ids, np.int64)


def at_hand(embedder: FaceEmbedder) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return the portrait's changed copies, all of person 0, and the faces of ``lfw_subset``."""
    import skimage.data

    portrait = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    found = [embedder.embed(image, [_PORTRAIT_BOX])[0] for image in _copies(portrait)]
    ids = [0] * len(found)
    faces = skimage.data.lfw_subset()[:100]  # the others are no faces
    for number, face in enumerate(faces, start=1):
        gray = cv2.resize((face * 255).astype(np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
        found.append(embedder.embed(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), [(0, 0, 200, 200)])[0])
        ids.append(number)
    return np.stack(found), np.array(ids, np.int64)


def _copies(image: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    copies = [image]
    middle = ((_PORTRAIT_BOX[0] + _PORTRAIT_BOX[2]) / 2, (_PORTRAIT_BOX[1] + _PORTRAIT_BOX[3]) / 2)
    for strength in np.linspace(0.1, 1, _STEPS):
        lean = cv2.getRotationMatrix2D(middle, float(rng.uniform(-45, 45) * strength), 1)
        light = image * rng.uniform(1 - 0.8 * strength, 1 + strength)
        noise = image + rng.normal(0, 25 * strength, image.shape)
        copies += [
            cv2.warpAffine(image, lean, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE),
            np.clip(light, 0, 255).astype(np.uint8),
            np.clip(noise, 0, 255).astype(np.uint8),
            cv2.GaussianBlur(image, (0, 0), float(3 * strength)),
        ]
    return copies


def tables(report: Report) -> str:
    """Return the report as a Markdown table."""
    lines = [
        (
            f"{report['faces']}: {report['people']} people, {report['pictures']} pictures,"
            f" {report['same_pairs']} pairs of one person, {report['other_pairs']} of two;"
            f" the default is {report['default']}"
        ),
        "",
        "| threshold | false accepts | false rejects |",
        "|---|---|---|",
    ]
    for row in report["rates"]:
        shares = (row["false_accept"], row["false_reject"])
        cells = ["none" if share is None else f"{100 * share:.2f} %" for share in shares]
        lines.append(f"| {row['threshold']:.2f} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--people", type=Path, metavar="DIR", help="one sub-folder a person")
    add_options(parser)
    options = parser.parse_args()
    deliver(options, lambda: measure(options), tables)
