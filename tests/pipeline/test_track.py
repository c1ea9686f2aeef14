from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.geometry import iou
from emorec.pipeline.track import Tracker
from emorec.records import Detection, Track

FRAME_S = 1 / 30


def at(x: float, y: float = 100, side: float = 100) -> Detection:
    return Detection(np.array([x, y, x + side, y + side], dtype=np.float64), float("nan"))


def feed(
    tracker: Tracker,
    frames: Sequence[Sequence[Detection]],
    start_s: float = 0.0,
    frame_s: float = FRAME_S,
    cautious: bool = False,
) -> list[tuple[Track, ...]]:
    return [
        tracker.update(found, start_s + number * frame_s, cautious)
        for number, found in enumerate(frames)
    ]


def ids(tracks: Sequence[Track]) -> list[int]:
    return [track.track_id for track in tracks]


def test_nobody() -> None:
    tracker = Tracker()
    assert tracker.expected(0.0).shape == (0, 4)
    assert [ids(tracks) for tracks in feed(tracker, [[], [], []])] == [[], [], []]


@pytest.mark.parametrize(
    ("cautious", "expected"), [(False, [[], [1], [1]]), (True, [[1], [1], [1]])]
)
def test_birth(cautious: bool, expected: list[list[int]]) -> None:
    seen = feed(Tracker(), [[at(0)]] * 3, cautious=cautious)
    assert [ids(tracks) for tracks in seen] == expected


def test_a_face_is_born_however_far_apart_the_frames_are() -> None:
    seen = feed(Tracker(), [[at(0)], [at(3)], [at(6)]], frame_s=0.9)
    assert [ids(tracks) for tracks in seen] == [[], [1], [1]]


def test_one_false_glimpse_is_never_shown() -> None:
    assert not any(feed(Tracker(), [[at(0)], *[[]] * 30]))


@pytest.mark.parametrize(("cautious", "patience_s"), [(False, 0.7), (True, 2.0)])
def test_a_gap_is_bridged_and_a_face_that_left_ends(cautious: bool, patience_s: float) -> None:
    tracker = Tracker()
    feed(tracker, [[at(0)]] * 10, cautious=cautious)
    last_s = 9 * FRAME_S
    held = tracker.update([], last_s + patience_s - 0.05, cautious)
    assert ids(held) == [1]
    assert held[0].unseen_s == pytest.approx(patience_s - 0.05)
    assert tracker.update([], last_s + patience_s + 0.05, cautious) == ()


def test_a_face_keeps_its_id_over_a_gap() -> None:
    found = [[at(0)]] * 10 + [[]] * 15 + [[at(10)]] * 5
    seen = feed(Tracker(), found)
    assert {track.track_id for tracks in seen for track in tracks} == {1}
    assert seen[-1][0].unseen_s == 0
    assert seen[-1][0].age_s == pytest.approx(29 * FRAME_S)


def test_ids_are_never_used_again() -> None:
    tracker = Tracker()
    assert ids(feed(tracker, [[at(0)]] * 3)[-1]) == [1]
    assert ids(feed(tracker, [[at(0)]] * 3, start_s=10)[-1]) == [2]
    tracker.reset()
    assert tracker.update([], 10.2) == ()
    assert ids(feed(tracker, [[at(0)]] * 3, start_s=10.3)[-1]) == [3]


def test_two_faces_side_by_side_keep_their_ids() -> None:
    tremor = np.random.default_rng(0).normal(0, 3, (60, 2))
    frames = [[at(100 + a), at(205 + b)] for a, b in tremor]
    for number in range(5, 60, 3):  # now one is missed, now the other, and their order varies
        frames[number] = frames[number][number % 2 :][:1]
    frames[10].reverse()
    for tracks in feed(Tracker(), frames)[1:]:
        assert ids(tracks) == [1, 2]
        assert tracks[0].box_xyxy[0] < 150 < tracks[1].box_xyxy[0]


def test_faces_that_pass_each_other_at_different_heights_keep_their_ids() -> None:
    frames = [[at(50 + 6 * n, 100), at(410 - 6 * n, 190)] for n in range(60)]
    last = feed(Tracker(), frames)[-1]
    assert ids(last) == [1, 2]
    assert last[0].box_xyxy[0] > 300 > last[1].box_xyxy[0]


def test_one_face_seen_twice_is_one_face() -> None:
    seen = feed(Tracker(), [[at(100), at(106, 98, 95)]] * 20)
    assert {track.track_id for tracks in seen for track in tracks} == {1}


def test_a_neighbour_that_leaves_is_not_born_again_on_the_other_face() -> None:
    # Looked for from nearby, the face that left leads to its neighbour's.
    found = [[at(100), at(210)]] * 10 + [[at(100), at(102)]] * 60
    seen = feed(Tracker(), found)
    assert ids(seen[-1]) == [1]
    assert {track.track_id for tracks in seen for track in tracks} == {1, 2}


@pytest.mark.parametrize("fps", [30, 10])
@pytest.mark.parametrize("side", [60, 100, 200])
def test_a_moving_face_is_followed(fps: int, side: float) -> None:
    speed = 200.0
    tracker = Tracker()
    for number in range(2 * fps):
        time_s = number / fps
        truth = at(speed * time_s, side=side)
        tracks = tracker.update([truth], time_s)
        if time_s > 0.5:
            assert ids(tracks) == [1]
            assert iou(tracks[0].box_xyxy, truth.box_xyxy)[0, 0] >= 0.8
            ahead = tracker.expected(time_s + 0.066)
            assert iou(ahead, at(speed * (time_s + 0.066), side=side).box_xyxy)[0, 0] >= 0.8
    assert tracks[0].velocity_xy == pytest.approx([speed, 0], abs=speed * 0.05)


def test_a_face_that_is_not_seen_does_not_fly_on_for_ever() -> None:
    tracker = Tracker()
    feed(tracker, [[at(300 * n * FRAME_S)] for n in range(30)])
    last_s = 29 * FRAME_S
    assert tracker.expected(last_s + 0.3) == pytest.approx(tracker.expected(last_s + 2.0))


def test_the_tremor_of_a_still_face_is_taken_out() -> None:
    tremor = np.random.default_rng(0).normal(0, 2, (150, 2))
    seen = feed(Tracker(), [[at(100 + x, 100 + y)] for x, y in tremor])[30:]
    middles = np.array([(t.box_xyxy[:2] + t.box_xyxy[2:]) / 2 for (t,) in seen])
    assert middles.std(axis=0).max() < 1.5


places = st.lists(st.tuples(st.floats(-50, 600), st.floats(-50, 400), st.floats(20, 200)))


@given(st.lists(places, max_size=12), st.booleans(), st.floats(0, 1))
def test_whatever_is_found_the_ids_rise_and_are_unique(
    frames: list[list[tuple[float, float, float]]], cautious: bool, frame_s: float
) -> None:
    highest = 0
    known: set[int] = set()
    gone: set[int] = set()
    for tracks in feed(
        Tracker(), [[at(*place) for place in found] for found in frames], 0, frame_s, cautious
    ):
        now = ids(tracks)
        assert now == sorted(set(now)) and all(number >= 1 for number in now)
        assert all(number > highest for number in set(now) - known)
        assert not gone & set(now)
        gone |= known - set(now)
        known |= set(now)
        highest = max(known, default=0)
        for track in tracks:
            assert np.isfinite(track.box_xyxy).all() and track.unseen_s <= 2.0
