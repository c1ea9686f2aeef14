"""What a browser may ask for: one picture, few addresses, and no more text than that takes."""

from __future__ import annotations

import asyncio

import pytest
from aioice import Candidate
from aiortc import RTCPeerConnection, RTCSessionDescription

from emorec.live.offer import (
    FOR_RELAYS,
    MOST_CANDIDATES,
    MOST_CHARACTERS,
    Candidates,
    OfferError,
    check,
    may_be_a_visitors,
)


def offered(*kinds: str, data: bool = False) -> str:
    async def offer() -> str:
        peer = RTCPeerConnection()
        try:
            for kind in kinds:
                peer.addTransceiver(kind, "sendrecv")
            if data:
                peer.createDataChannel("data")
            return (await peer.createOffer()).sdp
        finally:
            await peer.close()

    return asyncio.run(offer())


def test_one_picture_is_taken() -> None:
    check(RTCSessionDescription(offered("video"), "offer"))


@pytest.mark.parametrize(
    ("kinds", "data"),
    [
        ((), True),
        (("audio",), False),
        (("video", "audio"), False),
        (("video",), True),
        (("video",) * 2, False),
        (("video",) * 20, False),
    ],
)
def test_more_than_one_picture_is_refused(kinds: tuple[str, ...], data: bool) -> None:
    with pytest.raises(OfferError) as refused:
        check(RTCSessionDescription(offered(*kinds, data=data), "offer"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\x0b", "\x1c", "\x85", "\u2028"])
def test_a_second_picture_cannot_hide_behind_another_line_end(line_end: str) -> None:
    sdp = offered("video")
    section = sdp[sdp.index("m=video") :].replace("\r\n", line_end)
    with pytest.raises(OfferError):
        check(RTCSessionDescription(sdp + line_end + section, "offer"))


@pytest.mark.parametrize(
    "text", ["", "v=0", "m=", "m=video", "v=0\r\nm=video 9 x y\r\na=mid", "\0"]
)
def test_what_is_no_offer_is_refused(text: str) -> None:
    with pytest.raises(OfferError):
        check(RTCSessionDescription(text, "offer"))


def test_an_answer_is_no_offer() -> None:
    with pytest.raises(OfferError):
        check(RTCSessionDescription(offered("video"), "answer"))


def test_a_long_offer_is_refused_unread() -> None:
    sdp = offered("video")
    check(RTCSessionDescription(sdp + "a=x\r\n" * ((MOST_CHARACTERS - len(sdp)) // 5), "offer"))
    with pytest.raises(OfferError, match="characters"):
        check(RTCSessionDescription(sdp + "a=x\r\n" * (MOST_CHARACTERS // 5), "offer"))


@pytest.mark.parametrize(
    ("host", "elsewhere", "here"),
    [
        ("203.0.113.7", True, True),
        ("192.168.1.7", True, True),
        ("10.0.0.7", True, True),
        ("2001:db8::7", True, True),
        ("fd00::7", True, True),
        ("127.0.0.1", False, True),
        ("127.1.2.3", False, True),
        ("::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("169.254.169.254", False, True),
        ("fe80::7", False, True),
        ("fe80::7%eth0", False, True),
        ("224.0.0.1", False, False),
        ("::ffff:224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("victim.example", False, False),
        ("", False, False),
    ],
)
def test_an_address_that_cannot_be_a_visitors_is_not_tried(
    host: str, elsewhere: bool, here: bool
) -> None:
    assert may_be_a_visitors(host) is elsewhere
    assert may_be_a_visitors(host, loopback=True) is here


def candidate(host: str, kind: str = "host", transport: str = "udp", port: int = 1000) -> Candidate:
    return Candidate("1", 1, transport, 1, host, port, kind)


def test_relays_are_tried_however_many_networks_come_before_them() -> None:
    own = Candidates()
    networks = [own.take(candidate(f"10.0.0.{n}")) for n in range(40)]
    assert sum(networks) == MOST_CANDIDATES - FOR_RELAYS
    relays = [own.take(candidate(f"203.0.113.{n}", "relay")) for n in range(40)]
    assert sum(relays) == FOR_RELAYS and relays[0]


def test_what_is_not_tried_takes_no_room() -> None:
    own = Candidates()
    for _ in range(40):
        assert not own.take(candidate("10.0.0.1", transport="tcp", port=9))
        assert not own.take(candidate("127.0.0.1"))
        assert not own.take(candidate("victim.example"))
    assert own.take(candidate("10.0.0.1"))
    for _ in range(40):
        assert not own.take(candidate("10.0.0.1"))  # named in the offer, and again after it
    assert own.take(candidate("2d0c5b2e-0f6f-4d0e-9d2a-7f6f1b8d0d5a.local", port=1001))
    assert not own.takes_address("127.0.0.1") and own.takes_address("192.168.1.7")
