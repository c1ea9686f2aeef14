"""By which host names the app may be asked for.

A page of another site can have its own name resolve to this machine (DNS rebinding). Its requests
then carry that name as Host and as Origin, and the two agree. So the name itself is checked.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

LOCAL = ("localhost", "*.localhost", "127.0.0.1", "::1")
"""The names of this machine that a browser itself resolves, or that need no resolving."""


def served_locally() -> bool:
    """Return whether the app answers on this machine alone, as by `emorec run`."""
    address = str(st.get_option("server.address") or "")
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def named(chosen: Collection[str] | None) -> Collection[str] | None:
    """Return the host names that the app may be asked for by; None: any.

    Args:
        chosen: the names that the deployer chose; None: none were chosen.
    """
    if chosen is not None:
        return chosen
    return LOCAL if served_locally() else None


def host_of(netloc: str) -> str:
    """Return the name in a Host header or an origin, without its port; empty where it is none."""
    try:
        parts = urlsplit(netloc if "//" in netloc else f"//{netloc}")
        _ = parts.port  # it is checked only when it is asked for
    except ValueError:
        return ""
    if parts.username is not None or parts.password is not None:
        return ""
    return (parts.hostname or "").rstrip(".")


def is_named(host: str, names: Collection[str]) -> bool:
    """Return whether a host is one of the names; ``*.example.org`` stands for every name below."""
    return any(
        host.endswith(name[1:]) if name.startswith("*.") else host == name for name in names if host
    )
