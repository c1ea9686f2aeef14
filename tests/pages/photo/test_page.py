from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import skimage.data
import streamlit as st
from PIL import Image
from streamlit.delta_generator import DeltaGenerator
from streamlit.testing.v1 import AppTest

from emorec.emotions import EMOTIONS, UNSURE
from emorec.media.photo import read_photo
from emorec.media.workers import Workers
from emorec.pages.parts.markdown import plain
from emorec.pages.parts.reading import Readings
from emorec.pages.photo.gallery import Gallery
from emorec.percent import percent
from emorec.recognizer import EmotionRecognizer
from emorec.rows import columns


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


PORTRAIT = png(skimage.data.astronaut())
TWO = png(np.hstack([skimage.data.astronaut()] * 2))
THREE = png(np.hstack([skimage.data.astronaut()] * 3))
NOBODY = png(np.full((90, 120, 3), 200, np.uint8))


def script() -> None:
    import streamlit as st

    from emorec.pages.photo import page

    if st.session_state.get("elsewhere"):
        st.title("Another page")
    else:
        page.render()


def page() -> AppTest:
    at = AppTest.from_function(script, default_timeout=60).run()
    assert not at.exception
    return at


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()
    assert not at.exception
    return at


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.get("download_button")]


def tiles(at: AppTest) -> list[str]:
    """What each tile of a photo that was read says; its button opens the photo."""
    return [button.label for button in at.button if (button.key or "").startswith("open ")]


def html(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def opened(at: AppTest) -> dict[str, Any]:
    """What the component shows of the photo that is opened."""
    (component,) = at.get("bidi_component")
    data: dict[str, Any] = json.loads(component.proto.json)
    return data


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


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
    assert not at.file_uploader[0].proto.type  # the content decides, not the name
    assert not at.camera_input  # else the browser would ask for the camera at once
    assert not labels(at)


def test_one_photo_is_opened_at_once(downloads: Callable[[], dict[str, tuple]]) -> None:
    at = upload(page(), ("me.jfif", TWO))
    faces = EmotionRecognizer().analyze(read_photo(TWO)).faces
    shown = opened(at)
    assert len(faces) == 2 and not tiles(at)
    assert at.header[0].value == "me.jfif: 2 faces, happy"
    assert shown["alt"] == "Group photo, 2 faces, happy"
    for face, there in zip(faces, shown["faces"], strict=True):
        assert there["number"] == face.track_id
        assert there["says"] == (face.emotion or UNSURE)
        assert there["share"] == percent(face.confidence)
        assert there["box"] == list(face.box)
        assert [row[0] for row in there["shares"]] == list(EMOTIONS)
    assert labels(at) == ["Annotated picture (PNG)", "Download all", "XLSX", "CSV", "JSON"]
    make, name = downloads()["Annotated picture (PNG)"]
    annotated, original = read_photo(make()), read_photo(TWO)
    assert name == "me_emorec.png" and annotated.shape == original.shape
    x1, y1, x2, y2 = faces[0].box
    inside = np.s_[y1 + 9 : y2 - 9, x1 + 9 : x2 - 9]
    assert (annotated != original).any() and (annotated[inside] == original[inside]).all()


def test_several_photos_are_tiles_and_each_can_be_opened(
    downloads: Callable[[], dict[str, tuple]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = spied(monkeypatch, DeltaGenerator, "progress")
    files = (
        ("a, b.png", TWO),
        ("no_*ture*.png", b"text"),
        ("nobody.png", NOBODY),
        ("empty.png", b""),
        ("me.png", PORTRAIT),
        ("me.jpg", PORTRAIT),
    )
    jobs = spied(monkeypatch, Workers, "run")
    at = upload(page(), *files)
    assert len(jobs) == 5  # two have the same content
    assert [args[0] for args in bars] == pytest.approx([n / 6 for n in range(6)])
    assert tiles(at) == ["2 faces, happy", "No face", "1 face, happy", "1 face, happy"]
    assert "not a picture that can be read" in html(at) and "the file is empty" in html(at)
    assert "6 photos, 4 faces**; 2 files could not be read" in at.markdown[0].value
    assert "4 happy" in html(at)

    rows = list(csv.DictReader(io.StringIO(downloads()["CSV"][0]().removeprefix("\ufeff"))))
    assert tuple(rows[0]) == columns(file=True)
    seen = [("a, b.png", "1"), ("a, b.png", "2"), ("me.png", "1"), ("me.jpg", "1")]
    assert [(row["file"], row["track_id"]) for row in rows] == seen
    make, name = downloads()["Download all"]
    assert name.startswith("emorec_20") and name.endswith("_photos.zip")
    with zipfile.ZipFile(io.BytesIO(make())) as file:
        assert file.namelist() == [
            "pictures/a, b_emorec.jpg",
            "pictures/nobody_emorec.jpg",
            "pictures/me_emorec.jpg",
            "pictures/me_emorec_2.jpg",
            "faces.csv",
            "faces.xlsx",
            "photos.json",
        ]
        assert read_photo(file.read("pictures/me_emorec.jpg")).shape == (512, 512, 3)
        record = json.loads(file.read("photos.json"))
        sheet = openpyxl.load_workbook(io.BytesIO(file.read("faces.xlsx")))["faces"]
    assert record["header"]["settings"]["detector"] == "auto"
    assert [len(photo["faces"]) for photo in record["photos"]] == [2, 0, 1, 1]
    assert [row[0].value for row in sheet] == ["file", *(file for file, _ in seen)]
    assert [float(rows[0][e]) for e in EMOTIONS] == [
        record["photos"][0]["faces"][0]["probs"][e] for e in EMOTIONS
    ]

    press(at, "No face")
    assert "No face found" in at.info[0].value and "too close" in at.info[0].value
    press(at, "Next")
    assert at.error[0].value.startswith("empty.png: the file is empty")
    press(at, "Next")
    assert len(opened(at)["faces"]) == 1
    press(at, "All photos")
    assert len(tiles(at)) == 4
    upload(at, ("me.png", PORTRAIT))
    assert len(jobs) == 5 and len(at.session_state["visit"].state(Readings).by_key) == 1
    press(at, "Remove all photos")
    visit = at.session_state["visit"]
    assert not visit.state(Gallery).given and not visit.state(Readings).by_key


def test_results_stay_while_another_page_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = spied(monkeypatch, Workers, "run")
    at = upload(page(), ("me.png", PORTRAIT), ("wall.png", NOBODY))
    at.session_state["elsewhere"] = True
    at.run()
    assert at.title[0].value == "Another page"
    at.session_state["elsewhere"] = False
    at.run()
    assert tiles(at) == ["1 face, happy", "No face"] and len(jobs) == 2
    upload(at, ("two.png", TWO))
    assert tiles(at) == ["1 face, happy", "No face", "2 faces, happy"]


def test_a_photo_taken_away_is_forgotten() -> None:
    at = upload(page(), ("wall.png", NOBODY))
    visit = at.session_state["visit"]
    assert len(visit.state(Gallery).given) == 1
    at.file_uploader[0].set_value(None).run()
    assert not visit.state(Gallery).given and not visit.state(Readings).by_key


def test_under_group_only_no_single_face_is_shown(
    monkeypatch: pytest.MonkeyPatch, downloads: Callable[[], dict[str, tuple]]
) -> None:
    monkeypatch.setenv("EMOREC_GROUP_ONLY", "1")
    at = upload(page(), ("three.png", THREE), ("two.png", TWO))
    assert tiles(at) == ["3 faces, happy", "2 faces"]
    assert "2 photos, 3 faces" in at.markdown[0].value  # those of `two.png` do not count
    assert labels(at) == ["Download all", "JSON"]
    with zipfile.ZipFile(io.BytesIO(downloads()["Download all"][0]())) as file:
        assert [name for name in file.namelist() if "pictures" not in name] == ["photos.json"]
        three, two = json.loads(file.read("photos.json"))["photos"]
    assert three == {"file": "three.png", "size": [1536, 512], "count": 3, "totals": {"happy": 3}}
    assert two == {"file": "two.png", "size": [1024, 512], "count": 2, "totals": None}
    press(at, "2 faces")
    assert not at.get("bidi_component") and not at.dataframe
    assert "With Group only nothing is shown of fewer than 3 faces" in at.info[0].value
    press(at, "Previous")
    assert not at.get("bidi_component") and "3 happy" in html(at)


def test_a_fault_is_one_line_and_the_others_still_show(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Workers.run

    def faulty(self: Workers, key: object, job: Any, *args: Any) -> object:
        if "wall.png" in args:
            return real(self, key, divmod, 1, 0)
        if "dot.png" in args:
            return real(self, key, bytearray, 2**40)
        return real(self, key, job, *args)

    monkeypatch.setattr(Workers, "run", faulty)
    dot = png(np.zeros((1, 1, 3), np.uint8))
    at = upload(page(), ("wall.png", NOBODY), ("dot.png", dot), ("me.png", PORTRAIT))
    assert "cannot be read, by a fault of EmoRec itself" in html(at)
    assert "not enough memory is free" in html(at)
    assert tiles(at) == ["1 face, happy"]
    (entry,) = [record for record in caplog.records if record.exc_info]
    assert "wall.png" not in entry.getMessage()


def test_what_is_not_read_of_a_file_is_said() -> None:
    stream = io.BytesIO()
    page_ = Image.fromarray(skimage.data.astronaut())
    page_.save(stream, "TIFF", save_all=True, append_images=[page_])
    at = upload(page(), ("pages.tif", stream.getvalue()))
    said = [caption.value for caption in at.caption]
    assert "This file holds several pages: only the first is read." in said
    assert len(opened(at)["faces"]) == 1


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


def test_the_detector_chosen_reads_the_picture_again() -> None:
    tilted = Image.fromarray(skimage.data.astronaut()).rotate(-30, center=(225, 115))
    at = upload(page(), ("tilted.png", png(np.asarray(tilted))))
    assert at.selectbox(key="photo detector").value == "auto"
    assert len(opened(at)["faces"]) == 1
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
    (said,) = [warning.value for warning in page().warning]
    assert "gone.tflite: is missing" in said
    st.cache_resource.clear()


@pytest.mark.parametrize(("count", "read"), [(3, 3), (23, 20)])
def test_so_many_pictures_are_read_at_once_and_the_others_said(count: int, read: int) -> None:
    files = [(f"{number}.png", b"no picture %d" % number) for number in range(count)]
    at = upload(page(), *files)
    assert html(at).count("Not read") == read
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
    (face,) = EmotionRecognizer().analyze(read_photo(stream.getvalue())).faces
    (shown,) = opened(at)["faces"]
    assert shown["share"] == percent(face.confidence)


def test_a_missing_model_is_a_line_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st.cache_resource.clear()
    monkeypatch.setattr("emorec.model.store.MODELS", tmp_path)
    at = page()
    assert "no such model" in at.error[0].value
    assert not at.file_uploader
    st.cache_resource.clear()
