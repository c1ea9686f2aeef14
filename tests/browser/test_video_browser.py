"""The Video page in a real browser: a film goes in, a clicked moment shows its picture."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from emorec.media.video_writer import VideoWriter
from testkit import portraits

pytestmark = pytest.mark.long

FPS = 10
PLAYER = """() => {
  const find = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.tagName === "VIDEO") return element;
      const inside = element.shadowRoot && find(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  return find(document);
}"""
STATE = f"""() => {{
  const video = ({PLAYER})();
  return video && {{ at: video.currentTime, width: video.videoWidth, paused: video.paused,
    seeking: video.seeking }};
}}"""
# The frame that the player shows, as the mean colour of its right half.
RIGHT_HALF = f"""() => {{
  const video = ({PLAYER})();
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const {{ data }} = context.getImageData(canvas.width / 2, 0, canvas.width / 2, canvas.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum / (data.length / 4 * 3);
}}"""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two people for two seconds, then for two seconds the left one alone beside black."""
    path = tmp_path / "two.mp4"
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    with VideoWriter(path) as writer:
        for number in range(4 * FPS):
            shown = image.copy()
            if number >= 2 * FPS:
                shown[:, 240:] = 0
            writer.write(shown, number / FPS)
    return path


def settled(page, at_s: float) -> bool:
    for _ in range(100):
        state = page.evaluate(STATE)
        if state and abs(state["at"] - at_s) < 0.51 and not state["seeking"]:
            return state["paused"] and state["width"] == 480
        page.wait_for_timeout(100)
    return False


def test_a_film_goes_in_and_a_clicked_moment_shows_its_picture(launch, app_url, film: Path):
    context = launch(camera=False).new_context(viewport={"width": 1366, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{app_url}/video")
    page.locator('input[type="file"]').set_input_files(film)
    page.get_by_text("You can look at other pages meanwhile").wait_for()
    # The video is read on while another page is shown.
    page.get_by_role("link", name="About").click()
    page.get_by_role("heading", name="About").wait_for()
    page.get_by_role("link", name="Video").click()
    page.get_by_text("click a moment to see it").wait_for()
    page.get_by_text("faces: 2, at most 2 at once").wait_for()

    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for()
    bright = []
    for share, at_s in ((0.2, 0.5), (0.9, 3.5)):
        box = chart.bounding_box()
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + 40)
        page.get_by_text(f"Faces at 0:0{int(at_s)}").wait_for()
        assert settled(page, at_s), page.evaluate(STATE)
        bright.append(page.evaluate(RIGHT_HALF))
    assert bright[0] > 60 > 20 > bright[1]

    with page.expect_download() as caught:
        page.get_by_role("link", name="Everything (ZIP)").click()
    with zipfile.ZipFile(io.BytesIO(caught.value.path().read_bytes())) as archive:
        assert archive.testzip() is None and "two_emorec.csv" in archive.namelist()
    page.get_by_role("button", name="Delete the results").click()
    page.get_by_text("Choose a video").wait_for()
    context.close()
