"""Labelled faces are read from every layout people have; what is broken is named by its row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emorec.errors import DataError
from emorec.training.data import FaceSet, joined, load, without_faces_of

FACES = np.random.default_rng(0).integers(0, 256, (6, 48, 48)).astype(np.uint8)
USAGES = ["Training", "Training", "Training", "PublicTest", "PrivateTest", "Training"]
LABELS = [0, 3, 6, 2, 5, 1]


def text_of(face: np.ndarray) -> str:
    return " ".join(map(str, face.ravel()))


def fer2013(path: Path, header: str, columns: str) -> Path:
    """Write the six faces; ``columns`` is the order of emotion, pixels and usage."""
    lines = [header]
    for label, face, usage in zip(LABELS, FACES, USAGES, strict=True):
        values = {"e": str(label), "p": text_of(face), "u": usage}
        lines.append(",".join(values[column] for column in columns))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def votes(path: Path, usages: list[str]) -> Path:
    header = (
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    )
    rows = [f"{usage},{i}.png,{i},0,0,0,9,0,0,0,1,0" for i, usage in enumerate(usages)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("emotion,pixels,Usage", "epu"),
        ("emotion, Usage, pixels", "eup"),
        ("\ufeffemotion,pixels,Usage", "epu"),
        ("Usage,Emotion,Pixels", "uep"),
    ],
    ids=["fer2013", "icml_face_data", "byte order mark", "another order"],
)
def test_every_csv_variant_is_read(tmp_path: Path, header: str, columns: str) -> None:
    splits = load(fer2013(tmp_path / "faces.csv", header, columns))
    assert {name: len(faces) for name, faces in splits.items()} == {
        "Training": 4,
        "PublicTest": 1,
        "PrivateTest": 1,
    }
    np.testing.assert_array_equal(splits["Training"].faces, FACES[[0, 1, 2, 5]])
    assert splits["Training"].labels.tolist() == [0, 3, 6, 1]
    assert splits["PrivateTest"].labels.tolist() == [5]
    assert splits["Training"].votes is None


def test_without_usage_everything_is_for_training(tmp_path: Path) -> None:
    splits = load(fer2013(tmp_path / "faces.csv", "emotion,pixels", "ep"))
    assert list(splits) == ["Training"] and len(splits["Training"]) == 6


GOOD = text_of(FACES[0])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no labelled face"),
        ("emotion,pixels,Usage\n", "no labelled face"),
        (f"label,pixels\n0,{GOOD}\n", "Missing: emotion"),
        (f"emotion,picture\n0,{GOOD}\n", "Missing: pixels"),
        (f"emotion,pixels\n0,{GOOD}\n7,{GOOD}\n", "row 3: emotion is '7'"),
        (f"emotion,pixels\n,{GOOD}\n", "row 2: emotion is ''"),
        (f"emotion,pixels\nhappy,{GOOD}\n", "row 2: emotion is 'happy'"),
        (f"emotion,pixels\n-1,{GOOD}\n", "row 2: emotion is '-1'"),
        (f"emotion,pixels\n0,{GOOD}\n0,1 2 3\n", "row 3: 3 pixels, expected 2304"),
        (f"emotion,pixels\n0,{GOOD} 1\n", "row 2: 2305 pixels"),
        ("emotion,pixels\n0,\n", "row 2: 0 pixels"),
        ("emotion,pixels\n0\n", "row 2: 0 pixels"),
        (f"emotion,pixels\n0,{GOOD[:-3]} x\n", "row 2: pixels must be whole numbers"),
        ("emotion,pixels\n0," + "256 " * 2304 + "\n", "row 2: pixels must be whole numbers"),
        ("emotion,pixels\n0," + "-1 " * 2304 + "\n", "row 2: pixels must be whole numbers"),
        (f"emotion,pixels,Usage\n0,{GOOD},Test\n", "row 2: Usage is 'Test'"),
    ],
)
def test_a_broken_csv_is_named_by_its_row(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(content)
    with pytest.raises(DataError) as raised:
        load(path)
    message = str(raised.value)
    assert message.startswith(str(path)) and says in message and "\n" not in message


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        load(tmp_path / "faces.csv")


@pytest.mark.parametrize("column", ["person", "Subject"])
def test_a_column_says_whose_faces_they_are(tmp_path: Path, column: str) -> None:
    path = tmp_path / "faces.csv"
    path.write_text(f"emotion,pixels,{column}\n3,{GOOD},ada\n4,{GOOD},bob\n")
    faces = load(path)["Training"]
    assert faces.people is not None and faces.people.tolist() == ["ada", "bob"]
    assert faces.take(np.array([1])).people.tolist() == ["bob"]
    path.write_text(f"emotion,pixels,{column}\n3,{GOOD},ada\n4,{GOOD},\n")
    assert load(path)["Training"].people is None  # not known of every face


def test_splits_are_joined(tmp_path: Path) -> None:
    path = fer2013(tmp_path / "faces.csv", "emotion,pixels,Usage", "epu")
    every = joined(load(path, votes(tmp_path / "fer2013new.csv", USAGES)))
    assert sorted(every.labels.tolist()) == sorted(LABELS) and len(every.votes) == 6
    assert every.missing == ["sad"]


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load(tmp_path / "faces.csv")


def test_votes_go_to_the_faces_of_their_rows(tmp_path: Path) -> None:
    path = fer2013(tmp_path / "faces.csv", "emotion,pixels,Usage", "epu")
    splits = load(path, votes(tmp_path / "fer2013new.csv", USAGES))
    assert splits["Training"].votes is not None
    assert splits["Training"].votes[:, 0].tolist() == [0, 1, 2, 5]
    assert splits["Training"].votes.shape == (4, 10)


def test_votes_for_other_faces_are_refused(tmp_path: Path) -> None:
    path = fer2013(tmp_path / "faces.csv", "emotion,pixels,Usage", "epu")
    with pytest.raises(DataError, match="3 rows of votes for 4 faces of Training"):
        load(path, votes(tmp_path / "fer2013new.csv", USAGES[:-1]))


@pytest.mark.parametrize(
    "row",
    [
        "Training,a.png,1,2",
        "Training,a.png" + ",x" * 10,
        "Test" + ",1" * 11,
        "Training,a.png" + ",1" * 9 + "," + "9" * 30,
        "Training,a.png" + ",1" * 9 + ",-1",
    ],
)
def test_broken_votes_are_named_by_their_row(tmp_path: Path, row: str) -> None:
    path = fer2013(tmp_path / "faces.csv", "emotion,pixels,Usage", "epu")
    ferplus = votes(tmp_path / "fer2013new.csv", [])
    ferplus.write_text(ferplus.read_text() + row + "\n")
    with pytest.raises(DataError, match="row 2: expected Usage, Image name and 10 votes"):
        load(path, ferplus)


@pytest.mark.parametrize(
    ("row", "label", "counts"),
    [
        ([0, 0, 0, 0, 9, 0, 0, 0, 1, 0], 4, True),
        ([5, 5, 0, 0, 0, 0, 0, 0, 0, 0], None, False),  # shared
        ([1, 0, 0, 0, 0, 0, 0, 0, 9, 0], None, False),  # unknown
        ([1, 0, 0, 0, 0, 0, 0, 0, 0, 9], None, False),  # no face
        ([4, 3, 0, 0, 0, 0, 0, 0, 3, 0], 0, True),
    ],
)
def test_the_majority_of_votes(row: list[int], label: int | None, counts: bool) -> None:
    faces = FaceSet(FACES[:1], np.array([0]), np.array([row]))
    majority, counted = faces.ferplus_labels()
    assert counted.tolist() == [counts]
    assert label is None or majority.tolist() == [label]


def test_votes_do_not_go_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not to a folder"):
        load(tmp_path, tmp_path / "fer2013new.csv")


def test_faces_of_a_test_are_dropped_from_training() -> None:
    training = FaceSet(FACES[[0, 1, 2, 1]], np.arange(4), np.arange(40).reshape(4, 10))
    tests = [FaceSet(FACES[[1]], np.array([0])), FaceSet(FACES[[4]], np.array([0]))]
    kept = without_faces_of(training, *tests)
    assert kept.labels.tolist() == [0, 2]
    assert kept.votes is not None and kept.votes[:, 0].tolist() == [0, 20]
    assert len(without_faces_of(training)) == 4
