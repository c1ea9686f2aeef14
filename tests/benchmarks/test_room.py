"""The room of people: who is taken into it, how it is painted, and what is counted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from benchmarks.room import counted, portraits, room, tables
from emorec.paths import CASCADE


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of one face in colour and in grey, of nobody, and of no picture at all."""
    folder = tmp_path_factory.mktemp("photos")
    photo = skimage.data.astronaut()[0:260, 100:360, ::-1]
    for number in range(2):
        cv2.imwrite(str(folder / f"colour{number}.png"), photo[10 * number :])
        gray = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
        cv2.imwrite(str(folder / f"grey{number}.png"), gray[10 * number :])
    cv2.imwrite(str(folder / "nobody.png"), skimage.data.brick())
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.mark.parametrize("colour", [False, True])
def test_one_face_a_photograph_is_taken_grey_and_in_colour_apart(photos, colour):
    people = portraits(photos, 2, colour)
    for image, side in people:
        spread = np.ptp(image.astype(int), axis=2).mean()
        assert (spread > 5) == colour and 60 < side < min(image.shape[:2])


def test_a_folder_without_enough_faces_is_told(photos):
    with pytest.raises(SystemExit, match="has 2 clear faces, 25 are wanted"):
        portraits(photos, 25, colour=True)


def test_everybody_is_in_the_room_at_the_size_that_is_said(photos):
    people = portraits(photos, 2, colour=True) * 13
    pictures = list(room(people[:25], (1280, 720), 4))
    assert len(pictures) == 4 and pictures[0].shape == (720, 1280, 3)
    cascade = cv2.CascadeClassifier(str(CASCADE))
    gray = cv2.cvtColor(pictures[2], cv2.COLOR_BGR2GRAY)
    boxes = cascade.detectMultiScale(gray, 1.1, 5, minSize=(70, 70))
    assert len(boxes) >= 24
    assert 85 < np.median([box[2] for box in boxes]) < 110


def note(at_s, **told):
    return {
        "at_s": at_s,
        "faces": None,
        "drawn": None,
        "read": None,
        "received": None,
        "shown": None,
    } | told


def test_what_was_counted_is_told():
    sent = {
        "sent_size": [1280, 720],
        "sent_bytes": 1000,
        "sent_frames": 10,
        "limited_s": {"none": 1.0, "bandwidth": 0.0},
    }
    notes = [
        note(1.0),
        note(2.0, shown=0, **sent),
        note(
            4.0,
            faces="24",
            drawn="15",
            read="6",
            received=[1280, 720],
            shown=30,
            **sent | {"sent_bytes": 501_000, "sent_frames": 60},
        ),
    ]
    told = counted(notes, {"summary": {"faces_seen": 2}})
    assert (told["found_mean"], told["found_least"], told["found_most"]) == (8.0, 0, 24)
    assert (told["ids"], told["shown_per_s"], told["sent_per_s"]) == (2, 15.0, 25.0)
    assert (told["drawn_per_s"], told["read_per_s"], told["sent_kbit_per_s"]) == (5.0, 2.0, 2000)
    assert told["received_sizes"] == {"1280x720": 0.33, "none": 0.67}
    report = {"people": 25, "rooms": {"grey": {**told, "app_cores": 1.2}}}
    assert "| 25 people, grey | 8.0 | 0 | 24 | 2 | 5.0 | 15.0 | 2.0 |" in tables(report)
    with pytest.raises(SystemExit, match="never sent"):
        counted(notes[:1], {})
