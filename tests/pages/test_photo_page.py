from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from emorec.emotions import EMOTIONS, UNSURE
from emorec.media.photo import read_photo
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.pictures import ReadPictures
from emorec.reading import Reader
from emorec.recognizer import EmotionRecognizer
from emorec.records import FrameResult
from emorec.rows import columns


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


PORTRAIT = png(skimage.data.astronaut())
TWO = png(np.hstack([skimage.data.astronaut()] * 2))
NOBODY = png(np.full((90, 120, 3), 200, np.uint8))
ONE_PIXEL = png(np.zeros((1, 1, 3), np.uint8))


def page() -> AppTest:
    def script() -> None:
        from emorec.pages import photo

        photo.render()

    at = AppTest.from_function(script, default_timeout=30).run()
    assert not at.exception
    return at


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()
    assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.get("download_button")]


def spied(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[tuple]:
    """Let calls of a method through, and keep their arguments: AppTest shows neither the content
    of a download nor an element that was there for a moment."""
    calls, real = [], getattr(owner, name)

    def spy(self: object, *args: object, **kwargs: object) -> object:
        calls.append(args)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(owner, name, spy)
    return calls


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, tuple]]:
    """The content and the file name of each button offered so far, by label."""
    calls = spied(monkeypatch, DeltaGenerator, "download_button")
    return lambda: {label: (content, file) for label, content, file, *_ in calls}


def test_an_empty_page_says_what_it_reads_and_keeps() -> None:
    at = page()
    assert at.title[0].value == "Photo"
    for words in ("apparent expression", "not inner feeling", "Nothing is stored"):
        assert words in at.caption[0].value
    assert at.file_uploader[0].accept_multiple_files
    assert not at.camera_input  # else the browser would ask for the camera at once
    assert not labels(at)


@pytest.mark.parametrize(("data", "count"), [(PORTRAIT, 1), (TWO, 2)], ids=["one", "two"])
def test_every_face_has_its_row_its_crop_and_its_bars(data: bytes, count: int) -> None:
    at = upload(page(), ("me.png", data))
    faces = EmotionRecognizer().analyze(read_photo(data)).faces
    table = at.dataframe[0].value
    assert len(faces) == count
    assert table["track_id"].tolist() == [face.track_id for face in faces]
    assert table["emotion"].tolist() == [face.emotion or UNSURE for face in faces]
    assert table["confidence"].tolist() == pytest.approx([face.confidence for face in faces])
    assert len(at.image) == 1 + count
    assert len(at.get("vega_lite_chart")) == count
    said = [markdown.value for markdown in at.markdown]
    assert all(f"**Face {f.track_id}**: {f.emotion or UNSURE}" in said for f in faces)


def test_downloads_hold_what_was_read(downloads: Callable[[], dict[str, tuple]]) -> None:
    upload(page(), ("a, b.png", TWO), ("nobody.png", NOBODY), ("me.png", PORTRAIT))
    content, name = downloads()["CSV of all faces"]
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert name == "emorec_photos.csv"
    assert tuple(rows[0]) == columns(file=True)
    assert [(row["file"], row["track_id"]) for row in rows] == [
        ("a, b.png", "1"),
        ("a, b.png", "2"),
        ("me.png", "1"),
    ]
    content, name = downloads()["JSON of all faces"]
    record = json.loads(content)
    records = record["photos"]
    assert record["header"]["settings"]["detector"] == "auto"
    assert name == "emorec_photos.json"
    assert [record["file"] for record in records] == ["a, b.png", "nobody.png", "me.png"]
    assert [len(record["faces"]) for record in records] == [2, 0, 1]
    for row, face in zip(rows, [f for r in records for f in r["faces"]], strict=True):
        assert [float(row[e]) for e in EMOTIONS] == [face["probs"][e] for e in EMOTIONS]
        assert row["emotion"] == (face["emotion"] or UNSURE)


def test_the_annotated_png_is_the_whole_picture_with_its_faces_marked(
    downloads: Callable[[], dict[str, tuple]],
) -> None:
    upload(page(), ("me.png", PORTRAIT))
    make, name = downloads()["Annotated PNG"]
    annotated, original = read_photo(make()), read_photo(PORTRAIT)
    assert name == "me_emorec.png"
    assert annotated.shape == original.shape
    rows, columns = np.nonzero((annotated != original).any(axis=2))
    x1, y1, x2, y2 = EmotionRecognizer().analyze(original).faces[0].box
    assert columns.min() <= x1 + 3
    assert columns.max() >= x2 - 4
    assert rows.max() >= y2 - 4
    assert (
        annotated[y1 + 9 : y2 - 9, x1 + 9 : x2 - 9] == original[y1 + 9 : y2 - 9, x1 + 9 : x2 - 9]
    ).all()


@pytest.mark.parametrize("data", [NOBODY, ONE_PIXEL], ids=["nobody", "one pixel"])
def test_no_face_says_what_to_try(data: bytes) -> None:
    at = upload(page(), ("wall.png", data))
    assert "No face found" in at.info[0].value
    assert "Try" in at.info[0].value
    assert "too close" in at.info[0].value
    assert len(at.image) == 1
    assert not labels(at)


def test_a_bad_file_gives_its_line_and_the_others_still_show() -> None:
    at = upload(page(), ("no_*ture*.png", b"text"), ("empty.png", b""), ("me.png", PORTRAIT))
    lines = [error.value for error in at.error]
    assert lines[0].startswith(r"no\_\*ture\*.png: not a picture")
    assert lines[1].startswith("empty.png: the file is empty")
    assert len(lines) == len(at.error) == 2
    assert len(at.dataframe) == 1


def test_two_bad_files_of_one_content_each_have_their_own_name() -> None:
    at = upload(page(), ("first.png", b"text"), ("second.png", b"text"))
    starts = [error.value.split(": ")[0] for error in at.error]
    assert starts == ["first.png", "second.png"]
    upload(at, ("third.png", b"text"))
    (line,) = [error.value for error in at.error]
    assert line.startswith("third.png: not a picture")


def test_a_fault_at_one_picture_is_its_line_and_the_others_still_show(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Reader.read

    def faulty(self: Reader, image_bgr: np.ndarray, *args: object) -> FrameResult:
        if image_bgr.shape[:2] == (90, 120):
            cv2.resize(image_bgr, (0, 0))
        if image_bgr.shape[:2] == (1, 1):
            raise MemoryError
        return real(self, image_bgr, *args)

    monkeypatch.setattr(Reader, "read", faulty)
    at = upload(page(), ("wall.png", NOBODY), ("dot.png", ONE_PIXEL), ("me.png", PORTRAIT))
    fault, memory = (error.value for error in at.error)
    assert fault.startswith("wall.png: cannot be read, by a fault of EmoRec itself")
    assert memory.startswith("dot.png: not enough memory")
    assert len(at.dataframe) == 1
    (entry,) = [record for record in caplog.records if record.exc_info]
    assert "wall.png" not in entry.getMessage()


def test_what_is_not_read_of_a_file_is_said() -> None:
    stream = io.BytesIO()
    page_ = Image.fromarray(skimage.data.astronaut())
    page_.save(stream, "TIFF", save_all=True, append_images=[page_])
    at = upload(page(), ("pages.tif", stream.getvalue()))
    said = [caption.value for caption in at.caption]
    assert "This file holds several pages: only the first is read." in said
    assert len(at.dataframe[0].value) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", ""),
        ("me.png", "me.png"),
        (":smile:", ":\u2060smile:"),
        ("a:red[b]", "a:\u2060red\\[b\\]"),
    ],
)
def test_a_name_is_written_so_that_markdown_leaves_it(name: str, shown: str) -> None:
    # What a browser makes of it: tests/browser/test_photo_browser.py.
    assert plain(name) == shown


def test_each_picture_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = spied(monkeypatch, Reader, "read")
    at = upload(page(), ("me.png", PORTRAIT), ("copy.png", PORTRAIT), ("wall.png", NOBODY))
    assert len(read) == 2  # the copy is the same picture
    assert len(at.image) == 5
    at.toggle[0].set_value(True).run()
    at.toggle[0].set_value(False).run()
    upload(at, ("me.png", PORTRAIT))
    assert len(read) == 2
    assert len(at.image) == 2


def test_the_detector_chosen_reads_the_picture_anew() -> None:
    tilted = Image.fromarray(skimage.data.astronaut()).rotate(-30, center=(225, 115))
    at = upload(page(), ("tilted.png", png(np.asarray(tilted))))
    assert at.selectbox(key="photo detector").value == "auto"
    assert len(at.dataframe[0].value) == 1
    at.selectbox(key="photo detector").set_value("haar").run()
    assert not at.exception
    assert "No face found" in at.info[0].value


def test_the_control_starts_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    monkeypatch.setenv("EMOREC_DETECTOR", "haar")
    assert page().selectbox(key="photo detector").value == "haar"
    st.cache_resource.clear()


def test_a_missing_network_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st.cache_resource.clear()
    monkeypatch.setattr("emorec.pipeline.detect.BLAZEFACE", tmp_path / "gone.tflite")
    at = upload(page(), ("me.png", PORTRAIT))
    (said,) = [warning.value for warning in at.warning]
    assert "gone.tflite: is missing" in said
    assert len(at.dataframe[0].value) == 1
    st.cache_resource.clear()


def test_pictures_taken_away_are_forgotten() -> None:
    at = upload(page(), ("me.png", PORTRAIT))
    read = at.session_state["visit"].state(ReadPictures).by_place
    assert len(read["files"]) == 1
    at.file_uploader[0].set_value(None).run()
    assert read["files"] == {}


@pytest.mark.parametrize(("count", "expected"), [(1, []), (3, [0.0, 1 / 3, 2 / 3])])
def test_several_pictures_have_a_progress_bar(
    monkeypatch: pytest.MonkeyPatch, count: int, expected: list[float]
) -> None:
    bars = spied(monkeypatch, DeltaGenerator, "progress")
    files = [(f"{i}.png", png(np.full((60, 60), i, np.uint8))) for i in range(count)]
    upload(page(), *files)
    assert [args[0] for args in bars] == pytest.approx(expected)
    assert [args[1] for args in bars] == [
        f"Reading {i}.png: {i + 1} of {count}" for i in range(count if expected else 0)
    ]


@pytest.mark.parametrize(("count", "read"), [(20, 20), (23, 20)])
def test_so_many_pictures_are_read_at_once_and_the_others_said(count: int, read: int) -> None:
    files = [
        (f"{number}.png", png(np.full((9, 9, 3), number, np.uint8))) for number in range(count)
    ]
    at = upload(page(), *files)
    assert len(at.info) == read  # each says that it shows nobody
    said = [warning.value for warning in at.warning]
    assert said == ([] if count == read else [said[0]])
    assert all("first 20 of 23 pictures" in line for line in said)


def test_a_shot_from_the_camera_goes_through_the_same_engine() -> None:
    at = page()
    at.toggle[0].set_value(True).run()
    stream = io.BytesIO()
    Image.fromarray(skimage.data.astronaut()).save(stream, "JPEG")
    at.camera_input[0].set_value(("shot.jpg", stream.getvalue(), "image/jpeg")).run()
    assert not at.exception
    faces = EmotionRecognizer().analyze(read_photo(stream.getvalue())).faces
    assert at.dataframe[0].value["confidence"].tolist() == pytest.approx([faces[0].confidence])


def test_a_missing_model_is_a_line_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st.cache_resource.clear()
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    at = upload(page(), ("me.png", PORTRAIT))
    assert "no such model" in at.error[0].value
    assert not at.dataframe
