from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Toggle

pytest.importorskip("sqlalchemy")

from emorec.calibration.examples import Examples
from emorec.media.workers import Workers
from emorec.model.choice import for_live
from emorec.model.contract import read
from emorec.model.evaluation import Weights
from emorec.model.store import load, path_of
from emorec.pages.parts.deployment import deployment
from emorec.people.gallery import Gallery, open_gallery
from emorec.recognizer import EmotionRecognizer

WITHIN_S = 120  # the first run loads the model, the store and dlib's network


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


PORTRAIT = png(skimage.data.astronaut())
THREE = png(np.hstack([skimage.data.astronaut()] * 3))
NOBODY = png(np.full((90, 120, 3), 200, np.uint8))


@pytest.fixture
def gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path))
    monkeypatch.setenv("EMOREC_PEOPLE", "1")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    st.cache_resource.clear()
    gallery = open_gallery()
    yield gallery
    gallery._engine.dispose()
    st.cache_resource.clear()


def page(name: str = "people.page") -> AppTest:
    def script(name: str) -> None:
        import importlib

        importlib.import_module(f"emorec.pages.{name}").render()

    at = AppTest.from_function(script, default_timeout=WITHIN_S, args=(name,)).run()
    assert not at.exception
    return at


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at


def upload(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    at.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()
    assert not at.exception
    return at


def look(place: float) -> np.ndarray:
    found = np.zeros((1, 128), np.float32)
    found[0, 0] = place
    return found


def names(gallery: Gallery) -> list[str]:
    return [person.name for person in gallery.people()]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emorec.people.extra.find_spec", lambda name: None)
    assert page().code[0].value.endswith("python -m pip install -r requirements-people.txt")


def test_a_person_is_enrolled_only_with_name_picture_and_consent(gallery: Gallery) -> None:
    at = page()
    assert "Nobody yet" in at.info[0].value
    assert "biometric data" in at.caption[0].value
    upload(at, ("three.png", THREE), ("wall.png", NOBODY), ("me.png", PORTRAIT))
    said = " ".join(markdown.value for markdown in at.markdown)
    assert "**three.png**: 3 faces" in said and "**wall.png**: no face" in said
    assert "check_circle:] me.png" in said
    enrol = next(button for button in at.button if button.label == "Enrol")
    assert enrol.disabled
    at.text_input[0].set_value("  Eileen ").run()
    assert next(button for button in at.button if button.label == "Enrol").disabled
    at.checkbox[0].check().run()
    press(at, "Enrol")
    assert [(person.name, person.pictures) for person in gallery.people()] == [("Eileen", 1)]
    # The form is empty again, and the same face does not go in under another name.
    upload(at, ("me again.png", PORTRAIT))
    assert any("looks like Eileen" in markdown.value for markdown in at.markdown)
    # On the Photo page she has her name, whatever else is in the picture.
    at = page("photo.page")
    next(toggle for toggle in at.toggle if toggle.label == "Names").set_value(True).run()
    upload(at, ("me.png", PORTRAIT))
    (component,) = at.get("bidi_component")
    assert [face["name"] for face in json.loads(component.proto.json)["faces"]] == ["Eileen"]


def test_a_fault_at_one_picture_is_its_line_and_the_others_count(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Workers.run

    def faulty(self: Workers, key: object, job: Any, *args: Any) -> object:
        return real(self, key, *((divmod, 1, 0) if "wall.png" in args else (job, *args)))

    monkeypatch.setattr(Workers, "run", faulty)
    at = upload(page(), ("wall.png", NOBODY), ("me.png", PORTRAIT))
    said = " ".join(markdown.value for markdown in at.markdown)
    assert "**wall.png**: cannot be read, by a fault of EmoRec itself" in said
    assert "check_circle:] me.png" in said


def test_looking_much_like_somebody_is_said_and_left_to_the_visitor(gallery: Gallery) -> None:
    from contextlib import closing

    from emorec.people.embedding import FaceEmbedder
    from emorec.people.enrolment import embedding_of
    from emorec.people.rule import MARGIN, threshold

    with closing(FaceEmbedder()) as embedder:
        face = embedding_of(skimage.data.astronaut()[..., ::-1], EmotionRecognizer(), embedder)
    side = np.random.default_rng(1).normal(0, 1, 128)
    side -= face * (side @ face)
    angle = 2 * np.arcsin((threshold(1) + MARGIN / 2) / 2)
    twin = np.cos(angle) * face + np.sin(angle) * side / np.linalg.norm(side)
    gallery.enrol("Twin", twin[None], consent=True)
    at = upload(page(), ("me.png", PORTRAIT))
    (said,) = [markdown.value for markdown in at.markdown if "me.png" in markdown.value]
    assert ":orange[:material/warning:]" in said and "looks much like Twin" in said
    at.text_input(key="people name 0").set_value("Eileen").run()
    at.checkbox[0].check().run()
    press(at, "Enrol")
    assert names(gallery) == ["Eileen", "Twin"]


def test_how_a_name_is_decided_is_told_with_the_newest_measured_numbers(gallery: Gallery) -> None:
    results = Path(__file__).resolve().parents[3] / "benchmarks" / "results"
    report = json.loads(sorted(results.glob("*-identity.json"))[-1].read_text(encoding="utf-8"))
    (told,) = [markdown.value for markdown in page().markdown if "strangers" in markdown.value]
    for row in report["as_the_app"]:
        if row["enrolled"] == 40 and row["pictures"] in (1, 3) and row["asked"] == 1:
            assert f"**{100 * row['named_rightly'][0]:.1f} %**" in told
            assert f"**{100 * row['strangers_named'][0]:.1f} %**" in told
            assert row["misnamed"][0] < 0.002 and "2 in 1,000" in told


def test_two_of_one_name_are_told_apart_renamed_and_deleted(gallery: Gallery) -> None:
    first = gallery.enrol("Ada", look(0), consent=True).id
    second = gallery.enrol("Ada", look(5), consent=True).id
    at = page()
    captions = " ".join(caption.value for caption in at.caption)
    assert f"no. {first}" in captions and f"no. {second}" in captions
    assert at.selectbox[0].options == ["Somebody new", f"Ada (no. {first})", f"Ada (no. {second})"]
    at.text_input(key=f"people rename {second}").set_value("Ada *King*").run()
    at.button(key=f"people save {second}").click().run()
    assert sorted(names(gallery)) == ["Ada", "Ada *King*"]
    assert any(r"Ada \*King\*" in markdown.value for markdown in at.markdown)
    at.button(key=f"people delete {first}").click().run()
    assert names(gallery) == ["Ada *King*"]
    press(at, "Delete everybody for good")
    assert names(gallery) == []
    assert "Nobody yet" in at.info[0].value


def test_a_persons_examples_are_shown_with_their_network_and_forgotten(gallery: Gallery) -> None:
    own = read(path_of(for_live(load())).with_suffix(".json"))
    for name, sha256 in (("Ada", own.files["tflite"]["sha256"]), ("Ben", "0" * 64)):
        examples = Examples(
            model=Weights(name="another", sha256=sha256),
            counts={"happy": 6, "neutral": 6},
            network_share=1.0,
            weights=((0.0,),) * 7,
        )
        id_ = gallery.enrol(name, look(float(len(name))), consent=True).id
        gallery.keep_examples(id_, examples, consent=True)
    at = page()
    said = [
        caption.value for caption in at.caption if "Examples of happy, neutral" in caption.value
    ]
    assert "used on the Live page" in said[0] and "network another" in said[1]
    at.button(key=f"people delete examples {id_}").click().run()
    assert not at.exception
    assert [person.examples_kept is None for person in gallery.people()] == [False, True]
    assert names(gallery) == ["Ada", "Ben"]


def test_a_lost_key_is_one_line(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery.enrol("Ada", look(0), consent=True)
    monkeypatch.setenv("EMOREC_KEY", "A" * 43 + "=")
    assert len(page().error) == 1


def test_names_are_off_again_once_the_consent_is_withdrawn(gallery: Gallery) -> None:
    def names(at: AppTest) -> Toggle:
        (toggle,) = [toggle for toggle in at.toggle if toggle.label == "Names"]
        return toggle

    gallery.enrol("Ada", look(0), consent=True)
    at = page("photo.page")
    names(at).set_value(True).run()
    at.run()
    assert names(at).value is True
    at.session_state["visit"].forget()
    at.run()
    assert not at.exception and names(at).value is False


def test_names_are_offered_where_somebody_is_enrolled_and_start_off(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [toggle for toggle in page("photo.page").toggle if toggle.label == "Names"]
    gallery.enrol("Ada", look(0), consent=True)
    (toggle,) = [toggle for toggle in page("photo.page").toggle if toggle.label == "Names"]
    assert toggle.value is False
    monkeypatch.setenv("EMOREC_PEOPLE", "0")
    deployment.cache_clear()
    assert not [toggle for toggle in page("photo.page").toggle if toggle.label == "Names"]
