from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.pipeline.tiles import INPUT_SIDE, Patch, tiles, zooms

sides = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("size_wh", "min_face_px", "count"),
    [
        ((1, 1), 20, 1),
        ((320, 240), 48, 1),  # the whole shows such faces well
        ((640, 480), 48, 5),
        ((640, 480), 20, 13),
        ((6000, 4000), 120, 13),  # never more
    ],
)
def test_a_picture_takes_so_many_looks(
    size_wh: tuple[int, int], min_face_px: float, count: int
) -> None:
    assert len(tiles(size_wh, min_face_px)) == count


@given(sides, sides, st.floats(20, 200))
def test_every_small_face_lies_whole_in_a_tile(width: int, height: int, face: float) -> None:
    patches = tiles((width, height), face)
    assert len(patches) <= 13
    assert patches[0] == Patch(0, 0, max(width, height))
    small = patches[1:] or patches
    for x in np.linspace(0, max(width - face, 0), 9):
        for y in np.linspace(0, max(height - face, 0), 9):
            assert any(
                patch.x <= x
                and patch.y <= y
                and min(x + face, width) <= patch.x + patch.side
                and min(y + face, height) <= patch.y + patch.side
                for patch in small
            )


def test_nothing_known_needs_no_look() -> None:
    assert zooms(np.empty((0, 4))) == []


@given(st.integers(1, 13))
def test_zoomed_faces_share_an_input_and_never_overlap(count: int) -> None:
    boxes = np.array([[0, 0, 50, 50]]) + np.arange(count)[:, None] * 7.0
    groups = zooms(boxes)
    assert [len(group) for group in groups] == [4] * (count // 4) + [count % 4] * (count % 4 > 0)
    for group in groups:
        covered = np.zeros((INPUT_SIDE, INPUT_SIDE), int)
        for patch in group:
            covered[patch.top : patch.top + patch.cell, patch.left : patch.left + patch.cell] += 1
        assert covered.max() == 1
        assert covered.sum() == len(group) * group[0].cell ** 2


def test_a_zoomed_face_lies_in_the_middle() -> None:
    ((patch,),) = zooms(np.array([[100.0, 60, 140, 100]]))
    middle = np.array([patch.x, patch.y]) + patch.side / 2
    assert middle == pytest.approx([120, 80], abs=1)
    assert 1.5 < patch.side / 40 < 2.5


def test_an_empty_box_is_no_endless_zoom() -> None:
    ((patch,),) = zooms(np.array([[5.0, 5, 5, 5]]))
    assert patch.side == 1
