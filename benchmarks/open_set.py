"""Rates of right, wrong and missing names, averaged over random choices of the people enrolled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from emorec.people.nearest import Index
from emorec.people.rule import MARGIN, Embeddings, threshold

DRAWS = 20
"""Times that other people, and other pictures of them, are enrolled."""

_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Setting:
    """How many are enrolled, with how many pictures, and from how many pictures a face is named."""

    enrolled: int
    pictures: int
    asked: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One photograph.

    Attributes:
        person: whom it shows.
        asked: float32 of shape (128,), its embedding where it is to be named.
        enrolled: float32 of shape (128,), its embedding where it is enrolled.
        found: whether EmoRec finds a face in it.
        clear: whether that face is good enough to be enrolled and named.
    """

    person: str
    asked: npt.NDArray[np.float32]
    enrolled: npt.NDArray[np.float32]
    found: bool
    clear: bool


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What the search said of the same number of faces in every draw.

    Attributes:
        faces: how many in a draw.
        nearest: float64 (n,): the nearest person's distance; NaN for a face that is not clear.
        second: float64 (n,): the second person's distance.
        right: bool (n,): whether the nearest person is the right one; always False for strangers.
    """

    faces: float
    nearest: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    right: npt.NDArray[np.bool_]

    def named(self, near: float, margin: float = MARGIN) -> npt.NDArray[np.bool_]:
        """Return which faces get a name."""
        return (self.nearest < near) & (self.second - self.nearest >= margin)


def search(
    pictures: Sequence[Picture], setting: Setting, only_clear: bool, draws: int = DRAWS
) -> tuple[Answers, Answers]:
    """Return the search's results for other pictures of the people enrolled, and for strangers.

    If one picture is asked for, the strangers are the people with one picture in all; if several
    are asked for, they are people who are not enrolled in that draw.

    Args:
        pictures: of all people.
        setting: who is enrolled and asked for.
        only_clear: whether pictures without a clear face are neither enrolled nor named, as in the
            app; else all are.
        draws: number of random choices.
    """
    of: dict[str, list[Picture]] = {}
    for picture in pictures:
        of.setdefault(picture.person, []).append(picture)
    known = [person for person, own in of.items() if len(own) > 1]
    single = [own for own in of.values() if len(own) == 1]
    own_faces: list[tuple[float, float, bool]] = []
    other_faces: list[tuple[float, float, bool]] = []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        order = [known[number] for number in rng.permutation(len(known))]
        looks: dict[int, Embeddings] = {}
        asked: list[tuple[int, list[Picture]]] = []
        strangers = single if setting.asked == 1 else []
        for id_, person in enumerate(order, start=1):
            own = [of[person][number] for number in rng.permutation(len(of[person]))]
            if len(looks) == setting.enrolled:
                if setting.asked > 1:
                    strangers.append(own[: setting.asked])
                continue
            given, rest = own[: setting.pictures], own[setting.pictures :]
            usable = [picture for picture in given if picture.clear or not only_clear]
            if len(given) < setting.pictures or not usable:
                continue
            looks[id_] = np.stack([picture.enrolled for picture in usable])
            groups = range(0, len(rest) - setting.asked + 1, setting.asked)
            asked += [(id_, rest[start : start + setting.asked]) for start in groups]
        index = index_of(looks)
        own_faces += [_ask(index, face, id_, only_clear) for id_, face in asked]
        other_faces += [_ask(index, face, None, only_clear) for face in strangers]
    return _answers(own_faces, draws), _answers(other_faces, draws)


def rates(own: Answers, strangers: Answers, near: float, margin: float = MARGIN) -> dict[str, Any]:
    """Return the shares of faces named rightly and wrongly, each with its 95 % interval."""
    own_named, strange = own.named(near, margin), strangers.named(near, margin)
    return {
        "faces": round(own.faces),
        "named_rightly": share((own_named & own.right).mean(), own.faces),
        "misnamed": share((own_named & ~own.right).mean(), own.faces),
        "strangers": round(strangers.faces),
        "strangers_named": share(strange.mean(), strangers.faces),
    }


def share(rate: float, faces: float) -> list[float]:
    """Return a share and its 95 % interval (Wilson), for so many faces that are all different.

    The draws repeat the same faces: they make the share steadier, not the interval narrower.
    """
    spread = _Z * sqrt(rate * (1 - rate) / faces + _Z**2 / (4 * faces**2))
    middle = rate + _Z**2 / (2 * faces)
    below, above = ((middle + sign * spread) / (1 + _Z**2 / faces) for sign in (-1, 1))
    return [round(float(value), 5) for value in (rate, max(below, 0.0), min(above, 1.0))]


def pairs(pictures: Sequence[Picture], apart: float) -> dict[str, Any]:
    """Return the share of pairs of enrolled pictures that are at least this far apart."""
    people = np.array([picture.person for picture in pictures])
    faces = np.stack([picture.enrolled for picture in pictures])
    far = np.linalg.norm(faces[:, None] - faces[None], axis=2) >= apart
    upper = np.triu(np.ones(far.shape, dtype=bool), 1)
    same = people[:, None] == people[None]
    one, two = far[upper & same], far[upper & ~same]
    return {
        "apart": apart,
        "one_person": share(one.mean(), len(one)),
        "two_people": share(two.mean(), len(two)),
    }


def newcomers(pictures: Sequence[Picture], setting: Setting) -> dict[str, Any]:
    """Return the share of strangers for whom the enrolment warns that they resemble a person."""
    _, strangers = search(pictures, setting, only_clear=False)
    near = threshold(setting.enrolled)
    alike = (strangers.nearest >= near) & (strangers.nearest < near + MARGIN)
    return {"enrolled": setting.enrolled, "alike": share(alike.mean(), strangers.faces)}


def index_of(looks: Mapping[int, Embeddings]) -> Index:
    """Return what is searched where these embeddings, (n, 128) each, are enrolled by id."""
    ids = np.repeat(list(looks), [len(own) for own in looks.values()])
    return Index(0, {}, ids.astype(np.int64), np.concatenate(list(looks.values())))


def _ask(
    index: Index, face: Sequence[Picture], id_: int | None, only_clear: bool
) -> tuple[float, float, bool]:
    seen = [picture.asked for picture in face if picture.clear or not only_clear]
    found = index.nearest(np.stack(seen)) if seen else None
    if found is None:
        return np.nan, np.nan, False
    person, nearest, second = found
    return nearest, second, person == id_


def _answers(faces: Sequence[tuple[float, float, bool]], draws: int) -> Answers:
    nearest, second, right = zip(*faces, strict=True)
    return Answers(
        len(faces) / draws, np.array(nearest), np.array(second), np.array(right, dtype=bool)
    )
