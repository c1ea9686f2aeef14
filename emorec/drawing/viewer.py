"""A picture with what was read from it, as a notebook shows it."""

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

_LONGEST_PX = 800  # as wide as a notebook's column: more would only make its file larger
_ENCODERS = {".png": encode_png, ".jpg": encode_jpeg, ".jpeg": encode_jpeg}


class AnnotatedPicture:
    """A picture on which its faces are drawn: the last line of a notebook's cell shows it.

    It keeps the drawing, not the picture, so that of hidden faces nothing is left in it.

    Args:
        image_bgr: uint8 of shape (h, w, 3); not changed.
        result: what was read from it.
        show: what is drawn of a face, as in `emorec.drawing.overlay.draw_faces`.

    Attributes:
        annotated_bgr: uint8 of shape (h, w, 3), read-only.
        result: as it was given.

    Raises:
        ImageError: the picture is not uint8 of shape (h, w, 3).
        ValueError: the result is of a picture of another size, or ``show`` is unknown.
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
        # Without names: what is printed ends up in logs.
        faces = self.result.faces
        says = ", ".join(f"{n} {words}" for words, n in Counter(f.says for f in faces).items())
        count = f"{len(faces)} face{'' if len(faces) == 1 else 's'}"
        return f"<{_size(self.result.size_wh)}, {count}{': ' if says else ''}{says}>"

    def _repr_jpeg_(self) -> tuple[bytes, dict[str, str]]:
        # As PNG a photo would make the notebook's file several times as large.
        return encode_jpeg(shrunk(self.annotated_bgr, _LONGEST_PX)), {"alt": repr(self)}

    def save(self, path: Path | str) -> None:
        """Write the whole drawing.

        Args:
            path: ends in ``.png``, ``.jpg`` or ``.jpeg``.

        Raises:
            ImageError: it ends in something else, or cannot be written.
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
    """Return the picture with no side longer than this, in pixels; as it is where it fits."""
    scale = longest_px / max(image_bgr.shape[:2])
    if scale >= 1:
        return image_bgr
    size_wh = tuple(max(1, round(side * scale)) for side in image_bgr.shape[1::-1])
    return np.asarray(cv2.resize(image_bgr, size_wh, interpolation=cv2.INTER_AREA))


def _size(size_wh: tuple[int, ...]) -> str:
    return "×".join(map(str, size_wh))
