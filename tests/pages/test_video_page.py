"""The Video page without a browser: what stands on it before, while and after a video is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from emorec.clock import clock
from emorec.jobs.disk import Disk
from emorec.jobs.job import Job
from emorec.media.video_writer import VideoWriter
from emorec.pages.parts import disk as shared
from emorec.pages.parts.deployment import deployment
from emorec.pages.parts.keep_form import PURPOSES
from emorec.pages.parts.report import loading
from emorec.pages.video.results import clickable
from emorec.pages.video.state import OwnVideo
from emorec.sessions.report import of_stored
from emorec.sessions.store import open_sessions
from emorec.videos.session import report_on
from testkit import portraits
from testkit.kept import MADE_WITH
from tests.sessions.conftest import played

MB = 2**20


def script() -> None:
    from emorec.pages import gate
    from emorec.pages.video import page

    if gate.admitted():
        page.render()
        gate.ways_out()


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Disk]:
    """The disk of all visitors, in a folder of this test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared.disk.cache_clear()
    own = shared.disk()
    assert own is not None
    yield own
    own.clear()
    shared.disk.cache_clear()


def chosen(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Let the deployer have chosen a value."""
    monkeypatch.setenv(name, value)
    deployment.cache_clear()  # `disk` has read it


def page() -> AppTest:
    at = AppTest.from_function(script, default_timeout=60).run()
    assert not at.exception
    return at


def own(at: AppTest) -> OwnVideo:
    return at.session_state["visit"].state(OwnVideo)


def upload(at: AppTest, data: bytes, name: str = "me.mp4") -> AppTest:
    """Do what the endpoint does with an upload, and run the page as the component has it run."""
    place = own(at).place
    assert place is not None
    place.begin(name, len(data), "")
    place.write(data)
    at.run()
    assert not at.exception
    return at


def ends(at: AppTest) -> AppTest:
    """Run the page again once the job is over."""
    job = own(at).job
    assert job is not None
    wait(lambda: job.state not in ("waiting", "reading"))
    at.run()
    assert not at.exception
    return at


def wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def words(at: AppTest) -> str:
    return "\n".join(element.value for kind in (at.markdown, at.caption) for element in kind)


def test_the_page_says_who_must_agree_and_what_lies_on_the_disk() -> None:
    at = page()
    assert at.title[0].value == "Video"
    for text in ("apparent expression", "not inner feeling", "server's disk", "deleted", "AI Act"):
        assert text in words(at)
    first = own(at).place
    at.toggle(key="video blur").set_value(True).run()
    assert "unrecognisable" in words(at) and own(at).place is first


def test_a_file_that_is_no_video_is_told_and_the_next_can_come(disk: Disk) -> None:
    at = page()
    first = own(at).place
    upload(at, b"Dear diary", "a diary.mp4")
    ends(at)
    assert at.error[0].value == "a\\_diary.mp4: is no video that can be read, or is cut off."
    assert first is not None and first.closed
    again = own(at).place
    assert again is not None and disk.find(again.token) is again and not again.complete


def test_withdrawing_the_consent_deletes_the_video(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen(monkeypatch, "EMOREC_CONSENT", "required")
    at = AppTest.from_function(script, default_timeout=60).run()
    assert own(at).place is None  # no upload before the consent
    at.selectbox[0].set_value("A talk or a demonstration").run()
    for box in at.checkbox:
        box.check()
    at.run()
    next(button for button in at.button if button.label == "Continue").click().run()
    place = own(at).place
    assert place is not None
    place.begin("me.mp4", 2 * MB, "")
    place.write(b"x" * MB)
    next(button for button in at.button if button.label == "Withdraw consent").click().run()
    assert place.closed and not place.folder.exists() and disk.find(place.token) is None


def test_a_server_that_takes_no_videos_has_no_such_page(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen(monkeypatch, "EMOREC_VIDEO_MB", "0")
    shared.disk.cache_clear()
    at = page()
    assert at.error[0].value == "This server takes no videos."


def test_a_click_on_the_chart_chooses_one_of_its_moments() -> None:
    from emorec.drawing import charts

    chart = charts.mood(np.array([0.0, 0.5, 1.0]), np.full((3, 7), 1 / 7, np.float32))
    _, spec = clickable(chart)
    area, line = spec["layer"]
    assert area["mark"]["type"] == "area" and "mark" not in spec
    (selection,) = line["params"]
    assert selection["name"] == "moment" and selection["select"]["fields"] == ["seconds"]
    assert [clock(time_s) for time_s in (0, 59.9, 61, 3600)] == ["0:00", "0:59", "1:01", "1:00:00"]


@pytest.mark.parametrize("group_only", [False, True])
def test_what_a_video_showed_is_kept_as_a_live_session_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_only: bool
) -> None:
    def kept_page(own, report):
        from emorec.pages.parts import keeping
        from emorec.pages.video import results

        results._session(own, report)
        keeping.remember()

    chosen(monkeypatch, "EMOREC_SESSIONS", "ask")
    chosen(monkeypatch, "EMOREC_KEEP_DAYS", "7")
    chosen(monkeypatch, "DATABASE_URL", f"sqlite:///{tmp_path / 'kept.sqlite'}")
    report = report_on(played(12, faces=3), "my talk.mp4", MADE_WITH, group_only)
    video = OwnVideo()
    at = AppTest.from_function(kept_page, default_timeout=60, args=(video, report)).run()
    assert at.text_input(key="video title").value == "my talk.mp4"
    at.radio(key="keep_for").set_value(PURPOSES[0]).run()
    assert at.button(key="keep session").disabled, "no visitor has said that all agree"
    at.checkbox(key="keep agreed").check().run()
    if not group_only:
        at.checkbox(key="keep faces").check().run()
    at.button(key="keep session").click().run()
    assert not at.exception
    keeper = video.keeper
    assert keeper is not None
    wait(lambda: keeper.state != "keeping")
    at.run()
    assert keeper.state == "ended" and "**Kept** for 7 days" in words(at)
    assert not at.radio, "it is kept once"
    store = open_sessions()
    (stored,) = store.sessions()
    assert (stored.title, stored.purpose, stored.source) == ("my talk.mp4", PURPOSES[0], "video")
    assert stored.ended and len(stored.owner) == 32
    assert (stored.group_only, stored.keeps_faces) == (group_only, not group_only)
    told = of_stored(store, stored.id)
    store.close()
    assert len(told.seconds) >= 10
    assert repr(told.seconds.tolist()) == repr(report.seconds.tolist()), "NaN is like NaN"
    assert told.span_s == report.span_s and told.summary.faces_seen == report.summary.faces_seen
    if not group_only:
        assert report.faces is not None and told.faces is not None
        assert len(told.faces) == len(report.faces) > 10


def test_a_server_that_keeps_no_sessions_offers_none_of_a_video(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def results_page(report):
        from emorec.pages.video import results
        from emorec.pages.video.state import OwnVideo

        results._session(OwnVideo(), report)

    chosen(monkeypatch, "EMOREC_SESSIONS", "off")
    report = report_on(played(12, faces=3), "my talk.mp4", MADE_WITH)
    at = AppTest.from_function(results_page, default_timeout=60, args=(report,)).run()
    assert at.metric and not at.exception and not at.radio


@pytest.mark.long
@pytest.mark.parametrize("group_only", [False, True])
def test_the_results_of_two_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group_only: bool
) -> None:
    chosen(monkeypatch, "EMOREC_GROUP_ONLY", str(int(group_only)))
    film = tmp_path / "two.mp4"
    image = portraits.room(2, 1, 90, (480, 360)).image_bgr
    with VideoWriter(film) as writer:
        for number in range(20):
            writer.write(image, number / 10)
    at = upload(page(), film.read_bytes(), "two.mp4")
    ends(at)
    job, place = own(at).job, own(at).place
    assert isinstance(job, Job) and job.state == "done" and place is not None
    assert "**two.mp4** · 0:01 · faces: 2, at most 2 at once" in words(at)
    links = " ".join(element.proto.body for element in at.get("html"))
    every = {"zip", "mp4", "csv", "json", "parquet", "xlsx", "html"}
    kinds = {kind for kind in every if f"/{kind}" in links}
    assert kinds == ({"json", "html"} if group_only else every)
    if group_only:
        assert "Fewer than 3 faces" in at.info[0].value
        assert not at.dataframe and not at.get("vega_lite_chart") and not at.get("imgs")
    else:
        assert at.dataframe[0].value["track_id"].tolist() == [1, 2]
        loading().join()
        at.run()
        assert len(at.get("vega_lite_chart")) == 3  # timeline, expressions, faces
        assert at.header[0].value == "Report" and at.metric[1].value == "2"
        moment = at.button(key="moment 0")
        shown = own(at).chosen
        moment.click().run()
        assert own(at).chosen == shown + 1
    next(button for button in at.button if button.label.startswith("Delete")).click().run()
    assert place.closed and not place.folder.exists() and own(at).job is None
