"""The model page in a real browser: what it shows, and a choice that reads a photo."""

from __future__ import annotations

import shutil
from dataclasses import replace

import cv2
import pytest

from emorec.emotions import UNSURE
from emorec.model import contract
from testkit.app import ROOT, running_app

_PARTS = ("app.py", "haarcascade_frontalface_default.xml", "emorec", "models", ".streamlit")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the app with one model more: the same weights, too cautious to give a label."""
    root = tmp_path_factory.mktemp("checkout")
    for part in _PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, root / part)
    models = root / "models"
    own = contract.read(models / "elu_cnn.json")
    shutil.copy(models / "elu_cnn.tflite", models / "cautious.tflite")
    files = {kind: {**file, "file": f"cautious.{kind}"} for kind, file in own.files.items()}
    cautious = replace(own, name="cautious", files=files, unsure_below=1.0)
    contract.write(cautious, models / "cautious.json")
    return root


@pytest.fixture
def page(launch, checkout, tmp_path):
    with running_app(tmp_path / "app.log", checkout) as (_, url):
        context = launch(camera=False).new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{url}/model")
        page.get_by_role("heading", name="Model").wait_for()
        yield page
        context.close()
    assert "Traceback" not in (tmp_path / "app.log").read_text()


@pytest.mark.long
def test_the_chosen_model_reads_the_next_photo(page, tmp_path):
    import skimage.data

    portrait = tmp_path / "portrait.jpg"
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:, :, ::-1])
    page.get_by_text("apparent expression").first.wait_for()
    page.get_by_text("cautious", exact=True).click()
    page.get_by_role("heading", name="How good cautious is").wait_for()
    page.get_by_role("link", name="Photo").click()
    page.get_by_role("heading", name="Photo").wait_for()
    page.locator('input[type="file"]').first.set_input_files(portrait)
    page.get_by_role("heading", name=f"portrait.jpg: 1 face, {UNSURE}").wait_for()
    page.get_by_role("link", name="Model").click()
    page.get_by_role("heading", name="How good cautious is").wait_for()


@pytest.mark.long
def test_the_page_draws_its_charts(launch, app_url):
    context = launch(camera=False).new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/model")
    page.get_by_role("heading", name="Limits").wait_for()
    page.get_by_text("which is not what a person feels").wait_for()
    page.get_by_text("Accuracy").first.wait_for()
    page.get_by_test_id("stVegaLiteChart").nth(1).locator("canvas, svg").first.wait_for()
    context.close()
