"""Every page held against axe-core: contrast, names, headings, text in place of pictures."""

from __future__ import annotations

from pathlib import Path

import axe_playwright_python
import cv2
import pytest

from testkit.app import running_app
from testkit.portraits import room

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
STREAMLITS = (
    "[data-testid=stFileUploaderDropzone]",  # a section with role=presentation and a label
    "[data-testid=stHeader]",
    "iframe",  # streamlit-webrtc's
    "canvas, svg",  # Vega's charts: each has its text alternative around it
)
"""What Streamlit itself draws, and no page can change."""

RUN = """async ([script, others]) => {
  if (!window.axe) (0, eval)(script);
  const found = await axe.run({exclude: others.map((one) => [one])}, {resultTypes: ["violations"]});
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${node.target.join(" ")}: ${node.html.slice(0, 160)}`));
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("axe")
    env = {"EMOREC_PEOPLE": "1", "EMOREC_DATA": str(folder)}
    with running_app(folder / "app.log", env=env) as (_, url):
        yield url


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, launch):
    context = launch(camera=False).new_context(
        viewport={"width": 1366, "height": 768}, color_scheme=request.param
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


def violations(page) -> list[str]:
    page.wait_for_timeout(2_000)  # Streamlit fades in what is new
    return page.evaluate(RUN, [AXE, list(STREAMLITS)])


@pytest.mark.long
def test_no_page_has_a_violation_of_ours(page, url, tmp_path):
    found = {}
    for path in ("live", "photo", "people", "model", "about"):
        page.goto(f"{url}/{path}")
        page.get_by_role("heading", level=1).wait_for(state="attached")
        page.wait_for_function(f"document.title === 'EmoRec · {path.title()}'")
        found[path] = violations(page)
    page.goto(f"{url}/photo")
    photos = [tmp_path / name for name in ("nine.jpg", "one.jpg", "broken.jpg")]
    cv2.imwrite(str(photos[0]), room(3, 3, 120, (1000, 700)).image_bgr)
    cv2.imwrite(str(photos[1]), room(1, 1, 200, (500, 500)).image_bgr)
    photos[2].write_bytes(b"no picture")
    page.locator('input[type="file"]').first.set_input_files(photos)
    page.get_by_role("button", name="Download all").wait_for()
    found["gallery"] = violations(page)
    pictures = page.locator("[class*=st-key-tile] img")
    assert sorted(image.get_attribute("alt") for image in pictures.all())[0].startswith(
        "Group photo, 9 faces"
    )
    page.get_by_test_id("stButton").get_by_role("button", name="9 faces").click()
    page.get_by_role("group", name="Faces").wait_for()
    found["opened"] = violations(page)
    assert not [f"{name}: {line}" for name, lines in found.items() for line in lines]
