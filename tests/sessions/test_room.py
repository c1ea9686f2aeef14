"""What may be told of a room: the formulas, the fewest faces, and chance."""

from __future__ import annotations

import numpy as np
import pytest

from emorec.sessions import room
from emorec.sessions.aggregator import Aggregator
from emorec.sessions.face_history import baseline
from emorec.sessions.room import groups_only, measures, mood, synchrony, trimmed_mean
from testkit.room import frame, happy


def played(shares, rate: int = 5):
    """Return the seconds of faces whose valence is given by second and face; None = unreadable."""
    aggregator = Aggregator()
    for second, row in enumerate(shares):
        for part in range(rate):
            shown = {i + 1: None if v is None else happy(v) for i, v in enumerate(row)}
            aggregator.add(frame(second + part / rate, shown))
    aggregator.end()
    return aggregator.finished()


@pytest.mark.parametrize(
    ("values", "mean"),
    [([1.0], 1.0), ([0, 1, 2, 3], 1.5), ([-100, 1, 2, 3, 100], 2.0), ([9, 0, 1, 1, 1, 1], 1.0)],
)
def test_a_fifth_at_each_end_does_not_count(values, mean) -> None:
    assert trimmed_mean(np.array(values, float)) == pytest.approx(mean)


@pytest.mark.parametrize(
    ("faces", "line", "band"), [(0, 0, 0), (2, 0, 0), (3, 1, 0), (4, 1, 0), (5, 1, 1)]
)
def test_nothing_is_told_of_too_few_faces(faces: int, line: int, band: int) -> None:
    told = [not np.isnan(value) for value in mood(np.linspace(-1, 1, faces))]
    assert told == [bool(line), bool(band), bool(band)]


def test_the_mood_line_begins_with_each_faces_own_baseline() -> None:
    rest = [[-0.4, 0.0, 0.2, 0.5, 0.1]] * 31
    better = [[-0.2, 0.2, 0.4, 0.7, 0.3]] * 5
    told = measures(played(rest + better))
    assert np.isnan(told.mood[:4]).all() and told.mood_faces[:4].max() == 0
    assert told.mood[5] == told.mood[30] == pytest.approx(0.0, abs=1e-6)
    assert told.mood[-1] == pytest.approx(0.2, abs=1e-5) and told.mood_faces[-1] == 5
    assert told.mood_low[-1] == pytest.approx(0.2, abs=1e-5)


def test_a_face_that_came_late_counts_when_its_own_five_seconds_are_over() -> None:
    told = measures(played([[0.1] * 3] * 20 + [[0.1] * 4] * 40))
    assert told.mood_faces[23] == 3 and told.mood_faces[25] == 4


def test_a_baseline_grows_surer_until_its_half_minute_is_over() -> None:
    told = measures(played([[0.0] * 3] * 10 + [[0.4] * 3] * 25 + [[0.1] * 3] * 40))
    assert told.mood[12] == pytest.approx(0.4, abs=1e-5), "against the first ten seconds"
    assert told.mood[31] == pytest.approx(0.0, abs=1e-5), "most of the half-minute was like this"
    assert told.mood[74] == pytest.approx(-0.3, abs=1e-5), "and it does not change any more"


def test_a_smile_is_more_than_a_faces_own_custom_and_lasts_half_a_second() -> None:
    cheerful = baseline(np.zeros(9), np.array([0.6, 0.8] * 4 + [0.7]))
    assert cheerful.smile_over == pytest.approx(0.9)
    assert baseline(np.zeros(5), np.full(5, 0.2)).smile_over == pytest.approx(0.3)
    rest = [[0.0, 0.5, 0.0]] * 31
    told = measures(played([*rest, [0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.0]], rate=10))
    assert told.smile[30] == 0.0
    assert told.smile[31] == pytest.approx(0.5 / 3, abs=0.01)  # the second half of the second
    assert told.smile[32] == pytest.approx(1 / 3, abs=0.01)
    assert told.smile[33] == 0.0


def test_shares_and_what_could_not_be_read() -> None:
    told = measures(played([[1.0, 1.0, -1.0, None], [1.0, 1.0, None, None], [None] * 4]))
    assert told.shares[0].tolist() == pytest.approx([0, 0, 0, 2 / 3, 1 / 3, 0, 0])
    assert np.isnan(told.shares[1:]).all()
    assert told.unreadable.tolist() == pytest.approx([0.25, 0.5, 1.0])
    assert told.in_view.tolist() == [4, 4, 4] and told.faces.tolist() == [3, 2, 0]


def test_group_only_leaves_out_what_fewer_than_three_faces_showed() -> None:
    seconds = played([[0.1] * 3, [0.1] * 2, [0.1] * 5])
    assert groups_only(seconds)["second"].tolist() == [0, 2]


def test_faces_that_move_together_are_above_chance() -> None:
    course = np.sin(np.arange(30) / 3)[:, None]
    noise = np.random.default_rng(1).normal(0, 0.3, (30, 6))
    value, chance, faces = synchrony(course + noise, seed=0)
    assert value > 0.7 and value > chance and faces == 6
    assert np.isnan(synchrony(np.zeros((30, 6)), 0)[0]), "faces that do not change"
    assert synchrony(noise[:, :2], 0)[2] == 2 and np.isnan(synchrony(noise[:, :2], 0)[0])


def test_synchrony_is_the_mean_correlation_with_the_mean_of_the_others() -> None:
    valence = np.random.default_rng(3).normal(size=(30, 4))
    plain = [
        np.corrcoef(valence[:, i], np.delete(valence, i, axis=1).mean(axis=1))[0, 1]
        for i in range(4)
    ]
    assert synchrony(valence, 0)[0] == pytest.approx(np.mean(plain))


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_independent_faces_are_above_chance_in_five_of_a_hundred_windows(memory: float) -> None:
    """The surrogates keep each face's own course, so faces with a memory do not alarm oftener."""
    draw = np.random.default_rng(7)
    windows, alarms = 400, 0
    for seed in range(windows):
        noise = draw.normal(size=(60, 6))
        for t in range(1, 60):
            noise[t] += memory * noise[t - 1]
        value, chance, _ = synchrony(noise[-30:], seed)
        alarms += value > chance
    # 95 % of binomial(400, 0.05) lie in 12 to 29; 8 to 36 hold 99.9 %.
    assert 8 <= alarms <= 36


def test_a_window_needs_faces_that_were_there() -> None:
    seconds = [(t, {1: 0.1 * t, 2: 0.5} | ({3: 0.2} if t > 40 else {})) for t in range(60)]
    found = room.window(seconds, 59)
    assert found.shape == (30, 2)
    assert found[0, 0] == pytest.approx(3.0)
    assert room.window(seconds[:10], 9).shape == (30, 0)
    gap = [(t, own) for t, own in seconds if t not in (45, 46)]
    assert room.window(gap, 59)[15, 0] == pytest.approx(4.5)  # between its neighbours
