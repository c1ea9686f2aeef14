"""The photo and about pages in a real browser."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile

import cv2
import numpy as np
import pytest

from emorec.emotions import EMOTIONS
from testkit.portraits import room


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
        page.get_by_role("button", name=label, exact=True).click()
    return caught.value.path().read_bytes()


def tile(page, words: str):
    return page.get_by_test_id("stButton").get_by_role("button", name=words, exact=True)


def test_pictures_go_in_and_results_come_out_and_stay(page, pictures):
    page.locator('input[type="file"]').first.set_input_files(pictures)
    tile(page, "1 face, happy").wait_for()
    tile(page, "No face").wait_for()
    page.get_by_text("Not read").wait_for()
    assert page.title() == "EmoRec · Photo"

    with zipfile.ZipFile(io.BytesIO(download(page, "Download all"))) as file:
        rows = list(csv.DictReader(file.read("faces.csv").decode("utf-8-sig").splitlines()))
        photos = json.loads(file.read("photos.json"))["photos"]
        assert "pictures/portrait_emorec.jpg" in file.namelist()
    assert [row["file"] for row in rows] == ["portrait.jpg"]
    records = {record["file"]: record for record in photos}
    assert set(records) == {"portrait.jpg", "wall.png"} and records["wall.png"]["faces"] == []
    (face,) = records["portrait.jpg"]["faces"]
    assert set(face["probs"]) == set(EMOTIONS)
    assert sum(face["probs"].values()) == pytest.approx(1, abs=1e-3)
    x1, y1, x2, y2 = face["box"]
    assert 150 < x1 < x2 < 310 and 40 < y1 < y2 < 200  # where the face is

    tile(page, "1 face, happy").click()
    page.get_by_text("Face 1", exact=True).wait_for()
    data = np.frombuffer(download(page, "Annotated picture (PNG)"), np.uint8)
    annotated = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert annotated.shape == (512, 512, 3)
    assert np.abs(annotated.astype(int) - cv2.imread(str(pictures[0]))).max() > 100

    page.get_by_role("link", name="About").click()
    page.get_by_role("heading", name="About").wait_for()
    page.get_by_role("link", name="Photo").click()
    page.get_by_role("button", name="All photos", exact=True).click()
    tile(page, "1 face, happy").wait_for()
    page.get_by_role("button", name="Download all").wait_for()


@pytest.mark.long
def test_a_face_that_is_chosen_is_chosen_everywhere(page, tmp_path):
    path = tmp_path / "nine.jpg"
    cv2.imwrite(str(path), room(3, 3, 120, (1000, 700)).image_bgr)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator('input[type="file"]').first.set_input_files(path)
    crops = page.get_by_role("group", name="Faces").get_by_role("button")
    crops.first.wait_for()
    assert crops.count() == 9
    chosen = page.locator('[aria-pressed="true"], [aria-current="true"]')
    assert [one.get_attribute("data-face") for one in chosen.all()] == ["1", "1", "1"]
    crops.nth(4).focus()
    page.keyboard.press("Enter")
    assert [one.get_attribute("data-face") for one in chosen.all()] == ["5", "5", "5"]
    page.get_by_role("heading", name="Face 5").wait_for()
    page.locator("tbody tr").nth(6).click()
    page.get_by_role("heading", name="Face 7").wait_for()
    # In reading order, in equal squares, and all of it on a few screens of a phone.
    boxes = [crop.bounding_box() for crop in crops.all()]
    assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") < 2500
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.long
def test_the_first_tile_is_there_before_the_last_photo_is_read(page, tmp_path):
    paths = [tmp_path / f"{number}.jpg" for number in range(8)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), room(4, 3, 100 + number, (2400, 1800)).image_bgr)
    # The page itself keeps what it showed: by the time it is asked, all may be read.
    page.evaluate("""() => {
        window.shownAtOnce = [];
        new MutationObserver(() => {
            const tiles = [...document.querySelectorAll("[class*=st-key-tile]")];
            const read = tiles.filter((tile) => tile.querySelector("img")).length;
            const waiting = tiles.filter((tile) => tile.textContent.includes("Waiting …")).length;
            window.shownAtOnce.push([read, waiting]);
        }).observe(document.body, { childList: true, subtree: true });
    }""")
    page.locator('input[type="file"]').first.set_input_files(paths)
    page.get_by_role("button", name="Download all").wait_for()
    assert page.locator("[class*=st-key-tile] img").count() == 8
    assert any(read and waiting for read, waiting in page.evaluate("shownAtOnce"))


NAMES = [
    ":smile: :+1: :red[x].png",
    "www.example.org.png",
    "me@example.org --x -> y <- z >= 1.png",
    "[link](http:x) **b** _i_ `c` $x$ <b> &amp; a~~b~~ # | .png",
    "1. -- (c) :streamlit: .png",
    "- \\ :a:b.png",
    "תמונה 🙂 测试 – é.png",
]


@pytest.mark.long
def test_files_are_called_as_they_are_named(page, tmp_path):
    for name in NAMES:
        (tmp_path / name).write_bytes(b"no picture")
    page.locator('input[type="file"]').first.set_input_files([tmp_path / name for name in NAMES])
    names = page.locator(".emorec-name")
    until = time.monotonic() + 120
    # The page is drawn again and again while files arrive.
    while names.all_inner_texts() != NAMES or page.get_by_text("Not read").count() < len(NAMES):
        assert time.monotonic() < until, names.all_inner_texts()
        page.wait_for_timeout(100)
    assert names.locator("*").count() == 0  # each is a text alone
    page.get_by_role("button", name="Remove all photos").click()
    page.get_by_text("An example:").wait_for()  # until then the old uploader takes the files
    for name in NAMES[:3]:
        page.locator('input[type="file"]').first.set_input_files(tmp_path / name)
        line = page.get_by_test_id("stAlertContentError")
        line.wait_for()
        said = line.locator("p").inner_text().replace("\u2060", "")
        assert f"{name}: not a picture" in said and said.endswith("megapixels.")
        assert line.locator("a, code, strong, em, li, svg.emoji").count() == 0
        page.get_by_role("button", name="Remove all photos").click()
        page.get_by_text("An example:").wait_for()


@pytest.mark.long
def test_about_says_what_it_does_and_what_the_law_says(page, app_url):
    page.goto(f"{app_url}/about")
    page.get_by_text("apparent expression").first.wait_for()
    page.get_by_text("Art. 5(1)(f)").first.wait_for()
    page.get_by_test_id("stMetricValue").first.wait_for()  # the browser loads them apart
