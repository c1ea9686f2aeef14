from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from emorec.geometry import iou
from emorec.pipeline.match import matched
from emorec.pipeline.track import LONGEST_UNSEEN_S, Tracker
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
    searched: bool = True,
) -> list[tuple[Track, ...]]:
    """Update the tracker with what was found in each frame; ``searched``: near each known face."""
    seen = []
    for number, found in enumerate(frames):
        time_s = start_s + number * frame_s
        near = range(len(tracker.expected(time_s)[0])) if searched else ()
        seen.append(tracker.update(found, time_s, cautious, near))
    return seen


def ids(tracks: Sequence[Track]) -> list[int]:
    return [track.track_id for track in tracks]


def test_without_faces_there_is_no_track() -> None:
    tracker = Tracker()
    boxes, tilts = tracker.expected(0.0)
    assert boxes.shape == (0, 4) and tilts.shape == (0,)
    assert tracker.due(0.0, 5) == ([], [])
    assert [ids(tracks) for tracks in feed(tracker, [[], [], []])] == [[], [], []]


@pytest.mark.parametrize(
    ("cautious", "expected"), [(False, [[], [1], [1]]), (True, [[0], [1], [1]])]
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
    held, gone = (
        feed(tracker, [[]], last_s + patience_s + more_s, cautious=cautious)[0]
        for more_s in (-0.05, 0.05)
    )
    assert ids(held) == [1]
    assert held[0].unseen_s == pytest.approx(patience_s - 0.05)
    assert gone == ()


def test_a_face_keeps_its_id_over_a_gap() -> None:
    found = [[at(0)]] * 10 + [[]] * 15 + [[at(10)]] * 5
    seen = feed(Tracker(), found)
    assert {track.track_id for tracks in seen for track in tracks} == {1}
    assert seen[-1][0].unseen_s == 0
    assert seen[-1][0].age_s == pytest.approx(29 * FRAME_S)


@pytest.mark.parametrize("cautious", [False, True])
@pytest.mark.parametrize("stall_s", [1.0, 2.0, 3.5])
def test_faces_that_stay_while_the_machine_stalls_keep_their_ids(
    cautious: bool, stall_s: float
) -> None:
    """After the stall four of 25 faces are searched for in a frame, five frames a second."""
    places = [at(150.0 * number) for number in range(25)]
    tracker = Tracker()
    before = feed(tracker, [places] * 10, cautious=cautious)[-1]
    time_s = 9 * FRAME_S + stall_s
    for _ in range(7):
        known, _ = tracker.due(time_s, 0)
        tracks = tracker.update([places[n] for n in known], time_s, cautious, known)
        assert ids(tracks) == ids(before), "each is shown until it was searched for"
        time_s += 0.2
    assert sum(track.unseen_s < 1.3 for track in tracks) == 25


@pytest.mark.parametrize("stall_s", [1.0, 2.0])
def test_a_face_that_left_during_a_stall_is_hidden_by_the_first_search(stall_s: float) -> None:
    tracker = Tracker()
    feed(tracker, [[at(0), at(300)]] * 10)
    first, *_, last = feed(tracker, [[at(300)]] * 20, 9 * FRAME_S + stall_s)
    assert ids(first) == ids(last) == [2]
    back = feed(tracker, [[at(0), at(300)]] * 2, 29 * FRAME_S + stall_s)
    assert ids(back[-1]) == [2, 3], "two searches were in vain: its id is given up"


def test_one_search_that_fails_after_a_stall_costs_no_id() -> None:
    tracker = Tracker()
    feed(tracker, [[at(0)]] * 10)
    seen = feed(tracker, [[], [at(0)]], 9 * FRAME_S + 2.0)
    assert [ids(tracks) for tracks in seen] == [[], [1]]


def test_after_a_long_gap_a_face_in_the_same_place_is_a_new_one() -> None:
    tracker = Tracker()
    feed(tracker, [[at(0)]] * 10)
    seen = feed(tracker, [[at(0)]] * 2, 9 * FRAME_S + LONGEST_UNSEEN_S + 0.1, searched=False)
    assert [ids(tracks) for tracks in seen] == [[], [2]]


def test_frames_a_second_apart_let_all_faces_be_searched_for() -> None:
    tracker = Tracker()
    feed(tracker, [[at(150.0 * number) for number in range(25)]] * 3)
    assert len(tracker.due(1.1, 25)[0]) == 25, "all are in doubt, and there is time for all"
    assert len(tracker.due(1.1, 6)[0]) == 6
    assert len(tracker.due(1.1, 0)[0]) == 4


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_faces_go_on_in_a_picture_of_another_size(factor: float) -> None:
    tracker = Tracker()
    feed(tracker, [[at(100 + 3 * n)] for n in range(20)])
    tracker.rescale(factor)
    found = at((100 + 3 * 20) * factor, 100 * factor, 100 * factor)
    (track,) = feed(tracker, [[found]], 20 * FRAME_S)[0]
    assert track.track_id == 1
    assert iou(track.box_xyxy, found.box_xyxy)[0, 0] > 0.9
    assert track.velocity_xy == pytest.approx([90 * factor, 0], rel=0.1, abs=2)


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
            ahead, _ = tracker.expected(time_s + 0.066)
            assert iou(ahead, at(speed * (time_s + 0.066), side=side).box_xyxy)[0, 0] >= 0.8
    assert tracks[0].velocity_xy == pytest.approx([speed, 0], abs=speed * 0.05)


def test_a_face_that_is_not_seen_does_not_fly_on_for_ever() -> None:
    tracker = Tracker()
    feed(tracker, [[at(300 * n * FRAME_S)] for n in range(30)])
    last_s = 29 * FRAME_S
    soon, late = (tracker.expected(last_s + after)[0] for after in (0.3, 2.0))
    assert soon == pytest.approx(late)


def test_the_tremor_of_a_still_face_is_taken_out() -> None:
    tremor = np.random.default_rng(0).normal(0, 2, (150, 2))
    seen = feed(Tracker(), [[at(100 + x, 100 + y)] for x, y in tremor])[30:]
    middles = np.array([(t.box_xyxy[:2] + t.box_xyxy[2:]) / 2 for (t,) in seen])
    assert middles.std(axis=0).max() < 1.5


def crossing(dy: float, speed: float, seed: int, side: float = 90) -> list[list[Detection]]:
    """Two faces that pass; of two that overlap much only the nearer is found."""
    noise = np.random.default_rng(seed)
    frames = []
    for number in range(int(500 / speed / FRAME_S)):
        gone = speed * number * FRAME_S
        near, far = (
            at(x + noise.normal(0, 2), y + noise.normal(0, 2), side)
            for x, y in ((gone, 200.0), (500 - gone, 200 + dy))
        )
        hidden = iou(near.box_xyxy, far.box_xyxy)[0, 0] > 0.25
        frames.append([far] * (not hidden) + [near])
    return frames


@pytest.mark.parametrize("dy", [0, 15, 40])
@pytest.mark.parametrize("speed", [60, 120, 200])
def test_faces_that_cross_keep_their_ids(speed: float, dy: float) -> None:
    for seed in range(3):
        seen = feed(Tracker(), crossing(dy, speed, seed))
        (left, right), (first, last) = seen[2], [tracks for tracks in seen if len(tracks) == 2][-1]
        assert {left.track_id, right.track_id} == {1, 2}
        by_id = {first.track_id: first, last.track_id: last}
        assert by_id.keys() == {1, 2}, "no face gets a new id"
        started = {t.track_id: t.box_xyxy[0] for t in (left, right)}
        for track_id, track in by_id.items():
            assert (track.box_xyxy[0] > 250) == (started[track_id] < 250)


def test_a_face_hidden_for_a_second_keeps_its_id() -> None:
    walking = [number * 4.0 for number in range(120)]  # 120 pixels a second, behind one that stands
    frames = [[at(240)] + [at(x)] * (not 180 < x < 300) for x in walking]
    seen = feed(Tracker(), frames)
    assert sum(len(found) == 1 for found in frames) >= 29
    assert {track.track_id for tracks in seen for track in tracks} == {1, 2}
    assert [track.box_xyxy[0] > 400 for track in seen[-1]].count(True) == 1


@pytest.mark.parametrize("side", [24, 48, 100])
def test_a_camera_that_is_knocked_loses_no_face(side: float) -> None:
    noise = np.random.default_rng(0)
    places = [(60 + x * 2.2 * side, 60 + y * 2.2 * side) for x in range(5) for y in range(3)]
    shift = np.zeros(2)
    frames = []
    for number in range(120):
        if number % 5 == 4:
            angle = noise.uniform(0, 2 * np.pi)
            shift = shift + 20 * np.array([np.cos(angle), np.sin(angle)])
        frames.append([at(x + shift[0], y + shift[1], side) for x, y in places])
    seen = feed(Tracker(), frames)
    for found, tracks in zip(frames[1:], seen[1:], strict=True):
        assert ids(tracks) == list(range(1, 16))
        for track, truth in zip(tracks, found, strict=True):
            assert iou(track.box_xyxy, truth.box_xyxy)[0, 0] > 0.5


def test_the_least_sum_never_joins_what_is_too_far() -> None:
    # Both joined would be 0.9 + 1.2: one alone is better than that.
    columns, rows = matched(np.array([[0.1, 0.9], [1.2, 5.0]]))
    assert columns.tolist() == [0, -1] and rows.tolist() == [0, -1]
    # The nearest first would leave the second far from what remains.
    columns, _ = matched(np.array([[0.1, 0.3], [0.2, 0.9]]))
    assert columns.tolist() == [1, 0]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_without_rows_or_columns_nothing_matches(shape: tuple[int, int]) -> None:
    columns, rows = matched(np.empty(shape))
    assert columns.tolist() == [-1] * shape[0] and rows.tolist() == [-1] * shape[1]


@given(st.integers(1, 8), st.integers(1, 8), st.integers(0, 1000))
def test_the_matching_is_the_best_there_is(n: int, m: int, seed: int) -> None:
    away = np.random.default_rng(seed).uniform(0, 2, (n, m))
    columns, rows = matched(away)
    pairs = [(row, column) for row, column in enumerate(columns) if column >= 0]
    assert pairs == sorted((row, column) for column, row in enumerate(rows) if row >= 0)
    # Leaving two alone costs 1: so says the limit, and so does this.
    one, other = linear_sum_assignment(np.minimum(away - 1, 0))
    assert sum(away[pair] - 1 for pair in pairs) == pytest.approx(
        np.minimum(away - 1, 0)[one, other].sum(), abs=1e-6
    )


def test_the_tilt_is_smoothed_and_remembered() -> None:
    def tilted(tilt_deg: float) -> Detection:
        return replace(at(100), tilt_deg=tilt_deg)

    tracker = Tracker()
    assert feed(tracker, [[at(100)]] * 3)[-1][0].tilt_deg == 0, "it is not known"
    assert feed(tracker, [[tilted(20)]], 0.1)[-1][0].tilt_deg == 20
    assert feed(tracker, [[at(100)]] * 3, 0.2)[-1][0].tilt_deg == 20, "remembered"
    tremor = [20 + (-1) ** number * 6 for number in range(30)]
    shown = [t.tilt_deg for (t,) in feed(tracker, [[tilted(deg)] for deg in tremor], 0.4)]
    assert np.std(shown) < 1.5
    turned = feed(tracker, [[tilted(179)], *[[tilted(-179)]] * 30], 3.0)
    assert all(abs(t.tilt_deg) > 150 for (t,) in turned[15:]), "the short way round"


places = st.lists(st.tuples(st.floats(-50, 600), st.floats(-50, 400), st.floats(20, 200)))


@given(st.lists(places, max_size=12), st.booleans(), st.floats(0, 1))
def test_ids_rise_and_are_unique(
    frames: list[list[tuple[float, float, float]]], cautious: bool, frame_s: float
) -> None:
    highest = 0
    shown_s: dict[int, float] = {}
    seen = feed(
        Tracker(), [[at(*place) for place in found] for found in frames], 0, frame_s, cautious
    )
    for number, tracks in enumerate(seen):
        now = [track_id for track_id in ids(tracks) if track_id or not cautious]
        assert now == sorted(set(now)) and all(track_id >= 1 for track_id in now)
        assert all(track_id > highest for track_id in set(now) - set(shown_s))
        time_s = number * frame_s
        # A face that is back after a longer time is a new one.
        assert all(time_s - shown_s.get(track_id, time_s) <= LONGEST_UNSEEN_S for track_id in now)
        shown_s.update(dict.fromkeys(now, time_s))
        highest = max(shown_s, default=0)
        for track in tracks:
            assert np.isfinite(track.box_xyxy).all() and track.unseen_s <= 2.0


class Flow:
    """A follower that knows: it moves each box by so much, or loses it."""

    def __init__(
        self, shift: tuple[float, float] = (0.0, 0.0), sees: bool = True, alike: float = 1.0
    ) -> None:
        self.shift, self.sees, self.alike = np.tile(shift, 2), sees, alike

    def move(self, image_gray: object, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return boxes + self.shift * self.sees, np.full(len(boxes), self.sees)

    def thumbnails(self, boxes: np.ndarray) -> np.ndarray:
        return np.full((len(boxes), 1), self.alike, np.float32)

    def replaced(self, box: np.ndarray) -> None:
        """It says nothing of what is there now."""


def carry(tracker: Tracker, flow: Flow, time_s: float, looked: bool = False) -> tuple[Track, ...]:
    """Follow into a frame in which nothing is found; ``looked`` = though the detector looked."""
    tracker.follow(flow, np.zeros((1, 1), np.uint8), time_s)  # type: ignore[arg-type]
    known, unproven = tracker.due(time_s, 99 if looked else 0)
    return tracker.update([], time_s, near=known + unproven if looked else ())


def test_a_face_that_is_followed_is_seen_and_shown_where_it_went() -> None:
    tracker = Tracker()
    feed(tracker, [[at(100)]] * 5)
    for number in range(5, 25):
        (track,) = carry(tracker, Flow((2, 1)), number * FRAME_S)
        assert (track.track_id, track.unseen_s) == (1, 0)
    assert track.box_xyxy[:2] == pytest.approx([140, 120])
    assert track.velocity_xy == pytest.approx([60, 30], rel=0.1)


def test_one_that_the_flow_loses_is_in_doubt_and_goes() -> None:
    tracker = Tracker()
    feed(tracker, [[at(100)]] * 5)
    tracker.follow(Flow(sees=False), np.zeros((1, 1), np.uint8), 5 * FRAME_S)  # type: ignore[arg-type]
    assert tracker.due(5 * FRAME_S, 0) == ([0], []), "to be searched for, however busy"
    for number in range(5, 40):
        tracks = carry(tracker, Flow(sees=False), number * FRAME_S, looked=True)
    assert tracks == ()


def test_one_that_a_look_does_not_find_is_followed_no_longer() -> None:
    tracker = Tracker()
    feed(tracker, [[at(100)]] * 5)
    carry(tracker, Flow(), 5 * FRAME_S, looked=True)
    for number in range(6, 40):
        tracks = carry(tracker, Flow(), number * FRAME_S, looked=True)
    assert tracks == ()


def test_one_that_was_not_found_for_long_is_in_doubt_though_it_is_followed() -> None:
    tracker = Tracker()
    feed(tracker, [[at(100)]] * 5)
    doubted = []
    for number in range(5, 60):
        carry(tracker, Flow(), number * FRAME_S)
        doubted.append(bool(tracker.due(number * FRAME_S, 0)[0]))
    assert not any(doubted[:25]) and all(doubted[-10:])


def test_faces_are_looked_at_in_turn_and_those_seen_once_at_once() -> None:
    tracker = Tracker()
    places = [at(150.0 * number) for number in range(6)]
    feed(tracker, [places] * 3)
    tracker.update([*places[:2], at(2000)], 3 * FRAME_S)
    for candidate in tracker._candidates:
        candidate.lost = False
    known, unproven = tracker.due(3 * FRAME_S, 3)
    assert known == [2, 3, 4], "those that waited longest"
    assert unproven == [6]


def test_faces_that_overlap_are_not_followed() -> None:
    tracker = Tracker()
    feed(tracker, [[at(100), at(170)]] * 3)
    tracks = carry(tracker, Flow((5, 0)), 3 * FRAME_S)
    assert [track.unseen_s for track in tracks] == pytest.approx([FRAME_S] * 2)


def test_a_face_that_something_hides_keeps_its_size_and_speed() -> None:
    """The points stay on the board, and the detector finds the part that is not hidden yet."""
    tracker = Tracker()
    feed(tracker, [[at(100)]] * 5)
    carry(tracker, Flow(), 5 * FRAME_S)
    for number in range(6, 12):
        left = (number - 5) * 6.0
        tracker.follow(Flow((4, 0), alike=0.3), np.zeros((1, 1), np.uint8), number * FRAME_S)  # type: ignore[arg-type]
        expected, _ = tracker.expected(number * FRAME_S)
        known, unproven = tracker.due(number * FRAME_S, 0)
        assert (known, unproven) == ([0], []), "in doubt, so the detector decides"
        x1, y1, x2, y2 = expected[0]
        part = Detection(np.array([x1 + left, y1, x2, y2 - left]), 0.6)
        (track,) = tracker.update([part], number * FRAME_S, near=known)
    width = float(np.ptp(track.box_xyxy[::2]))
    assert width == pytest.approx(float(np.ptp(at(100).box_xyxy[::2])), rel=0.02)
    assert np.abs(track.velocity_xy).max() < 20


def test_a_crowd_that_was_seen_once_is_confirmed_within_three_frames() -> None:
    tracker = Tracker()
    feed(tracker, [[at(150.0 * number) for number in range(25)]])
    known, unproven = tracker.due(FRAME_S, 0)
    assert known == [] and 9 <= len(unproven) <= 13
