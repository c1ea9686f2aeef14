"""An annotated picture that a notebook can show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from emorec.drawing.blur import Image
from emorec.drawing.overlay import Show, draw_faces
from emorec.errors import ImageError
from emorec.media.photo import encode_jpeg, encode_png
from emorec.records import FrameResult

_LONGEST_PX = 800  # the width of a notebook's column: more only makes the notebook's file larger
_ENCODERS = {".png": encode_png, ".jpg": encode_jpeg, ".jpeg": encode_jpeg}


class AnnotatedPicture:
    """A picture with its faces drawn on it; a notebook shows it as the last value of a cell.

    It holds the drawing, not the original picture, so blurred faces cannot be recovered from it.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        result: the result of reading it.
        show: how faces are drawn, as in `emorec.drawing.overlay.draw_faces`.

    Attributes:
        annotated_bgr: uint8 of shape (h, w, 3), read-only.
        result: the result of reading the picture.

    Raises:
        ImageError: the picture is not uint8 of shape (h, w, 3).
        ValueError: the result belongs to a picture of another size, or ``show`` is unknown.
    """

    __slots__ = ("annotated_bgr", "result")

    def __init__(self, image_bgr: Image, result: FrameResult, show: Show = "label") -> None:
        annotated = draw_faces(image_bgr, result.faces, show)
        size_wh = annotated.shape[1::-1]
        if size_wh != result.size_wh:
            raise ValueError(
                f"Expected the picture that was read, {_size(result.size_wh)}."
                f" Received one of {_size(size_wh)}."
            )
        annotated.setflags(write=False)
        self.annotated_bgr = annotated
        self.result = result

    def __repr__(self) -> str:
        # Without names of people: printed text ends up in logs.
        faces = self.result.faces
        labels = ", ".join(f"{n} {label}" for label, n in Counter(f.says for f in faces).items())
        count = f"{len(faces)} face{'' if len(faces) == 1 else 's'}"
        return f"<{_size(self.result.size_wh)}, {count}{': ' if labels else ''}{labels}>"

    def _repr_jpeg_(self) -> tuple[bytes, dict[str, str]]:
        # JPEG, because a photo as PNG makes the notebook's file several times as large.
        return encode_jpeg(shrunk(self.annotated_bgr, _LONGEST_PX)), {"alt": repr(self)}

    def save(self, path: Path | str) -> None:
        """Write the whole drawing.

        Args:
            path: ends in ``.png``, ``.jpg`` or ``.jpeg``.

        Raises:
            ImageError: the path has another ending, or cannot be written.
        """
        path = Path(path)
        encode = _ENCODERS.get(path.suffix.lower())
        if encode is None:
            raise ImageError(f"{path}: expected a name that ends in {', '.join(_ENCODERS)}.")
        try:
            path.write_bytes(encode(self.annotated_bgr))
        except OSError as error:
            raise ImageError(f"{path}: cannot be written ({error.strerror or error}).") from None


def shrunk(image_bgr: Image, longest_px: int) -> Image:
    """Return the picture reduced so that no side exceeds ``longest_px``; unchanged if it fits."""
    scale = longest_px / max(image_bgr.shape[:2])
    if scale >= 1:
        return image_bgr
    size_wh = tuple(max(1, round(side * scale)) for side in image_bgr.shape[1::-1])
    return np.asarray(cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA))


def _size(size_wh: tuple[int, ...]) -> str:
    return "×".join(map(str, size_wh))
