"""STUN and TURN servers, checked as a browser would check them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from emorec.errors import EmorecError

_STUN = re.compile(r"stuns?:[^?:\s]+(:\d{1,5})?")
TURN = re.compile(r"turns?:[^?:\s]+(:\d{1,5})?(\?transport=(udp|tcp))?")
"""The address of a TURN server."""


class IceServer(NamedTuple):
    """A STUN or TURN server as WebRTC's ``RTCIceServer`` describes it; only TURN has a login."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""

    def rtc(self) -> dict[str, Any]:
        """Return it as a member of ``RTCConfiguration.iceServers``."""
        login = {"username": self.username, "credential": self.credential}
        return {"urls": list(self.urls)} | (login if self.username else {})


def checked_servers(servers: Any, name: str) -> tuple[IceServer, ...]:
    """Return STUN and TURN servers with nothing but what browsers need.

    Args:
        servers: what JSON held: a list of ``RTCIceServer``, or one of them.
        name: of the variable or the provider that they come from, for the error line.

    Raises:
        EmorecError: a browser would refuse them; one line that repeats no content.
    """
    if isinstance(servers, dict):
        servers = [servers]
    if not isinstance(servers, list) or not all(
        isinstance(server, dict) and "urls" in server for server in servers
    ):
        raise EmorecError(f'{name}: expected a list like [{{"urls": ["stun:…"]}}].')
    return tuple(_server(server, f"{name}: ", at) for at, server in enumerate(servers, start=1))


def _server(server: Mapping[str, Any], who: str, place: int) -> IceServer:
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    if not urls or not all(
        isinstance(url, str) and (_STUN.fullmatch(url) or TURN.fullmatch(url)) for url in urls
    ):
        raise EmorecError(
            f"{who}server {place} needs addresses like stun:host:3478 or turn:host:3478."
        )
    login = [server.get(key) for key in ("username", "credential")]
    complete = all(isinstance(word, str) and word for word in login)
    if any(url.startswith("turn") for url in urls) and not complete:
        raise EmorecError(f"{who}TURN server {place} needs a username and a credential.")
    return IceServer(tuple(urls), *(login if complete else ()))
