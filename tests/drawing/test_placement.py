"""A label stands on the first place that covers nothing, else on the one that covers least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emorec.drawing.placement import best_place
from emorec.records import Box

PICTURE_WH = (40, 30)
FACE = Box(10, 10, 20, 20)


def test_the_first_free_place_inside_the_picture_is_taken() -> None:
    places = [(10, 4), (10, -9), (10, 20)]
    assert best_place(places, (8, 6), PICTURE_WH, FACE, []) == (Box(10, 4, 18, 10), 0.0)
    taken = [Box(0, 5, 40, 8)]
    assert best_place(places, (8, 6), PICTURE_WH, FACE, taken) == (Box(10, 20, 18, 26), 0.0)


def test_the_own_face_is_covered_rather_than_another() -> None:
    others = [Box(10, 0, 20, 10), Box(10, 20, 20, 30)]
    places = [(10, 4), (10, 20), (10, 12)]
    assert best_place(places, (8, 6), PICTURE_WH, FACE, others) == (Box(10, 12, 18, 18), 0.0)


numbers = st.integers(-5, 35)
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), numbers, numbers, *[st.integers(0, 15)] * 2
)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4), boxes, st.lists(boxes))
def test_no_place_is_better(places: list[tuple[int, int]], own: Box, taken: Sequence[Box]) -> None:
    def covered(place: Box, other: Box) -> int:
        pixels = np.zeros((60, 60), int)
        for x1, y1, x2, y2 in (place, other):
            pixels[y1 + 5 : y2 + 5, x1 + 5 : x2 + 5] += 1
        return int((pixels == 2).sum())

    size_wh = width, height = 8, 6
    inside = [(min(max(x, 0), 40 - width), min(max(y, 0), 30 - height)) for x, y in places]
    tried = [Box(x, y, x + width, y + height) for x, y in inside]
    costs = [sum(covered(p, other) for other in taken) for p in tried]
    best = int(
        np.argmin([cost + 0.1 * covered(p, own) for cost, p in zip(costs, tried, strict=True)])
    )
    assert best_place(places, size_wh, PICTURE_WH, own, taken) == (tried[best], costs[best])
