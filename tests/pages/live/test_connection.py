"""What the connection check makes of a browser's answer."""

from __future__ import annotations

import pytest

from emorec.pages.live.connection import rows

STUN = {"urls": ["stun:a"]}
TURN = {"urls": ["turn:a"], "username": "u", "credential": "hush"}
BOTH = {"iceServers": [STUN, TURN]}
SEEN = {"found": True, "over": None, "whole": False, "errors": []}
GOOD = {
    "run": "1",
    "secure": True,
    "permission": "granted",
    "cameras": 1,
    "signalling_ms": 20,
    "stun": SEEN,
    "turn": SEEN | {"over": "udp"},
}
LOST = {"found": False, "over": None, "whole": False, "errors": []}


def test_before_an_answer_everything_waits_but_the_pictures():
    assert [row.state for row in rows({}, BOTH, None)] == ["wait"] * 5 + ["note"]


def test_while_the_servers_are_asked_the_rest_is_known():
    first = {key: GOOD[key] for key in ("run", "secure", "permission", "cameras")}
    states = [row.state for row in rows(first, BOTH, None)]
    assert states == ["good", "good", "wait", "wait", "wait", "note"]


def test_where_everything_works_every_row_is_good():
    shown = rows(GOOD, BOTH, 29.6)
    assert [row.state for row in shown] == ["good"] * 6
    assert (
        "20 ms" in shown[2].text and "over UDP" in shown[4].text and "30 pictures" in shown[5].text
    )


@pytest.mark.parametrize(
    ("answer", "rtc", "arriving", "title", "state", "says"),
    [
        ({"secure": False}, BOTH, None, "Secure page", "bad", "Open it with https://"),
        ({"secure": False}, BOTH, None, "Camera", "note", "not secure"),
        ({"permission": "denied"}, BOTH, None, "Camera", "bad", "allow the camera"),
        ({"cameras": 0}, BOTH, None, "Camera", "bad", "Plug one in"),
        ({"permission": "prompt"}, BOTH, None, "Camera", "note", "asks you"),
        ({"permission": "unknown"}, BOTH, None, "Camera", "note", "asks you"),
        ({"stun": LOST}, BOTH, None, "STUN", "bad", "another network"),
        ({"stun": LOST | {"whole": True}}, BOTH, None, "STUN", "good", "from outside"),
        ({"stun": LOST | {"whole": True, "errors": [701]}}, BOTH, None, "STUN", "bad", "firewall"),
        ({}, {"iceServers": [TURN]}, None, "STUN", "note", "no server is set"),
        ({"turn": LOST}, BOTH, None, "TURN", "bad", "emorec doctor"),
        ({"turn": LOST | {"errors": [701, 401]}}, BOTH, None, "TURN", "bad", "refuses"),
        ({"turn": SEEN}, BOTH, None, "TURN", "good", "a relay is ready."),
        ({}, {"iceServers": [STUN]}, None, "TURN", "note", "TURN_URL"),
        ({}, {"iceServers": []}, None, "TURN", "note", "no server is set"),
        ({}, BOTH, None, "Media", "note", "press START"),
        ({}, BOTH, 0.0, "Media", "bad", "no picture arrives"),
    ],
)
def test_each_fault_is_told_with_what_to_do(answer, rtc, arriving, title, state, says):
    row = {row.title: row for row in rows(GOOD | answer, rtc, arriving)}[title]
    assert (row.state, says in row.text) == (state, True), row.text
    assert "hush" not in row.text
