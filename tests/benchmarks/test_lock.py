from __future__ import annotations

import pytest

from benchmarks.lock import part_of, tables

LOOP = "Server.run (uvicorn/server.py:86);BaseEventLoop._run_once (asyncio/base_events.py:1922);"


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (
            LOOP + "Handle._run;RTCDtlsTransport.__run (aiortc/rtcdtlstransport.py:572)",
            "packets in",
        ),
        (LOOP + "RTCRtpSender._run_rtp (aiortc/rtcrtpsender.py:400)", "packets out"),
        (LOOP, "event loop"),
        ("Thread.run;Worker._reading (emorec/live/worker.py:169);iou", "reading"),
        ("Thread.run;ScriptRunner._run_script_thread (script_runner.py:443)", "page"),
        ("Thread.run;something else", "other"),
    ],
)
def test_a_stack_counts_as_one_part(stack: str, part: str) -> None:
    assert part_of(stack) == part


def test_the_table_tells_what_a_session_takes() -> None:
    run = {"sessions": 2, "held": 0.5, "parts": {"reading": 0.1}, "shown_per_s": [30.0, 29.0]}
    assert "| 2 | 0.50 | 0.25 | 30.0, 29.0 | reading 0.100 |" in tables({"runs": [run]})
