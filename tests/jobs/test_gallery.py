"""Who a face is, asked across the pipe between the app and the process that reads a video."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emorec.errors import EmorecError
from emorec.jobs.gallery import AskedGallery, answered
from emorec.people.matching import Match


class People:
    """A gallery of people by the first number of an embedding; 0 is nobody."""

    def match(self, faces):
        first = [int(face[0, 0]) for face in faces]
        if 99 in first:
            raise EmorecError("the store is away.")
        return [Match(who, f"person {who}", 0.1) if who else None for who in first]


def asked(gallery) -> tuple[AskedGallery, list[str]]:
    lines: list[str] = []

    def ask(question: list[str]) -> None:
        sent = json.loads(json.dumps(question))
        lines.append(answered(sent, gallery))

    return AskedGallery(ask, lambda: lines[-1]), lines


@pytest.mark.parametrize(("count", "questions"), [(0, 0), (1, 1), (100, 1), (250, 3)])
def test_each_face_gets_its_own_answer(count: int, questions: int) -> None:
    gallery, lines = asked(People())
    faces = [np.full((3, 128), number % 5, np.float32) for number in range(count)]
    assert gallery.match(faces) == People().match(faces)
    assert len(lines) == questions and all(len(line) < 10**6 for line in lines)


def test_an_error_of_the_store_reaches_the_process_that_asked() -> None:
    gallery, _ = asked(People())
    with pytest.raises(EmorecError, match="the store is away"):
        gallery.match([np.full((3, 128), 99, np.float32)])


@pytest.mark.parametrize("question", ["no list", ["no base64!"], ["QUJD"]])
def test_what_is_no_question_is_refused(question) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        answered(question, People())
