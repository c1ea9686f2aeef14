from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.malformed import CHANGES, damage, main, originals, outcome

FILES = originals()


@pytest.mark.parametrize("name", FILES)
def test_what_is_whole_is_read(name: str) -> None:
    assert outcome(FILES[name]) == "read"


@settings(max_examples=100)
@given(
    name=st.sampled_from(sorted(FILES)),
    other=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_what_is_damaged_gives_a_picture_or_one_line(
    name: str, other: str, changes: list[str], seed: int
) -> None:
    data, random = FILES[name], Random(seed)
    for change in changes:
        data = damage(data or b"\0", change, random, FILES[other])
    assert outcome(data) in ("read", "refused")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert outcome(data) == "refused"


def test_what_must_not_happen_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(data: bytes, name: str) -> None:
        raise ValueError("no ImageError")

    assert main(["--count", "15"]) == 0
    monkeypatch.setattr("benchmarks.malformed.read_photo", broken)
    assert main(["--count", "15"]) == 1
    assert "15  ValueError: no ImageError" in capsys.readouterr().out
