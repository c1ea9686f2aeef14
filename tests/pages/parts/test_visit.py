"""What the pages keep of a visitor: found by its kind, and forgotten with the consent."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import streamlit as st

import emorec.pages
from emorec.pages import about, gate, model
from emorec.pages.live import page as live
from emorec.pages.live import webrtc
from emorec.pages.parts import engine, keeping
from emorec.pages.parts.visit import State, Visit, visit
from emorec.pages.people import page as people
from emorec.pages.photo import page as photo

PAGES = (about, gate, live, model, people, photo)


@dataclass
class HeartRate(State):
    """A kind of state that no page knows yet, added as every page adds its own."""

    beats: list[float] = field(default_factory=list)
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


class Language(State):
    """A kind that a visitor keeps."""

    outlives_consent = True
    closed = False

    def close(self) -> None:
        self.closed = True


def kinds(base: type[State] = State) -> set[type[State]]:
    own = {kind for kind in base.__subclasses__() if kind.__module__.startswith("emorec.")}
    return own.union(*(kinds(kind) for kind in own))


def test_a_kind_is_made_at_the_first_call_and_is_the_visitors_own() -> None:
    one, other = Visit(), Visit()
    one.state(HeartRate).beats.append(1.0)
    assert one.state(HeartRate).beats == [1.0]
    assert other.state(HeartRate).beats == []


def test_a_new_kind_of_state_is_forgotten_and_closed_unless_it_says_that_it_stays() -> None:
    kept = Visit()
    heart, language = kept.state(HeartRate), kept.state(Language)
    heart.beats.append(1.0)
    kept.forget()
    kept.forget()
    assert kept.state(HeartRate).beats == []
    assert heart.closed == 1
    assert kept.state(Language) is language
    assert not language.closed


def test_all_is_forgotten_even_where_one_kind_cannot_be_closed() -> None:
    class Stuck(State):
        def close(self) -> None:
            raise RuntimeError("stuck")

    kept = Visit()
    kept.state(Stuck)
    kept.state(HeartRate).beats.append(1.0)
    with pytest.raises(RuntimeError, match="stuck"):
        kept.forget()
    assert kept.state(HeartRate).beats == []


def test_one_kind_can_be_dropped_alone() -> None:
    kept = Visit()
    heart, language = kept.state(HeartRate), kept.state(Language)
    for _ in range(2):
        kept.drop(Language)
    assert language.closed
    assert kept.state(Language) is not language
    assert kept.state(HeartRate) is heart


def test_only_these_kinds_outlive_the_consent() -> None:
    assert PAGES  # each has told its kinds by being imported
    staying = {kind for kind in kinds() if kind.outlives_consent}
    assert staying == {engine.ChosenModel, keeping.Browser, webrtc.TimesLeft}
    assert len(kinds()) > len(staying)
    for kind in kinds():
        kind()  # takes no arguments


def test_a_session_has_one_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    first = visit()
    assert visit() is first
    monkeypatch.setattr(st, "session_state", {})
    assert visit() is not first


READS = {"get", "resolution"}  # the last is a widget's


def writes(source: str) -> list[str]:
    """Return the lines that do more with the session state than read one value of it."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(ast.parse(source)):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Attribute) and child.attr == "session_state":
                reads = isinstance(getattr(node, "ctx", None), ast.Load) and (
                    isinstance(node, ast.Subscript)
                    or (isinstance(node, ast.Attribute) and node.attr in READS)
                )
                if not reads:
                    found.append(lines[child.lineno - 1].strip())
    return found


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("", False),
        ("x = st.session_state['a']", False),
        ("x = st.session_state.get('a')", False),
        ("x = st.session_state.resolution", False),
        ("st.session_state['a'] = 1", True),
        ("st.session_state.a = 1", True),
        ("del st.session_state['a']", True),
        ("st.session_state.setdefault('a', 1)", True),
        ("state = st.session_state", True),
    ],
)
def test_writes_to_the_session_state_are_seen(source: str, seen: bool) -> None:
    assert bool(writes(source)) == seen


def test_pages_keep_nothing_beside_the_visit_and_widgets() -> None:
    folder = Path(emorec.pages.__file__).parent
    found = {
        path.relative_to(folder).as_posix(): lines
        for path in folder.rglob("*.py")
        if (lines := writes(path.read_text(encoding="utf-8")))
    }
    # Keys of widgets, and nothing else.
    assert found.keys() == {
        "parts/visit.py",
        "parts/language.py",
        "live/connection.py",
        "live/stage.py",
    }
    assert found["parts/language.py"] == ["state = st.session_state"], "of a choice among words"
    opens, closes = found["live/connection.py"]
    assert opens == "st.session_state[POPOVER] = True"
    assert closes == "st.session_state[POPOVER] = False"
    (line,) = found["live/stage.py"]
    assert line.startswith('st.session_state.setdefault("resolution", ')
