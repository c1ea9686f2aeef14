"""The live page in Firefox: Debian's firefox-esr, with the camera that Firefox itself fakes."""

from __future__ import annotations

import os

import pytest

from testkit import app, firefox

_FRAME = "document.querySelector('iframe[title*=webrtc]').contentDocument"
_BUTTON = f"[...({_FRAME}?.querySelectorAll('button') || [])].find((b) => b.innerText === '%s')"
_PICTURES = f"""new Promise((done) => {{
  const video = {_FRAME}.querySelector("video");
  let left = 20;
  const shown = () => left-- ? video.requestVideoFrameCallback(shown) : done(video.videoWidth);
  shown();
}})"""
"""The width of the picture that comes back, once 20 of them were shown."""
_SHOWN = "document.body.innerText.includes('%s')"


@pytest.mark.long
@pytest.mark.skipif(
    firefox.firefox_path() is None and "CI" not in os.environ, reason="no Firefox is installed"
)
def test_firefox_sends_a_picture_and_gets_it_back_without_an_error(tmp_path) -> None:
    log, profile = tmp_path / "app.log", tmp_path / "profile"
    profile.mkdir()
    with app.running_app(log) as (_, url), firefox.running_firefox(profile) as tab:
        tab.open(url)
        tab.until(
            f"document.querySelector('iframe[title*=webrtc]') && !!{_BUTTON % 'Start camera'}"
        )
        assert tab.evaluate("document.title") == "EmoRec · Live"
        tab.evaluate(f"{_BUTTON % 'Start camera'}.click()")
        tab.until(_SHOWN % "Readings/s")
        assert tab.evaluate(_PICTURES) >= 320
        tab.until(_SHOWN % "No face in view")  # the pattern shows none
        tab.evaluate(f"{_BUTTON % 'Stop'}.click()")
        tab.until(_SHOWN % "No face was read in this session")
    lines = log.read_text()
    assert '"ERROR"' not in lines and "Traceback" not in lines, lines
