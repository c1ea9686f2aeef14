from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from emorec.cli import main
from emorec.people import consent, extra
from emorec.people.enrolment import embedding_of
from emorec.people.gallery import open_gallery
from emorec.people.rule import MARGIN, threshold
from emorec.recognizer import EmotionRecognizer
from emorec.records import FrameResult
from emorec.sessions.store import open_sessions


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a store of its own, which is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("EMOREC_KEY", raising=False)
    return tmp_path


@pytest.fixture
def enrolled(folder: Path) -> list[int]:
    """Two people of one name and a third."""
    gallery = open_gallery()
    ids = [
        gallery.enrol(name, np.full((2, 128), number), consent=True).id
        for number, name in enumerate(("Ada", "Ada", "Ben"))
    ]
    gallery.close()
    return ids


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def names() -> list[str]:
    gallery = open_gallery()
    try:
        return [person.name for person in gallery.people()]
    finally:
        gallery.close()


def test_nobody_is_listed_where_nobody_is(folder: Path, capsys) -> None:
    assert main(["people", "list"]) == 0
    file = folder / "data" / "emorec.sqlite"
    assert capsys.readouterr().out == f"Nobody is enrolled in {file}\n"
    for argv in (["rename", "1", "A"], ["delete", "1"], ["delete", "--all", "--yes"], ["export"]):
        assert main(["people", *argv]) == 2
        assert capsys.readouterr().err == f"emorec: {file}: nothing is kept there yet.\n"
    assert not file.exists(), "what is only looked at is not made"
    open_sessions().close()
    assert main(["people", "list"]) == 0
    assert not file.with_name("emorec.key").exists()


def test_two_of_one_name_are_listed_with_their_ids(enrolled: list[int], capsys) -> None:
    assert main(["people", "list"]) == 0
    head, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert head == ["id", "pictures", "enrolled", "name"]
    assert [(row[0], row[1], row[3]) for row in rows] == [
        (str(id_), "2", name) for id_, name in zip(enrolled, ("Ada", "Ada", "Ben"), strict=True)
    ]


def test_a_person_is_renamed(enrolled: list[int], capsys) -> None:
    assert main(["people", "rename", str(enrolled[0]), "Ada Lovelace"]) == 0
    assert names() == ["Ada", "Ada Lovelace", "Ben"]
    assert main(["people", "rename", "99", "Ada"]) == 2
    assert capsys.readouterr().err == "emorec: nobody has the id 99.\n"


def test_people_are_deleted_by_id_and_an_unknown_one_is_said(enrolled: list[int], capsys) -> None:
    assert main(["people", "delete", str(enrolled[0]), "99", str(enrolled[2])]) == 2
    assert capsys.readouterr().err == "emorec: nobody has the id 99.\n"
    assert names() == ["Ada"]


@pytest.mark.parametrize("argv", [[], ["1", "--all"]])
def test_whom_to_delete_must_be_said(argv: list[str], enrolled: list[int], capsys) -> None:
    assert main(["people", "delete", *argv]) == 2
    assert "name the ids" in capsys.readouterr().err
    assert len(names()) == 3


@pytest.mark.parametrize(("text", "left"), [("", 3), ("y\n", 3), ("no\n", 3), ("Yes\n", 0)])
def test_everybody_is_deleted_where_that_is_confirmed(
    text: str, left: int, enrolled: list[int], monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    answer(monkeypatch, text)
    assert main(["people", "delete", "--all"]) == (2 if left else 0)
    assert ("--yes confirms it" in capsys.readouterr().err) is bool(left)
    assert len(names()) == left


def test_everybody_is_deleted_though_the_key_is_lost(
    folder: Path, enrolled: list[int], capsys
) -> None:
    (folder / "data" / "emorec.key").unlink()
    assert main(["people", "list"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1 and "emorec.key: the store's key is lost" in shown
    assert main(["people", "delete", "--all", "--yes"]) == 0
    assert names() == []


def test_the_export_is_for_its_owner_alone(folder: Path, enrolled: list[int], capfdbinary) -> None:
    out = folder / "people.json"
    out.write_text("of before")
    out.chmod(0o644)
    assert main(["people", "export", "--out", str(out)]) == 0
    if os.name != "nt":
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    kept = json.loads(out.read_bytes())["people"]
    assert [person["id"] for person in kept] == enrolled
    assert main(["people", "export"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["people"] == kept


def test_an_export_that_cannot_be_written_is_said(enrolled: list[int], capsys) -> None:
    assert main(["people", "export", "--out", "nowhere/people.json"]) == 2
    assert capsys.readouterr().err.startswith("emorec: nowhere/people.json: cannot be written")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ([], "faces: expected one sub-folder per person"),
        (["faces/.hidden"], "faces: expected one sub-folder per person"),
        (["faces/Ada", f"faces/{'x' * 81}"], "a name has 1 to 80 characters"),
    ],
)
def test_what_holds_no_people_is_not_imported(
    make: list[str], said: str, folder: Path, capsys
) -> None:
    for path in ["faces", *make]:
        (folder / path).mkdir(exist_ok=True)
    assert main(["people", "import", "faces", "--consent"]) == 2
    shown = capsys.readouterr()
    assert said in shown.err and shown.err.count("\n") == 1
    assert names() == []


def test_a_folder_that_is_not_there_is_said(folder: Path, capsys) -> None:
    assert main(["people", "import", "faces", "--consent"]) == 2
    assert "faces: cannot be read (No such file" in capsys.readouterr().err


def pictures(folder: Path) -> None:
    portrait = Image.fromarray(skimage.data.astronaut())
    for name in ("Ada", "Ben"):
        (folder / "faces" / name).mkdir(parents=True)
        Image.new("RGB", (120, 90), "gray").save(folder / "faces" / name / "wall.png")
    portrait.save(folder / "faces" / "Ada" / "portrait.png")
    (folder / "faces" / "Ada" / "broken.jpg").write_bytes(b"no picture")
    (folder / "faces" / "Ada" / "notes.txt").write_bytes(b"no picture either")


def test_a_fault_at_one_picture_costs_no_person(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    pictures(folder)
    real = EmotionRecognizer.analyze

    def faulty(self: EmotionRecognizer, image_bgr: np.ndarray) -> FrameResult:
        if image_bgr.shape[:2] == (90, 120):
            cv2.resize(image_bgr, (0, 0))
        return real(self, image_bgr)

    monkeypatch.setattr(EmotionRecognizer, "analyze", faulty)
    assert main(["people", "import", "faces", "--consent"]) == 2
    wall = str(Path("faces/Ada/wall.png"))
    assert f"emorec: {wall}: cannot be read, by a fault of EmoRec itself" in capsys.readouterr().err
    assert names() == ["Ada"]


@pytest.mark.parametrize("text", ["", "no\n"])
def test_nobody_is_imported_without_a_word_of_consent(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    pictures(folder)
    answer(monkeypatch, text)
    assert main(["people", "import", "faces"]) == 2
    shown = capsys.readouterr()
    assert consent.TEXT in shown.out and "each of 2 people in faces" in shown.out
    assert "--consent confirms it" in shown.err
    assert names() == []


def test_people_are_imported_once_and_refusals_are_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    pictures(folder)
    answer(monkeypatch, "yes\n")
    assert main(["people", "import", "faces"]) == 2
    shown = capsys.readouterr()
    assert "Ada: enrolled with id 1, pictures: 1\n" in shown.out
    assert [line.split(": ")[1] for line in shown.err.splitlines()] == [
        str(Path("faces/Ada/broken.jpg")),
        str(Path("faces/Ada/wall.png")),
        str(Path("faces/Ben/wall.png")),
        str(Path("faces/Ben")),
    ]
    assert names() == ["Ada"]
    assert main(["people", "import", "faces", "--consent"]) == 2
    assert "portrait.png: looks like Ada, who is enrolled already" in capsys.readouterr().err
    assert names() == ["Ada"]


def test_looking_much_like_somebody_is_said_and_no_failure(folder: Path, embedder, capsys) -> None:
    (folder / "faces" / "Ada").mkdir(parents=True)
    Image.fromarray(skimage.data.astronaut()).save(folder / "faces" / "Ada" / "portrait.png")
    face = embedding_of(skimage.data.astronaut()[..., ::-1], EmotionRecognizer(), embedder)
    side = np.random.default_rng(1).normal(0, 1, 128)
    side -= face * (side @ face)
    angle = 2 * np.arcsin((threshold(1) + MARGIN / 2) / 2)
    gallery = open_gallery()
    twin = np.cos(angle) * face + np.sin(angle) * side / np.linalg.norm(side)
    gallery.enrol("Twin", twin[None], consent=True)
    gallery.close()
    assert main(["people", "import", "faces", "--consent"]) == 0
    shown = capsys.readouterr()
    assert "Ada: enrolled with id 2" in shown.out
    assert "portrait.png: looks much like Twin, as" in shown.err and shown.err.count("\n") == 1
    assert names() == ["Ada", "Twin"]


@pytest.mark.parametrize(
    "argv", [["import", "faces"], ["list"], ["rename", "1", "A"], ["delete", "1"], ["export"]]
)
def test_without_the_extra_one_line_says_what_to_install(
    argv: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None if name == "dlib" else object())
    assert main(["people", *argv]) == 2
    shown = capsys.readouterr().err
    assert "-m pip install -r requirements-people.txt" in shown and "(missing: dlib)" in shown
    assert shown.count("\n") == 1


def test_the_command_line_starts_without_the_store() -> None:
    code = "import sys; from emorec.cli import _parser; _parser(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sqlalchemy", "cryptography", "dlib", "cv2"} & set(run.stdout.split())
