from __future__ import annotations

import pytest

from emorec.geometry import Boxes, as_boxes
from emorec.pipeline.smallest import Smallest, notes
from emorec.pipeline.tiles import smallest_searched
from emorec.records import FrameResult
from emorec.settings import LEAST_FACE_PX

SIZES = [(1, 1), (640, 480), (1280, 720), (1920, 1080), (3840, 2160), (12_000, 300)]


def faces(*sides: float) -> Boxes:
    return as_boxes([(10, 10, 10 + side, 10 + side) for side in sides])


def searched(smallest: Smallest, found: Boxes) -> bool:
    """Tell it whom a search found; return whether the next one is finer."""
    before = smallest.px
    smallest.searched(found)
    return smallest.px < before


def settled(smallest: Smallest, found: Boxes) -> float:
    for _ in range(20):
        smallest.searched(found)
    return smallest.px


@pytest.mark.parametrize("size_wh", SIZES)
def test_with_nobody_in_view_it_goes_down_to_the_bound_and_stops(size_wh: tuple[int, int]) -> None:
    smallest = Smallest(None, size_wh)
    tried = [smallest.px]
    while searched(smallest, faces()):
        tried.append(smallest.px)
        assert len(tried) < 10, "it would never end"
    assert tried == sorted(tried, reverse=True)
    assert tried[-1] == smallest_searched(size_wh, LEAST_FACE_PX)


@pytest.mark.parametrize(
    ("size_wh", "expected"), [((640, 480), 36), ((1280, 720), 60), ((1920, 1080), 90)]
)
def test_it_begins_with_what_suits_the_picture(size_wh: tuple[int, int], expected: float) -> None:
    assert Smallest(None, size_wh).px == pytest.approx(expected, rel=0.02)


def test_one_who_is_hardly_larger_tells_that_there_may_be_smaller_ones() -> None:
    smallest = Smallest(None, (1280, 720))
    first = smallest.px
    assert searched(smallest, faces(1.2 * first, 400))
    assert smallest.px < first


def test_where_all_are_large_it_stays_and_goes_back() -> None:
    smallest = Smallest(None, (1280, 720))
    first = smallest.px
    assert not searched(smallest, faces(3 * first)) and smallest.px == first
    assert settled(smallest, faces()) < first
    assert settled(smallest, faces(4 * first)) == first


@pytest.mark.parametrize("side", [20, 30, 45, 60, 80, 120, 240, 600])
def test_the_same_faces_lead_to_one_choice_that_still_finds_them(side: float) -> None:
    for before in (faces(), faces(600)):
        smallest = Smallest(None, (1280, 720))
        settled(smallest, before)
        first = settled(smallest, faces(side))
        assert first <= side
        assert settled(smallest, faces(side)) == first
        assert not searched(smallest, faces(side)), "or the search would begin anew for ever"


@pytest.mark.parametrize("found", [faces(), faces(17), faces(90), faces(900)])
def test_what_the_user_has_chosen_stays(found: Boxes) -> None:
    smallest = Smallest(48, (1280, 720))
    assert smallest.px == 48
    assert not searched(smallest, found)
    assert settled(smallest, found) == 48


def test_the_area_bounds_what_the_user_has_chosen() -> None:
    assert Smallest(20, (3840, 2160)).px == smallest_searched((3840, 2160), 20) > 20


@pytest.mark.parametrize(
    ("size_wh", "said"),
    [
        ((640, 480), False),
        ((3840, 2160), True),
        ((1_000_000, 40), True),  # narrower than the smallest face that was looked for
        ((1_000_001, 1), False),  # no face fits
    ],
)
def test_which_sizes_were_not_searched_is_said(size_wh: tuple[int, int], said: bool) -> None:
    px = settled(Smallest(None, size_wh), faces())
    told = notes(FrameResult(0, 0.0, size_wh, (), True, {}, px))
    assert [f"Faces under {px:.0f} pixels were not looked for" in note for note in told] == (
        [True] if said else []
    )
