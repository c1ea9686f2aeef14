"""The table of what was read: a row a face, the same columns however few there are."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from emorec import to_dataframe
from emorec.dataframe import COLUMNS
from emorec.emotions import EMOTIONS, UNSURE
from emorec.records import Box, Face, FrameResult, unclassified

HAPPY = np.array([0.0, 0.0, 0.0, 0.75, 0.25, 0.0, 0.0], np.float32)


def face(
    number: int, probs: np.ndarray = HAPPY, emotion: str | None = "happy", **more: str
) -> Face:
    box = Box(number, 2, 30, 40)
    return Face(number, box, float("nan"), 1.5, 0.25, probs, probs, emotion, **more)


def result(*faces: Face, index: int = 7, time_s: float = 0.28) -> FrameResult:
    return FrameResult(index, time_s, (64, 48), faces)


READ = {
    **{"frame": 7, "time_s": 0.28, "width_px": 64, "height_px": 48, "track_id": 1},
    **{"x1_px": 1, "y1_px": 2, "x2_px": 30, "y2_px": 40, "score": None},
    **{"age_s": 1.5, "unseen_s": 0.25, **dict.fromkeys(EMOTIONS, 0.0), "happy": 0.75, "sad": 0.25},
    **{"emotion": "happy", "confidence": 0.75, "valence": 0.5, "unreadable": None, "name": None},
}
NOTHING = dict.fromkeys((*EMOTIONS, "emotion", "confidence", "valence"))


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((), []),
        ((face(1),), [READ]),
        ((face(1, name="Ada"),), [READ | {"name": "Ada"}]),
        ((face(1, emotion=None),), [READ | {"emotion": UNSURE}]),
        ((face(1, unclassified(), None),), [READ | NOTHING]),
        (
            (face(1, unclassified(), None, unreadable="too dark"),),
            [READ | NOTHING | {"unreadable": "too dark"}],
        ),
        ((face(1), face(2)), [READ, READ | {"track_id": 2, "x1_px": 2}]),
    ],
    ids=["nobody", "read", "named", "unsure", "not classified", "unreadable", "two"],
)
def test_a_face_is_a_row(faces: tuple[Face, ...], expected: list[dict]) -> None:
    table = result(*faces).to_dataframe()
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    assert rows == expected


@pytest.mark.parametrize(
    "results",
    [[], [result()], [result(face(1))], [result(face(1, unclassified(), None))] * 2],
    ids=["no frame", "nobody", "one", "nothing known"],
)
def test_columns_and_dtypes_are_always_the_same(results: list[FrameResult]) -> None:
    table = to_dataframe(results)
    assert tuple(table.columns) == COLUMNS
    pd.testing.assert_series_equal(table.dtypes, to_dataframe([result(face(1))] * 3).dtypes)
    assert list(table["emotion"].cat.categories) == [*EMOTIONS, UNSURE]


def test_a_film_is_its_frames_one_after_the_other() -> None:
    frames = [result(face(1), index=0, time_s=0.0), result(index=1), result(face(1), face(3))]
    table = to_dataframe(iter(frames))
    assert table[["frame", "track_id"]].values.tolist() == [[0, 1], [7, 1], [7, 3]]
    assert list(table.index) == [0, 1, 2]
    parts = pd.concat([frame.to_dataframe() for frame in frames], ignore_index=True)
    pd.testing.assert_frame_equal(parts, table)


def test_it_can_be_written_and_counted() -> None:
    table = to_dataframe([result(face(1), face(2, emotion=None))] * 3)
    assert table["emotion"].value_counts()[["happy", UNSURE, "sad"]].tolist() == [3, 3, 0]
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)))
    assert again["happy"].tolist() == [0.75] * 6
