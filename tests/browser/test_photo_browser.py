"""The photo and about pages in a real browser."""

from __future__ import annotations

import csv
import json
import time

import cv2
import numpy as np
import pytest

from emorec.emotions import EMOTIONS


@pytest.fixture
def page(launch, app_url):
    context = launch(camera=False).new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/photo")
    page.get_by_role("heading", name="Photo").wait_for()
    yield page
    context.close()


@pytest.fixture
def pictures(tmp_path):
    """A portrait, a picture of nobody, and a file that is no picture."""
    import skimage.data

    portrait, nobody, broken = (tmp_path / n for n in ("portrait.jpg", "wall.png", "broken.jpg"))
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:, :, ::-1])
    cv2.imwrite(str(nobody), np.full((300, 400, 3), 120, np.uint8))
    broken.write_bytes(b"\xff\xd8 no picture")
    return portrait, nobody, broken


def download(page, label: str) -> bytes:
    with page.expect_download() as caught:
        page.get_by_role("button", name=label).first.click()
    return caught.value.path().read_bytes()


def test_pictures_go_in_and_results_come_out(page, pictures, images):
    page.locator('input[type="file"]').first.set_input_files(pictures)
    page.get_by_text("Face 1").first.wait_for()
    page.get_by_text("No face found").wait_for()
    page.get_by_text("broken.jpg").nth(1).wait_for()  # its line, not only its place in the list

    rows = list(csv.DictReader(download(page, "CSV of all faces").decode("utf-8-sig").splitlines()))
    assert [row["file"] for row in rows] == ["portrait.jpg"]
    photos = json.loads(download(page, "JSON of all faces"))["photos"]
    records = {record["file"]: record for record in photos}
    assert set(records) == {"portrait.jpg", "wall.png"} and records["wall.png"]["faces"] == []
    (face,) = records["portrait.jpg"]["faces"]
    assert set(face["probs"]) == set(EMOTIONS)
    assert sum(face["probs"].values()) == pytest.approx(1, abs=1e-3)
    x1, y1, x2, y2 = face["box"]
    assert 150 < x1 < x2 < 310 and 40 < y1 < y2 < 200  # where the face is

    data = np.frombuffer(download(page, "Annotated PNG"), np.uint8)
    annotated = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert annotated.shape == (512, 512, 3)
    assert np.abs(annotated.astype(int) - cv2.imread(str(pictures[0]))).max() > 100
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    page.screenshot(path=images / "photo.png")


NAMES = [
    ":smile: :+1: :red[x].png",
    "www.example.org.png",
    "me@example.org --x -> y <- z >= 1.png",
    "[link](http:x) **b** _i_ `c` $x$ <b> &amp; a~~b~~ # | .png",
    "1. -- (c) :streamlit: .png",
    "- \\ :a:b.png",
    "תמונה 🙂 测试 – é.png",
]


def test_files_are_called_as_they_are_named(page, tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"no picture")
    page.locator('input[type="file"]').first.set_input_files([tmp_path / name for name in NAMES])
    lines = page.get_by_test_id("stAlertContentError")

    def said() -> list[str]:
        return [line.replace("\u2060", "") for line in lines.all_inner_texts()]

    def each_once() -> bool:
        return all(sum(f"{name}: not a picture" in line for line in said()) == 1 for name in NAMES)

    until = time.monotonic() + 120
    while not each_once():  # the page is drawn again and again while files arrive
        assert time.monotonic() < until, said()
        page.wait_for_timeout(100)
    assert all(line.endswith("megapixels.") for line in said())
    assert lines.locator("a, code, strong, em, li, svg.emoji").count() == 0


@pytest.mark.long
def test_about_says_what_it_does_and_what_the_law_says(page, app_url, images):
    page.goto(f"{app_url}/about")
    page.get_by_text("apparent expression").first.wait_for()
    page.get_by_text("Art. 5(1)(f)").first.wait_for()
    page.get_by_test_id("stMetricValue").first.wait_for()  # the browser loads them apart
    page.screenshot(path=images / "about.png")
