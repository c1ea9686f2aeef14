"""People in a real browser: enrolled, recognised, renamed and deleted."""

from __future__ import annotations

import pytest

from testkit import app
from testkit.app import start_live

WAIT_MS = 120_000


@pytest.fixture(scope="module")
def own_url(tmp_path_factory: pytest.TempPathFactory):
    """An app with a store of its own."""
    pytest.importorskip("dlib")
    pytest.importorskip("sqlalchemy")
    folder = tmp_path_factory.mktemp("people")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMOREC_PEOPLE", "1")
        patch.setenv("EMOREC_DATA", str(folder / "data"))
        patch.delenv("DATABASE_URL", raising=False)
        with app.running_app(folder / "app.log") as (_, url):
            yield url
    assert "Traceback" not in (folder / "app.log").read_text()
    assert "Eileen" not in (folder / "app.log").read_text()


@pytest.mark.long
def test_somebody_is_enrolled_recognised_renamed_and_deleted(launch, own_url, tmp_path):
    import cv2
    import skimage.data

    portrait = tmp_path / "portrait.jpg"
    cv2.imwrite(str(portrait), skimage.data.astronaut()[:, :, ::-1])
    context = launch().new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["camera"], origin=own_url)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)

    page.goto(f"{own_url}/people")
    page.get_by_text("Nobody yet").wait_for()
    page.locator('input[type="file"]').first.set_input_files(portrait)
    page.get_by_role("img").first.wait_for()
    page.get_by_role("textbox", name="Name").fill("Eileen")
    page.get_by_role("textbox", name="Name").press("Enter")
    page.get_by_text("They agree", exact=True).click()
    page.get_by_test_id("stBaseButton-primary").and_(page.locator(":enabled")).first.click()
    page.get_by_text("1 picture · enrolled").wait_for()

    page.get_by_role("link", name="Live").click()
    app.open_settings(page)
    page.get_by_text("Names", exact=True).click()
    page.get_by_text("biometric data").wait_for()
    page.keyboard.press("Escape")
    start_live(page)
    page.get_by_text("Eileen").first.wait_for()

    other = context.new_page()
    other.set_default_timeout(WAIT_MS)
    other.goto(f"{own_url}/people")
    other.get_by_role("button", name="Rename").click()
    other.get_by_role("textbox", name="New name").fill("Colonel Collins")
    other.get_by_role("textbox", name="New name").press("Enter")
    other.get_by_role("button", name="Save").click()
    page.get_by_text("Colonel Collins").first.wait_for()

    other.get_by_role("button", name="Delete", exact=True).or_(
        other.get_by_role("button", name="delete Delete")
    ).first.click()
    other.get_by_role("button", name="Delete for good").click()
    other.get_by_text("Nobody yet").wait_for()
    page.get_by_text("Colonel Collins").first.wait_for(state="detached")
    context.close()
