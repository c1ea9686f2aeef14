"""The app on the Keras model: libsrtp and TensorFlow share a process, and a photo is read."""

from __future__ import annotations

import cv2
import pytest
import skimage.data

from emorec.model.contract import read
from emorec.paths import MODELS
from testkit import app

pytest.importorskip("keras")
pytestmark = pytest.mark.long


def test_a_photo_is_read_on_keras(launch, tmp_path, monkeypatch):
    monkeypatch.setenv("EMOREC_RUNTIME", "keras")
    portrait, log = tmp_path / "portrait.jpg", tmp_path / "app.log"
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:, :, ::-1])
    sha256 = read(MODELS / "elu_cnn.json").files["keras"]["sha256"]
    with app.running_app(log) as (process, url):
        page = launch(camera=False).new_page()
        page.set_default_timeout(120_000)
        page.goto(f"{url}/photo")
        page.get_by_role("heading", name="Photo").wait_for()
        page.locator('input[type="file"]').first.set_input_files(portrait)
        page.get_by_text("Face 1").first.wait_for()
        page.goto(f"{url}/about")
        page.get_by_text(sha256[:12]).wait_for()
        assert process.poll() is None, f"the app died with {process.returncode}"
    assert "Traceback" not in log.read_text(), f"the app logged a traceback:\n{log.read_text()}"
