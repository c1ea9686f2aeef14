"""A real Chromium with a fake webcam, against the real app on a port of its own.

A test has a context of its own, with its own cookies and permissions, in a browser that it shares
with the file's other tests.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testkit import app


@pytest.fixture(scope="session")
def webcam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return app.write_webcam(tmp_path_factory.mktemp("webcam") / "face.mjpeg")


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory):
    log = tmp_path_factory.mktemp("app") / "app.log"
    with app.running_app(log) as (process, url):
        yield url
        assert process.poll() is None, f"the app died with {process.returncode}"
    assert "Traceback" not in log.read_text(), f"the app logged a traceback:\n{log.read_text()}"


@pytest.fixture(scope="module")
def launch(webcam: Path):
    """Return a browser, with the fake webcam or none, allowed without asking or not.

    It is started once for a file's tests, save where ``shared`` is false.
    """
    # `make test` sets the variable, empty for the browser that Playwright brought itself.
    if app.browser_path() is None and not {"CI", "EMOREC_BROWSER"} & os.environ.keys():
        pytest.skip("no Chromium or Chrome found; `make test` installs one")
    from playwright.sync_api import sync_playwright

    started = []
    known = {}
    with sync_playwright() as playwright:

        def start(
            camera: bool = True, allowed: bool = True, film: Path = webcam, shared: bool = True
        ):
            wanted = (film if camera else None, allowed)
            if shared and wanted in known:
                return known[wanted]
            started.append(app.launch_browser(playwright, *wanted))
            if shared:
                known[wanted] = started[-1]
            return started[-1]

        yield start
        for browser in started:
            browser.close()
