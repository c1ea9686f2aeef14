"""How much worse a model is in poor light, on faces partly hidden or badly cut out.

After D. Hendrycks and T. Dietterich (ICLR 2019), with the failures of webcams and of detectors in
place of theirs. Every variation is drawn from a seed, so two models see the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from emorec.model.evaluation import Measured
from emorec.model.store import EmotionModel
from emorec.training import metrics
from emorec.training.data import FaceSet
from emorec.words import N_

Face = npt.NDArray[np.uint8]
_SEED = 2013


def corrupt(name: str, faces: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the faces as one of ``CORRUPTIONS`` leaves them.

    Args:
        name: which.
        faces: uint8 of shape (n, h, h), grey.

    Returns:
        uint8 of shape (n, h, h).
    """
    rng = np.random.default_rng(_SEED)
    changed = [CORRUPTIONS[name](face, rng) for face in faces]
    return np.array(changed, dtype=np.uint8).reshape(faces.shape)


def evaluate_corrupted(model: EmotionModel, faces: FaceSet) -> dict[str, float]:
    """Return the FER2013 head's accuracy on the faces under each of ``CORRUPTIONS``."""
    return {
        name: metrics.accuracy(
            model.outputs(corrupt(name, faces.faces))["fer2013"].argmax(axis=1), faces.labels
        )
        for name in CORRUPTIONS
    }


def kept(clean: float, corrupted: Mapping[str, float]) -> float:
    """Return the mean of the accuracies over that on the faces as they are; 0 where that is 0."""
    return sum(corrupted.values()) / len(corrupted) / clean if clean else 0.0


def readable(measured: Measured, corrupted: Mapping[str, float]) -> str:
    """Return the accuracies as lines of text.

    Args:
        measured: the FER2013 head on the faces as they are.
        corrupted: what `evaluate_corrupted` gave.
    """
    clean, title = measured.accuracy, measured.answer.title
    where = f"{measured.n} faces of {measured.split}"
    lines = [
        f"{measured.model.name} on {where}, spoiled in {len(corrupted)} ways:",
        f"{title}: accuracy, and what it loses",
        "",
        f"{'as they are':<20}{clean:>8.2%}",
    ]
    lines += [f"{name:<20}{of:>8.2%}{of - clean:>+9.2%}" for name, of in corrupted.items()]
    return "\n".join([*lines, f"{'kept on average':<20}{kept(clean, corrupted):>8.2%}"])


def _light(gain: float, offset: float = 0.0) -> Callable[[Face, np.random.Generator], Any]:
    def change(face: Face, rng: np.random.Generator) -> Any:
        del rng
        return np.clip(face * gain + offset, 0, 255)

    return change


def _low_contrast(face: Face, rng: np.random.Generator) -> Any:
    del rng
    return face.mean() + (face - face.mean()) * 0.3


def _side_light(face: Face, rng: np.random.Generator) -> Any:
    """Light from the left or the right: a fifth of it is left at the other cheek."""
    ramp = np.linspace(1.2, 0.2, face.shape[1])
    return np.clip(face * (ramp if rng.random() < 0.5 else ramp[::-1]), 0, 255)


def _noise(face: Face, rng: np.random.Generator) -> Any:
    return np.clip(face + rng.normal(0, 20, face.shape), 0, 255)


def _blur(face: Face, rng: np.random.Generator) -> Any:
    del rng
    return cv2.GaussianBlur(face, (0, 0), 1.2)


def _jpeg(face: Face, rng: np.random.Generator) -> Any:
    del rng
    encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)


def _turned(face: Face, rng: np.random.Generator) -> Any:
    return _moved(face, 20.0 if rng.random() < 0.5 else -20.0, 1.0)


def _hidden(face: Face, rng: np.random.Generator) -> Any:
    """A grey square over a quarter of the face, anywhere in it."""
    side = face.shape[0] // 2
    y, x = rng.integers(0, face.shape[0] - side + 1, 2)
    hidden = face.copy()
    hidden[y : y + side, x : x + side] = 128
    return hidden


def _cropped(share: float) -> Callable[[Face, np.random.Generator], Any]:
    def change(face: Face, rng: np.random.Generator) -> Any:
        del rng
        return _moved(face, 0.0, share)

    return change


def _moved(face: Face, turn_deg: float, share: float) -> Any:
    """Cut out a square of this share of the side, turned; what lies outside repeats the border."""
    middle = ((face.shape[1] - 1) / 2, (face.shape[0] - 1) / 2)
    there = cv2.getRotationMatrix2D(middle, turn_deg, 1 / share)
    size_wh = face.shape[::-1]
    return cv2.warpAffine(face, there, size_wh, borderMode=cv2.BORDER_REPLICATE)


CORRUPTIONS: dict[str, Callable[[Face, np.random.Generator], Any]] = {
    N_("dark"): _light(0.3),
    N_("bright"): _light(0.4, 153),
    N_("low contrast"): _low_contrast,
    N_("side light"): _side_light,
    N_("noise"): _noise,
    N_("blur"): _blur,
    N_("JPEG quality 20"): _jpeg,
    N_("turned by 20°"): _turned,
    N_("a quarter hidden"): _hidden,
    N_("cut 10 % too wide"): _cropped(1.1),
    N_("cut 20 % too wide"): _cropped(1.2),
    N_("cut 10 % too tight"): _cropped(0.9),
    N_("cut 20 % too tight"): _cropped(0.8),
}
"""What may happen to a face, by name: a quarter hidden is half the side in both directions."""
