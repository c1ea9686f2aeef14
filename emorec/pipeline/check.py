"""Is this crop a face? Asked of every place that BlazeFace takes for one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from emorec.errors import ModelError
from emorec.model.runtime import LiteRTRuntime


class FaceCheck:
    """A convolutional network of 4 million multiply-adds whose errors differ from BlazeFace's.

    ``python -m benchmarks.face_check`` trains it to tell FER2013's faces from what BlazeFace takes
    for faces where there are none.

    Args:
        file: the network.

    Raises:
        ModelError: the file is missing or is no such network.
    """

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ModelError(f"{file.name}: the face check is missing from {file.parent}.")
        try:
            self._network = LiteRTRuntime(file.read_bytes())
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{file.name}: is no network that LiteRT can run.") from error
        if self._network.outputs != {"logit": 1}:
            raise ModelError(f"{file.name}: is no face check.")

    def logits(self, faces_gray: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return the logit of the probability that each crop is a face, float64 of shape (n,).

        Args:
            faces_gray: uint8 of shape (n, 48, 48), n at least 1.
        """
        return self._network.run(faces_gray)["logit"][:, 0].astype(np.float64)
