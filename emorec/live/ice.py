"""Which STUN and TURN servers the browser and the server use to find each other.

The first configured provider of `emorec.live.ice_providers.PROVIDERS` is used. What it lends is
kept for all visitors and renewed at half its time, so that each visitor's lasts for at
least the other half.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from threading import Lock
from time import monotonic
from typing import Any

from emorec.errors import EmorecError
from emorec.live.ice_providers import PROVIDERS, Lease, Provider

log = logging.getLogger(__name__)

DEFAULT_ICE_SERVERS: tuple[dict[str, Any], ...] = ({"urls": ["stun:stun.l.google.com:19302"]},)
"""A public STUN server: enough unless a firewall lets no direct connection through."""

_RETRY_S = 30.0


def ice_servers(env: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Return the servers as WebRTC's ``RTCConfiguration.iceServers`` takes them.

    ``EMOREC_ICE_SERVERS=[]`` means none, for the same machine or network.

    Raises:
        EmorecError: a provider is configured wrongly or by half, or lends nothing. The line repeats
            no variable's content, which may be a password.
    """
    provider = chosen(env)
    if provider is None:
        return deepcopy(list(DEFAULT_ICE_SERVERS))
    given = {name: env[name].strip() for name in _given(provider, env)}
    with _keepers_lock:
        keeper = _keepers.setdefault(
            (provider.name, *given.values()), Keeper(lambda: provider.ask(given))
        )
    return keeper.servers()


def rtc_configuration(env: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return WebRTC's ``RTCConfiguration``, the same for browser and server.

    ``EMOREC_ICE_POLICY=relay`` lets the browser connect over a TURN server only.

    Raises:
        EmorecError: as of `ice_servers`; or the policy is unknown, or asks for a TURN server where
            there is none.
    """
    servers, policy = ice_servers(env), env.get("EMOREC_ICE_POLICY", "").strip().lower() or "all"
    if policy not in ("all", "relay"):
        raise EmorecError(f"EMOREC_ICE_POLICY: expected all or relay. Received {policy!r}.")
    if policy == "relay" and not has_relay(servers):
        raise EmorecError("EMOREC_ICE_POLICY: relay needs a TURN server (TURN_URL and others).")
    return {"iceServers": servers, "iceTransportPolicy": policy}


def chosen(env: Mapping[str, str] = os.environ) -> Provider | None:
    """Return who lends the servers: the first that is configured; None for the default.

    Raises:
        EmorecError: one before it, or it, is configured by half; one line for all of these.
    """
    halves: list[str] = []
    for provider in PROVIDERS:
        given = _given(provider, env)
        if any(set(given) == set(way) for way in provider.ways):
            if not halves:
                return provider
        elif given:
            ways = " or ".join(" + ".join(way) for way in provider.ways)
            halves.append(f"{provider.name}: expected {ways}. Received {' + '.join(given)}.")
    if halves:
        raise EmorecError(" ".join(halves))
    return None


def _given(provider: Provider, env: Mapping[str, str]) -> list[str]:
    return [name for name in provider.variables if env.get(name, "").strip()]


def has_relay(servers: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a TURN server is among the servers."""
    return any(url.startswith("turn") for server in servers for url in server["urls"])


class Keeper:
    """What one provider lent, for every thread; asks again at half its time.

    One that fails is asked again after half a minute at the earliest; as long as the servers at
    hand hold, nobody notices, and nobody but who asks waits.

    Args:
        ask: asks the provider; may take seconds, may raise an EmorecError.
        clock: gives seconds that never fall.
    """

    def __init__(self, ask: Callable[[], Lease], clock: Callable[[], float] = monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()  # of asking
        self._lent: list[dict[str, Any]] = []
        self._until_s = self._ask_at_s = float("-inf")
        self._problem = ""

    def servers(self) -> list[dict[str, Any]]:
        """Return the servers; a copy.

        Raises:
            EmorecError: the provider lends none, and those at hand hold no longer.
        """
        now_s = self._clock()
        if self._lock.acquire(blocking=now_s >= self._until_s):
            try:
                if now_s >= self._ask_at_s:
                    self._renew(now_s)
            finally:
                self._lock.release()
        if now_s >= self._until_s:
            raise EmorecError(self._problem)
        return deepcopy(self._lent)

    def _renew(self, now_s: float) -> None:
        try:
            lease = self._ask()
        except EmorecError as error:
            self._problem = str(error)
            self._ask_at_s = self._clock() + _RETRY_S
            log.warning("%s", error)
            return
        self._lent, self._until_s = lease.servers, now_s + lease.lasts_s
        self._ask_at_s = now_s + lease.lasts_s / 2


_keepers: dict[tuple[str, ...], Keeper] = {}
_keepers_lock = Lock()
