"""The scores themselves: boxes and films for which the right score is known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.records import Box, Face, FrameResult, unclassified
from testkit.scenes import Truth
from testkit.scoring import Watched, count, drawn_iou, summary, total

FACE = [100.0, 100.0, 200.0, 200.0]
OTHER = [300.0, 100.0, 400.0, 200.0]
NEAR = [110.0, 100.0, 210.0, 200.0]
FAR = [170.0, 100.0, 270.0, 200.0]


@pytest.mark.parametrize(
    ("boxes", "faces", "hits", "recall", "precision"),
    [
        ([], [], 0, None, None),
        ([], [FACE], 0, 0.0, None),
        ([FACE], [], 0, None, 0.0),
        ([NEAR], [FACE], 1, 1.0, 1.0),
        ([FAR], [FACE], 0, 0.0, 0.0),
        ([FACE, NEAR], [FACE], 1, 1.0, 0.5),  # twice the same face
        ([NEAR], [FACE, OTHER], 1, 0.5, 1.0),
        ([OTHER, NEAR], [FACE, OTHER], 2, 1.0, 1.0),
    ],
)
def test_count(
    boxes: list[list[float]],
    faces: list[list[float]],
    hits: int,
    recall: float | None,
    precision: float | None,
) -> None:
    counted = count([boxes], [faces])
    assert counted["hits"] == hits
    assert (counted["recall"], counted["precision"]) == (recall, precision)


def test_a_picture_s_boxes_are_no_other_s() -> None:
    assert count([[FACE], []], [[], [FACE]])["hits"] == 0


def test_total_weighs_every_face_alike() -> None:
    both = total([count([[FACE]], [[FACE]]), count([[], [], []], [[FACE, OTHER], [FACE], []])])
    assert (both["faces"], both["hits"], both["recall"], both["precision"]) == (4, 1, 0.25, 1.0)


LEFT, RIGHT = (100, 100, 200, 200), (300, 100, 400, 200)
Seen = tuple[int, tuple[int, int, int, int]]


def watched(
    truths: list[list[tuple[int, tuple[int, ...], float]]],
    faces: list[list[Seen]],
    velocity_xy: tuple[float, float] = (0.0, 0.0),
) -> Watched:
    results = [
        FrameResult(
            index,
            index / 25,
            (640, 480),
            tuple(
                Face(
                    track_id=track_id,
                    box=Box(*box),
                    score=0.9,
                    age_s=1.0,
                    unseen_s=0.0,
                    probs_raw=unclassified(),
                    probs=unclassified(),
                    emotion=None,
                    velocity_xy=velocity_xy,
                )
                for track_id, box in own
            ),
        )
        for index, own in enumerate(faces)
    ]
    known = [
        tuple(Truth(face_id, np.array(box, dtype=float), visible) for face_id, box, visible in own)
        for own in truths
    ]
    return Watched(known, results)


BOTH = [(1, LEFT, 1.0), (2, RIGHT, 1.0)]


@pytest.mark.parametrize(
    ("truths", "faces", "expected"),
    [
        # Nobody was found: every face of every frame but the first is missed.
        ([BOTH] * 5, [[]] * 5, {"missed": 8, "false": 0, "id_switches": 0, "mota": 0.0}),
        ([BOTH] * 5, [[(7, LEFT), (9, RIGHT)]] * 5, {"mota": 1.0, "idf1": 1.0, "id_switches": 0}),
        # The two swap ids after the third frame.
        (
            [BOTH] * 7,
            [[(7, LEFT), (9, RIGHT)]] * 3 + [[(9, LEFT), (7, RIGHT)]] * 4,
            {"id_switches": 2, "missed": 0, "idf1": 0.5},
        ),
        # A box on nobody counts in every frame it is drawn on.
        ([[(1, LEFT, 1.0)]] * 5, [[(1, LEFT), (2, RIGHT)]] * 5, {"false": 4, "mota": 0.0}),
        # Someone who is hidden may be remembered, and need not be.
        ([[(1, LEFT, 1.0), (2, RIGHT, 0.2)]] * 5, [[(1, LEFT), (2, RIGHT)]] * 5, {"mota": 1.0}),
        ([[(1, LEFT, 1.0), (2, RIGHT, 0.2)]] * 5, [[(1, LEFT)]] * 5, {"mota": 1.0}),
        # Behind another: the one box there belongs to the one in front.
        ([[(1, LEFT, 1.0), (2, LEFT, 0.0)]] * 5, [[(4, LEFT)]] * 5, {"mota": 1.0, "missed": 0}),
        # At the border the picture cuts both the face and its box.
        ([[(1, (-40, 0, 60, 100), 0.6)]] * 5, [[(1, (0, 0, 60, 100))]] * 5, {"mota": 1.0}),
    ],
)
def test_summary(
    truths: list[list[tuple[int, tuple[int, ...], float]]],
    faces: list[list[Seen]],
    expected: dict[str, float],
) -> None:
    done = summary([watched(truths, faces)])
    assert {key: done[key] for key in expected} == expected


def test_ids_of_two_films_have_nothing_in_common() -> None:
    one = watched([BOTH] * 5, [[(1, LEFT), (2, RIGHT)]] * 5)
    other = watched([BOTH] * 5, [[(2, LEFT), (1, RIGHT)]] * 5)
    done = summary([one, other])
    assert (done["films"], done["frames"], done["faces"]) == (2, 10, 16)
    assert (done["id_switches"], done["idf1"]) == (0, 1.0)


@pytest.mark.parametrize(
    ("late", "velocity", "expected"), [(1, 0, 0.6), (1, 625, 1), (2, 0, 1 / 3)]
)
def test_boxes_are_judged_on_the_frame_they_are_drawn_on(
    late: int, velocity: float, expected: float
) -> None:
    # 25 pixels a frame, 625 a second.
    places = [(100 + 25 * index, 100, 200 + 25 * index, 200) for index in range(5)]
    film = watched(
        [[(1, place, 1.0)] for place in places],
        [[(1, place)] for place in places],
        (velocity, 0.0),
    )
    overlaps = drawn_iou(film, late)
    assert len(overlaps) == 5 - late
    assert overlaps == pytest.approx([expected] * len(overlaps))


def test_a_face_without_a_box_overlaps_by_nothing() -> None:
    assert drawn_iou(watched([BOTH] * 2, [[(1, LEFT)]] * 2), 1) == [1.0, 0.0]
