"""What a visitor's browser may ask of the server before anything of it is set up.

A place in the room stands for one camera's picture in and one drawn picture out. One offer with 20
pictures in it took 154 % of a core in a single place, and another visitor fell from 28.8 to 0.6
pictures a second.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from aioice import Candidate
from aioice.mdns import is_mdns_hostname
from aiortc import RTCSessionDescription
from aiortc.sdp import SessionDescription

from emorec.errors import EmorecError
from emorec.words import N_

MOST_CHARACTERS = 32_000
"""Chromium's offer of one picture, with all its codecs and 10 candidates, has 8,000."""

MOST_CANDIDATES, FOR_RELAYS = 16, 4
"""Network addresses tried of one visitor, and how many of them are for relays, which a browser
names last: a laptop with four networks names eight, and two relays."""

_UNREADABLE = (ValueError, LookupError, AssertionError, TypeError, AttributeError)


class OfferError(EmorecError):
    """A connection that is not made; one line for the visitor."""


def check(offer: RTCSessionDescription) -> None:
    """Check that an offer asks for one picture and for nothing else.

    Raises:
        OfferError: it is too long, cannot be read, or asks for more or for something else.
    """
    if len(offer.sdp) > MOST_CHARACTERS:
        raise OfferError(
            N_(
                "The browser's offer has {n} characters; at most {most} are read. Reload the page, "
                "and press START."
            ),
            n=len(offer.sdp),
            most=MOST_CHARACTERS,
        )
    try:
        media = SessionDescription.parse(offer.sdp).media
    except _UNREADABLE:
        raise OfferError(N_("The browser's offer cannot be read. Reload the page.")) from None
    kinds = [section.kind for section in media]
    if offer.type != "offer" or kinds != ["video"]:
        raise OfferError(
            N_(
                "The browser asked for something else than one picture. Reload the page, and press "
                "START; if that does not help, try another browser."
            )
        )


class Candidates:
    """Which of the candidates of one visitor are tried: UDP, each once, and not too many.

    Args:
        loopback: as of `may_be_a_visitors`.
    """

    def __init__(self, loopback: bool = False) -> None:
        self._loopback = loopback
        self._named: set[tuple[str, int]] = set()
        self._direct = 0

    def take(self, candidate: Candidate) -> bool:
        """Return whether a candidate is to be tried; an mDNS name is, and its address after it."""
        place = (candidate.host, candidate.port)
        if candidate.transport.lower() != "udp" or place in self._named:
            return False
        if not (is_mdns_hostname(candidate.host) or self.takes_address(candidate.host)):
            return False
        direct = candidate.type != "relay"
        if len(self._named) >= MOST_CANDIDATES:
            return False
        if direct and self._direct >= MOST_CANDIDATES - FOR_RELAYS:
            return False
        self._direct += direct
        self._named.add(place)
        return True

    def takes_address(self, host: str) -> bool:
        """Return whether an address, which may come from mDNS, is to be tried."""
        return may_be_a_visitors(host, self._loopback)


def may_be_a_visitors(host: str, loopback: bool = False) -> bool:
    """Return whether a candidate's address can be one at which a visitor is reached.

    Private addresses can: browsers name them as a rule.

    Args:
        host: an IP address.
        loopback: whether the visitor may be on this machine.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_link_local:
        return loopback
    unused = isinstance(address, IPv4Address) and address.is_reserved  # and the broadcast address
    return not (unused or address.is_multicast or address.is_unspecified)
