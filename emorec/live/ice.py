"""Selects the STUN and TURN servers that connect the browser with the server.

The first configured provider of `emorec.live.ice_providers.PROVIDERS` is used. Its servers are
shared by all visitors and renewed after half their lifetime, so each visitor can use them for at
least the other half.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from time import monotonic
from typing import Any

from emorec.deployment import VARIABLES, Deployment, IceServer
from emorec.errors import EmorecError
from emorec.live.ice_providers import PROVIDERS, Lease, Provider
from emorec.words import N_

log = logging.getLogger(__name__)

DEFAULT_ICE_SERVERS = (IceServer(("stun:stun.l.google.com:19302",)),)
"""A public STUN server: enough unless a firewall blocks direct connections."""

_RETRY_S = 30.0


def ice_servers(deployment: Deployment) -> tuple[IceServer, ...]:
    """Return the servers of the first configured provider; may take seconds.

    Raises:
        EmorecError: as in `chosen`; or the provider gives no servers. The line never holds the
            value of a variable, because it may be a password.
    """
    provider = chosen(deployment)
    if provider is None:
        return DEFAULT_ICE_SERVERS
    values = tuple(getattr(deployment, name) for name in provider.fields)
    with _keepers_lock:
        keeper = _keepers.setdefault(
            (provider.name, values), Keeper(lambda: provider.ask(deployment))
        )
    return keeper.servers()


def rtc_configuration(deployment: Deployment) -> dict[str, Any]:
    """Return a new WebRTC ``RTCConfiguration``, the same for browser and server.

    With ``EMOREC_ICE_POLICY=relay`` the browser connects over a TURN server only.

    Raises:
        EmorecError: as in `ice_servers`; or the policy needs a TURN server and there is none.
    """
    servers = [server.rtc() for server in ice_servers(deployment)]
    if deployment.ice_policy == "relay" and not has_relay(servers):
        raise EmorecError(N_("EMOREC_ICE_POLICY: relay needs a TURN server (TURN_URL and others)."))
    return {"iceServers": servers, "iceTransportPolicy": deployment.ice_policy}


def check(deployment: Deployment) -> None:
    """Check that the variables fit together; no provider is asked for that.

    Raises:
        EmorecError: as in `chosen`; or the policy needs a TURN server and none is configured.
    """
    provider = chosen(deployment)
    if provider is None or deployment.ice_servers is not None:
        rtc_configuration(deployment)  # needs no request to a provider in this case


def chosen(deployment: Deployment) -> Provider | None:
    """Return the first configured provider; None means the default servers.

    Raises:
        EmorecError: a provider has only some of its variables set, and no provider before it is
            configured; one line for all such providers.
    """
    incomplete: list[str] = []
    for provider in PROVIDERS:
        given = [name for name in provider.fields if getattr(deployment, name) is not None]
        if any(set(given) == set(way) for way in provider.ways):
            if not incomplete:
                return provider
        elif given:
            ways = " or ".join(map(_variables, provider.ways))
            incomplete.append(f"{provider.name}: expected {ways}. Received {_variables(given)}.")
    if incomplete:
        raise EmorecError(" ".join(incomplete))
    return None


def has_relay(servers: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a TURN server is among the members of ``RTCConfiguration.iceServers``."""
    return any(url.startswith("turn") for server in servers for url in server["urls"])


def _variables(names: Iterable[str]) -> str:
    return " + ".join(VARIABLES[name].name for name in names)


class Keeper:
    """Stores one provider's servers for all threads and renews them after half their lifetime.

    After a failure the provider is asked again after 30 seconds at the earliest. While the stored
    servers are still valid, a failure has no effect, and only the thread that asks has to wait.

    Args:
        ask: asks the provider; may take seconds, may raise an EmorecError.
        clock: returns seconds that never fall.
    """

    def __init__(self, ask: Callable[[], Lease], clock: Callable[[], float] = monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = Lock()  # held by the thread that asks
        self._lent: tuple[IceServer, ...] = ()
        self._until_s = self._ask_at_s = float("-inf")
        self._problem: EmorecError | None = None

    def servers(self) -> tuple[IceServer, ...]:
        """Return the servers.

        Raises:
            EmorecError: the provider gives none, and the stored ones are no longer valid.
        """
        now_s = self._clock()
        if self._lock.acquire(blocking=now_s >= self._until_s):
            try:
                if now_s >= self._ask_at_s:
                    self._renew(now_s)
            finally:
                self._lock.release()
        if now_s >= self._until_s:
            raise EmorecError("{why}", why=self._problem)
        return self._lent

    def _renew(self, now_s: float) -> None:
        try:
            lease = self._ask()
        except EmorecError as error:
            self._problem = error
            self._ask_at_s = self._clock() + _RETRY_S
            log.warning("%s", error)
            return
        self._lent, self._until_s = lease.servers, now_s + lease.lasts_s
        self._ask_at_s = now_s + lease.lasts_s / 2


_keepers: dict[tuple[str, tuple[Any, ...]], Keeper] = {}
_keepers_lock = Lock()
