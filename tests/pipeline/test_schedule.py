"""A scheduler that is fed with costs, on no machine in particular."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorec.errors import EmorecError
from emorec.pipeline.classify import ReadingOrder
from emorec.pipeline.schedule import LIVE, Rate, Schedule, Work, for_files

CHEAP: Mapping[Work, float] = {"search": 1e-4, "near": 1e-5, "read": 1e-5}
WORK: tuple[Work, ...] = ("search", "near", "read")
ROOM: Mapping[Work, int] = {"search": 9, "near": 25, "read": 25}


def teach(schedule: Schedule, cost_s: Mapping[Work, float]) -> Schedule:
    """Let the scheduler see what each kind of work costs."""
    for work, cost in cost_s.items():
        for _ in range(60):
            schedule.spent(work, 1, cost)
    return schedule


def a_second(
    schedule: Schedule, units: Mapping[Work, int], fps: float = 25, seconds: float = 4
) -> dict[Work, float]:
    """Return how many units of each kind it plans a second."""
    plans = [schedule.plan(number / fps, units) for number in range(round(seconds * fps) + 1)]
    return {work: sum(plan[work] for plan in plans) / seconds for work in units}


def wanted(rates: Mapping[Work, Rate], units: Mapping[Work, int]) -> dict[Work, float]:
    return {work: units[work] / rates[work].every_s for work in units}


@pytest.mark.parametrize("fps", [5, 11, 25, 60])
@pytest.mark.parametrize("faces", [1, 9, 25, 64])
def test_where_it_is_cheap_everything_is_granted(faces: int, fps: float) -> None:
    units: dict[Work, int] = {"search": 9, "near": faces, "read": faces}
    granted = a_second(teach(Schedule(), CHEAP), units, fps)
    for work, number in wanted(LIVE, units).items():
        # Nothing is done twice in one frame.
        assert granted[work] == pytest.approx(min(number, units[work] * fps), rel=0.05, abs=1)


@pytest.mark.parametrize(
    ("cost_s", "share_left"),
    [
        ({"search": 0.006, "near": 0.003, "read": 0.0025}, 1),
        ({"search": 0.02, "near": 0.003, "read": 0.0045}, 1),
        ({"search": 0.02, "near": 0.005, "read": 0.02}, 0),
        ({"search": 0.2, "near": 0.05, "read": 0.05}, 0),
    ],
)
def test_under_overload_the_least_rates_come_first(
    cost_s: Mapping[Work, float], share_left: int
) -> None:
    granted = a_second(teach(Schedule(LIVE, 0.5), cost_s), ROOM, 20, 20)
    least = {work: ROOM[work] / LIVE[work].least_s for work in WORK}
    most = wanted(LIVE, ROOM)
    cost = sum(granted[work] * cost_s[work] for work in WORK)
    if share_left:  # the least fits
        for work in WORK:
            assert 0.97 * least[work] - 0.2 <= granted[work] <= most[work] + 0.2
        assert cost >= 0.45, "what is left is used"
    else:  # it does not: all kinds are cut alike, and none starves
        shares = [granted[work] / least[work] for work in WORK]
        assert max(shares) < 1 and min(shares) > 0
        assert max(shares) == pytest.approx(min(shares), abs=0.05)
    assert cost <= 0.5 * 1.02 + 0.02


COSTS = [
    {"search": 0.006, "near": 0.003, "read": 0.0025},  # AVX2
    {"search": 0.02, "near": 0.006, "read": 0.01},
    {"search": 0.05, "near": 0.02, "read": 0.05},
    {"search": 0.3, "near": 0.1, "read": 0.2},
]


@pytest.mark.parametrize("overhead_s", [0.005, 0.04, 0.2])
@pytest.mark.parametrize("cost_s", COSTS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_nothing_spirals(cost_s: Mapping[Work, float], overhead_s: float, share: float) -> None:
    schedule = Schedule(LIVE, share)
    camera_s = 1 / 30
    time_s, passed_s, reads, intervals = 0.0, 0.0, 0, []
    while time_s < 20:
        plan = schedule.plan(time_s, ROOM)
        planned_s = sum(plan[work] * cost_s[work] for work in WORK)
        for work in WORK:
            schedule.spent(work, plan[work], plan[work] * cost_s[work])
        frame_s = max(overhead_s + planned_s, camera_s)
        if time_s > 8:  # by then it knows what things cost
            assert planned_s <= share * passed_s * 1.02 + sum(cost_s.values())
            intervals.append(frame_s)
            reads += plan["read"]
        time_s, passed_s = time_s + frame_s, frame_s
    late = np.array(intervals)
    unit_s = sum(cost_s.values())
    assert late.max() <= (overhead_s + unit_s) / (1 - share) + camera_s
    assert late.mean() <= max(overhead_s / (1 - share) * 1.05, camera_s * 1.05) + 0.5 * unit_s
    needs = sum(ROOM[work] / LIVE[work].least_s * cost_s[work] for work in WORK)
    if needs <= share and max(late) < 0.25:
        assert reads / late.sum() >= 2 * ROOM["read"], "every face twice a second where that fits"


@pytest.mark.parametrize(
    ("patches", "faces", "search_s", "least_per_s"),
    [(9, 25, 0.016, 2.0), (12, 50, 0.020, 1.0)],
    ids=["25 at 1280×720", "50 at 1920×1080"],
)
def test_on_two_avx2_cores_every_face_of_a_crowd_has_its_turn(
    patches: int, faces: int, search_s: float, least_per_s: float
) -> None:
    # With these costs 0.4 of the time gives 1.8 readings a second of each of 25, as measured.
    cost_s: Mapping[Work, float] = {"search": search_s, "near": 0.0055, "read": 0.0045}
    units: Mapping[Work, int] = {"search": patches, "near": faces, "read": faces}
    schedule, order = Schedule(), ReadingOrder()
    everyone = list(range(1, faces + 1))
    reads: dict[int, list[float]] = {face: [] for face in everyone}
    time_s = 0.0
    while time_s < 12:
        plan = schedule.plan(time_s, units)
        for work in WORK:
            schedule.spent(work, plan[work], plan[work] * cost_s[work])
        for face in order.choose(everyone, everyone, time_s, plan["read"]):
            reads[face].append(time_s)
        time_s += max(0.013 + sum(plan[work] * cost_s[work] for work in WORK), 1 / 30)
    late = [[read_s for read_s in own if read_s > 2] for own in reads.values()]
    assert min(len(own) for own in late) / 10 >= least_per_s
    assert max(np.diff(own).max() for own in late) <= 1.3 / least_per_s, "nobody waits for long"


def test_costs_seen_only_later_do_not_spiral_either() -> None:
    schedule = Schedule(LIVE, 0.5)
    time_s, frames = 0.0, []
    while time_s < 20:
        cost_s = {"search": 0.002, "near": 0.001, "read": 0.001 if time_s < 5 else 0.05}
        plan = schedule.plan(time_s, ROOM)
        for work in WORK:
            schedule.spent(work, plan[work], plan[work] * cost_s[work])
        frames.append(0.01 + sum(plan[work] * cost_s[work] for work in WORK))
        time_s += frames[-1]
    assert max(frames) <= 2.0, "a machine that slows down catches one bad frame"
    assert np.median(frames[-20:]) <= 0.15


@pytest.mark.parametrize("fps", [5, 25])
def test_without_a_share_the_plan_depends_on_the_media_time_alone(fps: float) -> None:
    fast, slow = for_files(), for_files()
    plans = []
    for number in range(5 * round(fps)):
        both = [schedule.plan(number / fps, ROOM) for schedule in (fast, slow)]
        for schedule, plan, cost in zip((fast, slow), both, (1e-6, 3.0), strict=True):
            for work in WORK:
                schedule.spent(work, plan[work], plan[work] * cost)
        plans.append(both)
    assert all(one == other for one, other in plans)
    granted = {work: sum(one[work] for one, _ in plans) / 5 for work in WORK}
    for work, number in wanted({**LIVE, "read": Rate(0.2, 0.2)}, ROOM).items():
        assert granted[work] == pytest.approx(number, rel=0.08, abs=1)


@pytest.mark.parametrize("share", [0.5, None])
@pytest.mark.parametrize("fps", [10, 30, 60])
def test_an_empty_room_is_searched_five_times_a_second_and_no_more(
    fps: float, share: float | None
) -> None:
    nobody: dict[Work, int] = {"search": 9, "near": 0, "read": 0}
    granted = a_second(teach(Schedule(LIVE, share), CHEAP), nobody, fps)
    assert 4.5 * 9 <= granted["search"] <= 5 * 9
    assert granted["near"] == granted["read"] == 0


@pytest.mark.parametrize("share", [0.5, None])
def test_long_gaps_are_not_caught_up(share: float | None) -> None:
    schedule = teach(Schedule(LIVE, share), CHEAP)
    schedule.plan(0.0, ROOM)
    after = schedule.plan(60.0, ROOM)
    assert all(after[work] <= ROOM[work] for work in WORK)
    soon = schedule.plan(60.04, ROOM)
    assert sum(soon.values()) <= sum(a_second(schedule, ROOM).values()) * 0.04 + 3


def test_the_first_frame_is_owed_nothing_and_neither_is_one_after_a_reset() -> None:
    schedule = teach(Schedule(), CHEAP)
    assert schedule.plan(7.0, ROOM) == dict.fromkeys(WORK, 0)
    schedule.plan(7.1, ROOM)
    schedule.reset()
    assert schedule.plan(99.0, ROOM) == dict.fromkeys(WORK, 0)


def test_what_nothing_of_was_done_tells_no_cost() -> None:
    one, other = Schedule(), Schedule()
    other.spent("read", 0, 5.0)
    assert a_second(one, ROOM) == a_second(other, ROOM)


@given(
    st.lists(
        st.tuples(st.floats(0, 3), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)),
        max_size=30,
    ),
    st.sampled_from([None, 0.2, 0.5, 0.9]),
    st.floats(1e-6, 10),
)
@settings(max_examples=60)
def test_no_frame_does_a_thing_twice_whatever_comes(
    frames: list[tuple[float, int, int, int]], share: float | None, cost_s: float
) -> None:
    schedule = Schedule(LIVE, share)
    time_s = 0.0
    for passed_s, *numbers in frames:
        time_s += passed_s
        units = dict(zip(WORK, numbers, strict=True))
        plan = schedule.plan(time_s, units)
        assert all(0 <= plan[work] <= units[work] for work in WORK)
        for work in WORK:
            schedule.spent(work, plan[work], plan[work] * cost_s)


@pytest.mark.parametrize("readings_per_s", [2.0, 5.0, 10.0])
@pytest.mark.parametrize("fps", [12.5, 25, 60])
def test_in_a_file_each_face_is_read_at_the_chosen_rate(readings_per_s: float, fps: float) -> None:
    granted = a_second(for_files(readings_per_s), ROOM, fps)
    assert granted["read"] == pytest.approx(ROOM["read"] * readings_per_s, abs=2)


def test_in_a_file_of_few_frames_every_face_is_read_in_every_frame() -> None:
    files = for_files(5)
    files.plan(0.0, ROOM)
    assert files.plan(2.0, ROOM) == ROOM  # a live picture would not catch up with two seconds
    assert Schedule().plan(2.0, ROOM) != ROOM


@pytest.mark.parametrize("readings_per_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(readings_per_s: float) -> None:
    with pytest.raises(EmorecError, match=r"Expected readings_per_s above 0\. Received"):
        for_files(readings_per_s)
