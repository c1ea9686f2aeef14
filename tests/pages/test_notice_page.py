"""The notice for people who are filmed: what it must say, and a code for the About page."""

from __future__ import annotations

import cv2
import pytest
from streamlit.testing.v1 import AppTest

from emorec.pages.notice import about_url, qr_code


def test_it_says_what_the_law_asks_in_full_and_in_one_line() -> None:
    def script() -> None:
        from emorec.pages import notice

        notice.render()

    app = AppTest.from_function(script, default_timeout=30).run()
    assert not app.exception
    said = " ".join(" ".join(element.value for element in app.markdown).split())
    for words in (
        "A camera is on",
        "AI system",
        "apparent expression, not inner feeling",
        "often wrong",
        "You can say no",
        "Art. 50(3)",
        "Art. 5(1)(f)",
        "GDPR",
    ):
        assert words in said
    app.toggle(key="one line").set_value(True)
    app.text_input(key="contact").set_value("<b>Ada</b>, room 4").run()
    assert not app.exception
    html = "".join(element.proto.body for element in app.get("html"))
    assert "apparent expression" in html and not app.title
    assert "&lt;b&gt;Ada&lt;/b&gt;, room 4" in html


@pytest.mark.parametrize(
    ("own", "about"),
    [
        ("https://emorec.example/notice", "https://emorec.example/about"),
        ("https://emorec.example/app/notice", "https://emorec.example/app/about"),
        (None, None),
    ],
)
def test_the_code_leads_to_the_about_page(own: str | None, about: str | None) -> None:
    assert about_url(own) == about
    if about is not None:
        read, *_ = cv2.QRCodeDetector().detectAndDecode(qr_code(about))
        assert read == about
