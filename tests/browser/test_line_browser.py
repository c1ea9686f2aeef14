"""What a visitor sees when the server has gone, in a real browser."""

from __future__ import annotations

import pytest

from testkit import app

_SHOWN = "(element) => getComputedStyle(element, '::before').content"


@pytest.mark.long
def test_a_lost_line_is_told_in_the_visitors_words(launch, tmp_path) -> None:
    page = launch(camera=False).new_page(viewport={"width": 390, "height": 844}, locale="de-DE")
    page.set_default_timeout(90_000)
    with app.running_app(tmp_path / "app.log") as (process, url):
        page.goto(f"{url}/about")
        page.get_by_role("heading", name="Was es tut").wait_for()
        process.kill()
        process.wait()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        assert "Keine Verbindung" in dialog.locator("h2").evaluate(_SHOWN)
        assert "laden Sie sie neu" in dialog.locator("h2 + div").evaluate(_SHOWN)
        assert not dialog.locator("h2 + div > *").first.is_visible(), "it tells of Streamlit"
    page.close()
