"""Between crop and classify: which faces cannot be read, and why.

The bounds were chosen with the committed network and FER2013's PublicTest, of which they refuse
6 faces in 3,589. "Agrees" is how often the label is that of the same face left whole; giving
every face the commonest label agrees with 24 %.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

QUALITY = ("too dark", "too noisy", "partly hidden", "too blurred")
"""The reasons that the pixels of the face give; the others come from its place."""

READABLE_PX = 24.0
"""Side of the smallest face that can be read: half the network's; its mouth is 6 pixels wide."""


_LEAST_CONTRAST = 2.0  # grey levels; darkened so far without any noise, it agrees with 39 %
_LEAST_CONTRAST_OVER_NOISE = 4.0
"""Agrees with 95 % at 10 to 20, 89 % at 7 to 10, 64 % at 4 to 5, 52 % at 3.3 to 4, 26 % below 2. A
dark face without noise is read like a bright one, for the network standardises each."""

_LEAST_LIGHT = 40.0
"""Mean grey of a face. Of FER2013's, 99.5 % are brighter; darkened to a quarter, 9 in 10 are not.
Where a darker one is drowned by noise, light is what it lacks."""

_LEAST_DETAIL = 0.08
"""Blurred on 48 × 48 by a Gaussian of 1, 1.5, 2 and 2.5 pixels a face has 0.155, 0.114, 0.086 and
0.066 of it in the middle, and agrees with 70, 54, 42 and 35 %. Sharp faces have 0.23, all but one
in a thousand 0.115 or more."""

_EYES, _MOUTH = (slice(8, 26), slice(8, 40)), (slice(31, 45), slice(14, 34))  # of the crop
_LEAST_MOUTH = 0.25
"""Contrast about the mouth over that about the eyes. Under a mask, a scarf or a hand there is
little, and the network says neutral. Of 75 faces on photographs that were still found with a mask
drawn on them, 54 have less. Without a mask 5 of FER2013's 3,589 have less, half of which are read
rightly, and none of 202 photographs, 477 posed and 141 resting, differently lit faces."""

_LEEWAY = 1.1  # a face once refused must be this much better, so that the mark does not flicker

_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)


def misplaced(side_px: float, inside: bool, before: str | None = None) -> str | None:
    """Return why a face cannot be read where it is, or None.

    Args:
        side_px: of its box.
        inside: whether its eyes and mouth lie in the picture.
        before: why it could not be read in the frame before.
    """
    if _short(side_px, READABLE_PX, "too small", before):
        return "too small"
    return None if inside else "cut off"


def unclear(face_gray: npt.NDArray[np.uint8], before: str | None = None) -> str | None:
    """Return why the pixels of a face cannot be read, or None.

    "Too noisy": the noise is too strong for the contrast (estimated after J. Immerkær, "Fast noise
    variance estimation", CVIU 1996). "Too dark": the same in a dark face. "Partly hidden": there is
    hardly any contrast about the mouth beside that about the eyes. "Too blurred": little detail for
    its contrast, that is, the spread of the Laplacian of Gaussian over that of the face.

    Args:
        face_gray: uint8 of shape (48, 48), as it was cropped.
        before: why it could not be read in the frame before.
    """
    face = face_gray.astype(np.float32)
    contrast = float(face.std())
    rough = cv2.filter2D(face, -1, _NOISE_MASK)[1:-1, 1:-1]
    noise = float(np.sqrt(np.pi / 2) / 6 * np.abs(rough).mean())
    lit = face.mean() >= _LEAST_LIGHT
    if contrast < _LEAST_CONTRAST * (_LEEWAY if before in QUALITY else 1.0):
        return "too blurred" if lit else "too dark"
    drowned = noise * _LEAST_CONTRAST_OVER_NOISE
    if contrast < drowned * (_LEEWAY if before in ("too dark", "too noisy") else 1.0):
        return "too noisy" if lit else "too dark"
    mouth, eyes = float(face[_MOUTH].std()), float(face[_EYES].std())
    if _short(mouth, eyes * _LEAST_MOUTH, "partly hidden", before):
        return "partly hidden"
    detail = float(cv2.Laplacian(cv2.GaussianBlur(face, (0, 0), 1.0), cv2.CV_32F).std())
    if _short(detail, contrast * _LEAST_DETAIL, "too blurred", before):
        return "too blurred"
    return None


def _short(value: float, least: float, reason: str, before: str | None) -> bool:
    return value < least * (_LEEWAY if before == reason else 1.0)
