"""One press counts once, also where Streamlit runs its callback twice."""

from __future__ import annotations

import pytest

from emorec.pages.parts import press
from emorec.pages.parts.visit import Visit


def test_a_second_call_right_after_the_first_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def toggle(name: str) -> None:
        seen.append(name)

    def other() -> None:
        seen.append("other")

    seen: list[str] = []
    now_s, visit = [100.0], Visit()
    monkeypatch.setattr(press, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(press, "visit", lambda: visit)
    for passed_s, expected in ((0.0, ["a"]), (0.14, ["a"]), (2.0, ["a", "a"])):
        now_s[0] += passed_s
        press.once(toggle)("a")
        assert seen == expected
    press.once(other)()
    assert seen == ["a", "a", "other"], "each button for itself"
