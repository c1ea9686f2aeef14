"""Names of a live stream: when one is given, withdrawn and forgotten; no real face is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from emorec.calibration.examples import Examples
from emorec.errors import EmorecError
from emorec.live import names as module
from emorec.live.names import LiveNames
from emorec.model.evaluation import Weights
from emorec.people import followed
from emorec.people.matching import Match
from emorec.records import Box, Face, FrameResult, unclassified

PICTURE = np.zeros((100, 100, 3), np.uint8)
PEOPLE = {1: "Ada", 2: "Grace"}


class Faces:
    """An embedder whose embedding says who is at a place: the box's left edge tells which."""

    def __init__(self, shows: dict[int, int]) -> None:
        self.shows = shows  # person by left edge; 0 = a stranger
        self.looks = 0
        self.broken = False

    def embed(self, image_bgr, boxes_xyxy):
        self.looks += 1
        if self.broken:
            raise EmorecError("out of order")
        return np.eye(128, dtype=np.float32)[[self.shows[int(box[0])] for box in boxes_xyxy]]


class Known:
    """A gallery that knows a person by where the embedding's only 1 stands."""

    def __init__(self) -> None:
        self.people = dict(PEOPLE)

    def match(self, faces):
        said = [np.unique(face.argmax(axis=1)).tolist() for face in faces]
        return [
            Match(ids[0], self.people[ids[0]], 0.1)
            if len(ids) == 1 and ids[0] in self.people
            else None
            for ids in said
        ]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"_SOON_S": 0.01, "_SELDOM_S": 0.05}.items():
        monkeypatch.setattr(followed, name, seconds)
    for name in ("_PATIENCE_S", "_REST_S"):
        monkeypatch.setattr(module, name, 0.05)


@pytest.fixture
def make():
    made: list[LiveNames] = []

    def make_names(faces: Faces, known: Known, examples=None) -> LiveNames:
        made.append(LiveNames(faces, known, examples))
        return made[-1]

    yield make_names
    for names in made:
        names.stop(wait_s=10)
    for thread in threading.enumerate():
        if thread.name == "emorec-names":
            thread.join(10)
            assert not thread.is_alive()


def seen(*lefts: int, width: int = 60, unreadable: str | None = None) -> FrameResult:
    nothing = unclassified()
    faces = tuple(
        Face(number, Box(left, 0, left + width, 60), 1.0, 0, 0, nothing, nothing, None, (0, 0))
        if unreadable is None
        else Face(
            number,
            Box(left, 0, left + width, 60),
            1,
            0,
            0,
            nothing,
            nothing,
            None,
            (0, 0),
            unreadable,
        )
        for number, left in enumerate(lefts, start=1)
    )
    return FrameResult(0, 0.0, (100, 100), faces)


def until(names: LiveNames, result: FrameResult, holds: Callable[[], bool], s: float = 20) -> bool:
    """Offer the frame again and again until it holds."""
    end = time.monotonic() + s
    while not holds() and time.monotonic() < end:
        names.named(PICTURE, result)
        time.sleep(0.005)
    return holds()


def test_nobody_in_view_and_nothing_offered(make) -> None:
    names = make(Faces({}), Known())
    assert names.of(1) is None
    names.named(PICTURE, seen())
    assert names.named(PICTURE, seen()).faces == ()
    names.stop()
    names.stop()


def test_a_name_needs_three_agreeing_looks_and_strangers_have_none(make) -> None:
    faces = Faces({0: 1, 10: 0})
    names = make(faces, Known())
    given_after = []
    real = faces.embed

    def embed(image, boxes):
        given_after.append(names.of(1))
        return real(image, boxes)

    faces.embed = embed
    assert until(names, seen(0), lambda: names.of(1) == "Ada")
    assert given_after[:3] == [None] * 3
    assert until(names, seen(0, 10), lambda: faces.looks > 12)
    assert names.of(2) is None
    assert [face.name for face in names.named(PICTURE, seen(0, 10)).faces] == ["Ada", None]


def test_examples_go_with_the_name_and_wait_while_it_is_doubted(make) -> None:
    of_ada, of_grace = (
        Examples(
            model=Weights(name="elu", sha256=letter * 64),
            counts={},
            network_share=1.0,
            weights=((0.0,),) * 7,
        )
        for letter in "ab"
    )
    kept = {1: of_ada, 2: of_grace}
    faces = Faces({0: 1, 10: 0})
    names = make(faces, Known(), kept.get)
    assert names.examples_of(1) is None and names.person_of(1) is None
    assert until(names, seen(0, 10), lambda: names.examples_of(1) is of_ada)
    assert names.person_of(1) == 1 and names.examples_of(2) is None
    of_name = []  # what the examples were while the name was still Ada's, though somebody else came
    faces.shows[0] = 2
    assert until(
        names,
        seen(0),
        lambda: bool(of_name.append(names.examples_of(1))) or names.examples_of(1) is of_grace,
    )
    assert None in of_name and names.of(1) == "Grace"
    del kept[2]  # forgotten: within a moment
    assert until(names, seen(0), lambda: names.examples_of(1) is None)
    assert names.of(1) == "Grace"
    names.stop()
    assert names.person_of(1) is None


def test_looks_that_disagree_withdraw_a_name(make) -> None:
    faces = Faces({0: 1})
    names = make(faces, Known())
    assert until(names, seen(0), lambda: names.of(1) == "Ada" and faces.looks >= 5)
    faces.shows[0] = 2
    assert until(names, seen(0), lambda: names.of(1) == "Grace")
    faces.shows[0] = 0
    assert until(names, seen(0), lambda: names.of(1) is None)


def test_nobody_is_in_two_places(make) -> None:
    faces = Faces({0: 1, 10: 1})
    names = make(faces, Known())
    assert until(names, seen(0, 10), lambda: faces.looks >= 12)
    assert sorted([names.of(1) or "", names.of(2) or ""]) == ["", "Ada"]


@pytest.mark.parametrize("change", ["delete", "rename"])
def test_whoever_is_deleted_loses_the_name_even_where_no_frame_comes(make, change) -> None:
    known = Known()
    names = make(Faces({0: 1}), known)
    assert until(names, seen(0), lambda: names.of(1) == "Ada")
    known.people = {} if change == "delete" else {1: "Augusta"}
    end = time.monotonic() + 20
    wanted = None if change == "delete" else "Augusta"
    while names.of(1) != wanted and time.monotonic() < end:
        time.sleep(0.01)
    assert names.of(1) == wanted


def test_faces_that_say_little_are_not_looked_at(make) -> None:
    faces = Faces({0: 1})
    names = make(faces, Known())
    for result in (seen(0, width=30), seen(0, unreadable="too blurred")):
        for _ in range(20):
            names.named(PICTURE, result)
            time.sleep(0.005)
    assert faces.looks == 0


def test_settled_faces_are_looked_at_seldom(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "_SELDOM_S", 60.0)
    faces = Faces({0: 1})
    names = make(faces, Known())
    assert until(names, seen(0), lambda: names.of(1) == "Ada")
    for _ in range(50):
        names.named(PICTURE, seen(0))
        time.sleep(0.005)
    assert faces.looks == 3


def test_a_face_that_has_left_is_forgotten(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "_FORGOTTEN_S", 0.05)
    names = make(Faces({0: 1}), Known())
    assert until(names, seen(0), lambda: names.of(1) == "Ada")
    assert until(names, seen(), lambda: names.of(1) is None)


def test_an_error_is_told_and_over_when_it_is_mended(make) -> None:
    faces = Faces({0: 1})
    names = make(faces, Known())
    faces.broken = True
    assert until(names, seen(0), lambda: names.error == "out of order")
    assert names.of(1) is None
    faces.broken = False
    assert until(names, seen(0), lambda: names.of(1) == "Ada")
    assert names.error is None


def test_an_offer_never_waits_and_a_stop_forgets_at_once(make) -> None:
    faces, gate = Faces({0: 1}), threading.Event()
    real = faces.embed
    faces.embed = lambda image, boxes: (gate.wait(20), real(image, boxes))[1]
    names = make(faces, Known())
    for _ in range(100):
        names.named(PICTURE, seen(0))  # with a look that takes for ever
    names.stop()
    gate.set()
    assert names.of(1) is None
