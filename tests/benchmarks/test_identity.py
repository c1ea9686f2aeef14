from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sqlalchemy")

from benchmarks import identity
from benchmarks.open_set import Picture, Setting, newcomers, pairs, rates, search, share
from benchmarks.stays import long_tracks
from emorec.people import enrolment
from emorec.people.nearest import SIZE
from emorec.people.rule import threshold

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RESULTS = sorted((BENCHMARKS / "results").glob("*-identity.json"))


def people(count: int, each: int, shake: float, seed: int = 0, name: str = "p") -> list[Picture]:
    """Return pictures of people who are far from each other, and near themselves."""
    draw = np.random.default_rng(seed)
    found = []
    for person in range(count):
        face = draw.normal(0, 1, SIZE) / np.sqrt(SIZE)
        for _ in range(each):
            seen = (face + draw.normal(0, shake / np.sqrt(SIZE), SIZE)).astype(np.float32)
            found.append(Picture(f"{name}{person}", seen, seen, found=True, clear=True))
    return found


CLEAR = [*people(20, 5, 0.15), *people(30, 1, 0.0, seed=1, name="s")]


@pytest.mark.parametrize("setting", [Setting(10, 1), Setting(10, 3), Setting(10, 2, asked=3)])
def test_people_who_are_easily_told_apart_are(setting: Setting) -> None:
    measured = rates(*search(CLEAR, setting, only_clear=True, draws=3), threshold(10))
    assert measured["named_rightly"][0] == 1 and measured["misnamed"][0] == 0
    assert measured["strangers_named"][0] == 0
    assert measured["strangers"] == (30 if setting.asked == 1 else 10)
    assert measured["faces"] == 10 * ((5 - setting.pictures) // setting.asked)


def test_people_whose_pictures_differ_too_much_are_missed_and_near_strangers_are_named() -> None:
    vague = [*people(20, 5, 1.5), *people(30, 1, 0.0, seed=1, name="s")]
    own, strangers = search(vague, Setting(10, 1), only_clear=True, draws=3)
    assert rates(own, strangers, threshold(10))["named_rightly"][0] < 0.1
    assert rates(own, strangers, 2.0, margin=0.0)["strangers_named"][0] == 1
    assert 0 < rates(own, strangers, 2.0, margin=0.0)["misnamed"][0] < 1


def test_a_face_that_is_not_clear_is_missed_and_not_enrolled() -> None:
    dim = [
        Picture(one.person, one.asked, one.enrolled, found=False, clear=False)
        if row % 5 == 0
        else one
        for row, one in enumerate(people(20, 5, 0.15))
    ]
    app, every = (
        rates(*search([*dim, *CLEAR[100:]], Setting(10, 1), only_clear=only), threshold(10))
        for only in (True, False)
    )
    assert every["named_rightly"][0] == 1
    assert app["named_rightly"][0] == pytest.approx(0.75, abs=0.001)  # 1 of 4 others is not found


def test_shares_have_wilsons_interval() -> None:
    assert share(0.0, 200) == [0.0, 0.0, pytest.approx(0.0188, abs=1e-4)]
    assert share(0.5, 100) == pytest.approx([0.5, 0.4038, 0.5962], abs=1e-4)


@pytest.mark.long
def test_pairs_newcomers_and_those_who_stay_are_counted() -> None:
    assert pairs(CLEAR, 0.7)["one_person"][0] == 0 and pairs(CLEAR, 0.7)["two_people"][0] == 1
    assert newcomers(CLEAR, Setting(10, 3))["alike"][0] == 0
    stay = long_tracks(CLEAR, 10)
    assert (stay["first"][0], stay["by_one"][0], stay["by_rule"][0]) == (0, 0, 0)
    near = [
        Picture(f"s{row}", one.asked, one.enrolled, found=True, clear=True)
        for row, one in enumerate(CLEAR[:100:5])
    ]
    assert long_tracks([*CLEAR[:100], *near], 20)["by_rule"][0] == 1  # they are enrolled in truth


def test_without_the_pictures_it_says_what_it_needs(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        with pytest.raises(SystemExit, match=r"names\.csv"):
            identity.read(folder)


def test_halves_hold_everybody_once() -> None:
    one, two = (identity.half(CLEAR, number) for number in (0, 1))
    assert len(one) == len(two) == 65
    assert not {own.person for own in one} & {own.person for own in two}


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_readme_shows_the_newest_result(file: Path) -> None:
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    shown = readme.split(f"<!-- results/{file.name} -->\n")[1].split("\n<!-- end -->")[0]
    assert shown == identity.tables(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", RESULTS[-1:], ids=lambda file: file.name)
def test_the_docs_and_enrolment_say_what_the_newest_result_says(file: Path) -> None:
    report = json.loads(file.read_text(encoding="utf-8"))
    docs = (BENCHMARKS.parent / "docs" / "names.md").read_text(encoding="utf-8")
    for key in ("all_pictures", "as_the_app"):
        rows = [row for row in report[key] if row["enrolled"] == 40 and row["pictures"] < 5]
        assert len(rows) == 4
        for row in rows:
            assert identity.row_of(row) in docs
    assert round(100 * report["pairs"]["one_person"][0]) == enrolment.FAR_OF_ONE
    assert round(100 * report["pairs"]["two_people"][0]) == enrolment.FAR_OF_TWO
    assert round(100 * report["newcomers"]["alike"][0]) == enrolment.ALIKE_OF_NEW
