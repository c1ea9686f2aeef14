"""Which STUN and TURN servers the browser and the server use to find each other."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from emorec.errors import EmorecError

DEFAULT_ICE_SERVERS: tuple[dict[str, Any], ...] = ({"urls": ["stun:stun.l.google.com:19302"]},)
"""A public STUN server: enough unless a firewall lets no direct connection through."""


def ice_servers(env: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Return the servers as WebRTC's ``RTCConfiguration.iceServers`` takes them.

    ``EMOREC_ICE_SERVERS`` holds them as JSON; ``[]`` means none, for the same machine or network.

    Raises:
        EmorecError: the variable holds no such list. The line does not repeat its content, which
            may hold a password.
    """
    text = env.get("EMOREC_ICE_SERVERS", "").strip()
    if not text:
        return [dict(server) for server in DEFAULT_ICE_SERVERS]
    try:
        servers = json.loads(text)
    except json.JSONDecodeError as error:
        raise EmorecError(f"EMOREC_ICE_SERVERS: is no JSON ({error.msg}).") from None
    if not isinstance(servers, list) or not all(
        isinstance(server, dict) and "urls" in server for server in servers
    ):
        raise EmorecError('EMOREC_ICE_SERVERS: expected a list like [{"urls": ["stun:…"]}].')
    return servers
