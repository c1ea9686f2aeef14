"""What was read as one tidy table: a row a face and frame, for those who count and plot.

Columns are the records' own fields by name, with their unit where they have one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from emorec.emotions import EMOTIONS, UNSURE
from emorec.records import Face, FrameResult

if TYPE_CHECKING:
    import pandas as pd

_DTYPES = {
    "frame": "int64",
    "time_s": "float64",
    "width_px": "int64",
    "height_px": "int64",
    "track_id": "int64",
    "x1_px": "int64",
    "y1_px": "int64",
    "x2_px": "int64",
    "y2_px": "int64",
    "score": "float64",
    "age_s": "float64",
    "unseen_s": "float64",
    **dict.fromkeys(EMOTIONS, "float32"),
    "emotion": "category",
    "confidence": "float32",
    "valence": "float32",
    "unreadable": "string",
    "name": "string",
}

COLUMNS = tuple(_DTYPES)
"""``frame`` (its index) and ``time_s``, ``width_px`` and ``height_px`` of the picture; of the face
``track_id``, its box ``x1_px`` to ``y2_px``, ``score``, ``age_s``, ``unseen_s``, the seven smoothed
probabilities by name, ``emotion`` (of ``EMOTIONS``, or "unsure"), ``confidence``, ``valence``,
``unreadable`` and ``name``."""


def to_dataframe(results: Iterable[FrameResult]) -> pd.DataFrame:
    """Return the faces of all results, in their order, as a table.

    Args:
        results: of the frames of a film; of a picture alone `FrameResult.to_dataframe` is shorter.
            A frame without faces has no row.

    Returns:
        ``COLUMNS``, with the same dtypes however few rows there are. What a face does not have is
        missing: the emotion of one that was not classified, the name of one not recognised.
    """
    import pandas as pd

    rows = [_row(result, face) for result in results for face in result.faces]
    labels = pd.CategoricalDtype([*EMOTIONS, UNSURE])
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({**_DTYPES, "emotion": labels})


def _row(result: FrameResult, face: Face) -> tuple[object, ...]:
    label = (face.emotion or UNSURE) if face.classified else None
    return (
        result.index,
        result.time_s,
        *result.size_wh,
        face.track_id,
        *face.box,
        face.score,
        face.age_s,
        face.unseen_s,
        *face.probs,
        label,
        face.confidence,
        face.valence,
        face.unreadable,
        face.name,
    )
