"""Visitors who share a small room, and what is left of one whose browser dies."""

from __future__ import annotations

import time
import urllib.request
from contextlib import suppress

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from testkit import app
from testkit.rigged import Rig

GONE_S = 45  # half a minute is promised, and half of that again for a busy machine
A_SESSIONS = {"emorec-read", "emorec-draw", "video-decoder", "ShutdownPolling"}
"""Names of the threads that a live session has; pools keep others for whoever comes next."""


@pytest.fixture(scope="module")
def small_app(tmp_path_factory):
    """An app with one place: its address, its metrics and the names of its threads."""
    folder = tmp_path_factory.mktemp("small")
    log, rig = folder / "app.log", Rig(folder)
    port = app.free_port()
    env = {"EMOREC_MAX_LIVE": "1", "EMOREC_METRICS_PORT": str(port)}
    with app.running_app(log, env=env, program=rig.program) as (_, url):
        yield url, lambda: metrics(port), lambda: A_SESSIONS & rig.threads().keys()
    assert "Traceback" not in log.read_text(), log.read_text()


def metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {
        sample.name: sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("emorec_")
    }


def live_page(browser, url):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(120_000)  # much longer than a machine needs that is not busy
    page.goto(url)
    page.get_by_role("heading", name="Live").wait_for()
    return page


def wait_for(what, deadline_s: float) -> None:
    """Wait until something is the case."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < deadline_s, "it did not happen in time"
        time.sleep(0.5)


@pytest.mark.long
def test_a_full_room_says_so_and_a_killed_tab_leaves_nothing(launch, small_app):
    url, told, threads = small_app
    second = live_page(launch(), url)
    assert not threads()  # who only has the page open costs none

    before = set(psutil.Process().children(recursive=True))
    first = live_page(launch(shared=False), url)  # to be killed
    browser = set(psutil.Process().children(recursive=True)) - before
    app.start_live(first)
    assert told()["emorec_live_sessions"] == told()["emorec_live_places"] == 1
    assert threads() == A_SESSIONS

    app.live_frame(second).get_by_role("button", name="START").click()
    second.get_by_text("The room is full").wait_for()
    second.get_by_text("1 of 1 places").wait_for()
    second.get_by_role("link", name="The Photo page is open").wait_for()
    assert told()["emorec_live_sessions"] == 1 and told()["emorec_turned_away_total"] == 1
    analysed = told()["emorec_frames_analysed_total"]
    wait_for(lambda: told()["emorec_frames_analysed_total"] > analysed, 60)  # the first goes on

    for process in browser:
        with suppress(psutil.NoSuchProcess):  # it went with another of them
            process.kill()
    # The place is free again, and the one who waits is let in by itself.
    second.get_by_text("A place is free").wait_for(timeout=GONE_S * 1000)
    wait_for(lambda: not threads(), GONE_S)
    app.start_live(second)
    analysed = told()["emorec_frames_analysed_total"]
    wait_for(lambda: told()["emorec_frames_analysed_total"] > analysed + 5, 60)
    app.live_frame(second).get_by_role("button", name="STOP").click()
    second.get_by_role("heading", name="Your session").wait_for()
    wait_for(lambda: told()["emorec_live_sessions"] == 0, 30)
    wait_for(lambda: not threads(), GONE_S)
