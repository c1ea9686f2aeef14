from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from emorec.deployment import LOG_FORMS
from emorec.server import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    names = ["uvicorn.error", "streamlit_webrtc", *logs._LEVELS]
    before = {name: logging.getLogger(name) for name in names}
    kept = {n: (lg.level, list(lg.handlers), lg.propagate) for n, lg in before.items()}
    handlers, hooks = list(root.handlers), (sys.excepthook, threading.excepthook)
    yield
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    for name, (level, own, propagate) in kept.items():
        before[name].setLevel(level)
        before[name].handlers, before[name].propagate = own, propagate
    root.handlers = handlers


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("nothing to hide: 3.5 s at 10:33:02", "nothing to hide: 3.5 s at 10:33:02"),
        ("version 1.67.0", "version 1.67.0"),
        ("from 192.0.2.7:3478.", "from <address>:3478."),
        ("('198.51.100.1', 80)", "('<address>', 80)"),
        ("http://[2001:db8::1]:8501/", "http://[<address>]:8501/"),
        ("fe80::1%eth0 is up", "<address> is up"),
        ("typ host 203.0.113.9 typ srflx 203.0.113.8", "typ host <address> typ srflx <address>"),
        ("std::vector and Face.x", "std::vector and Face.x"),
    ],
)
def test_addresses_are_taken_out(text: str, expected: str) -> None:
    assert logs.without_addresses(text) == expected


def test_a_json_line_has_time_level_logger_event_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("json")
    extra = {"faces": 2, "peer": "192.0.2.7", "time_": "x"}
    logging.getLogger("emorec.pages").info("photo read\nfrom 192.0.2.7", extra=extra)
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "emorec.pages",
        "event": "photo read\nfrom <address>",
        "faces": 2,
        "peer": "<address>",
        "time_": "x",
    }


def test_a_text_line_reads_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("text")
    logging.getLogger("emorec").warning("full", extra={"live": 4})
    assert capsys.readouterr().err.rstrip().endswith("WARNING emorec full live=4")


@pytest.mark.parametrize("form", LOG_FORMS)
def test_a_traceback_is_kept_without_addresses(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up(form)
    try:
        raise OSError("no route to 192.0.2.7")
    except OSError:
        logging.getLogger("emorec").exception("not sent")
    said = capsys.readouterr().err
    assert "Traceback" in said and "no route to <address>" in said


def test_what_goes_wrong_anywhere_is_a_line_of_the_same_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up("json")
    logs._uncaught(ValueError, ValueError("lost 192.0.2.7"), None)
    (line,) = lines(capsys)
    assert line["level"] == "CRITICAL" and "ValueError: lost <address>" in line["traceback"]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("aioice.ice", logging.INFO),  # network addresses
        ("aiortc.rtcpeerconnection", logging.DEBUG),
        ("streamlit_webrtc.webrtc", logging.INFO),  # the browser's candidates
    ],
)
def test_what_others_say_of_a_connection_stays_out(
    name: str, level: int, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.set_up("json")
    logging.getLogger(name).log(level, "Check CandidatePair(...)")
    assert not lines(capsys)
    logging.getLogger(name).error("failed")
    assert len(lines(capsys)) == 1


def test_handlers_of_others_give_way(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler())
    logs.set_up("json")
    logger.error("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]


def test_without_a_terminal_it_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("emorec").warning("so")
    assert lines(capsys)[0]["event"] == "so"


def test_the_same_event_does_not_fill_the_disk(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.set_up("json")
    now = 6000.0
    monkeypatch.setattr("time.time_ns", lambda: int(now * 1e9))
    monkeypatch.setattr("time.time", lambda: now)
    for number in range(50):
        logging.getLogger("emorec").warning("garbage %d", number)
    logging.getLogger("emorec").warning("something else")
    now += 60
    logging.getLogger("emorec").warning("garbage %d", 51)
    said = lines(capsys)
    assert [line["event"] for line in said] == [
        *(f"garbage {number}" for number in range(20)),
        "something else",
        "garbage 51",
    ]
    assert [line["event"] for line in said if "last_this_minute" in line] == ["garbage 19"]
