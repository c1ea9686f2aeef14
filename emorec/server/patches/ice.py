"""Changes of aioice: which addresses a connection tries, and when it has ended."""

from __future__ import annotations

import aioice.ice

from emorec.live.offer import Candidates
from emorec.server.hosts import served_locally


def notice_the_dead_sooner() -> None:
    """`aioice.ice.CONSENT_FAILURES`: 4 in place of 6.

    A browser that was killed sends no goodbye, so aioice asks it every 4 to 6 s whether it is still
    there (`aioice.ice.Connection.query_consent`). After four questions without an answer the
    connection ends, so within 30 s.
    """
    aioice.ice.CONSENT_FAILURES = 4


def try_few_addresses() -> None:
    """`aioice.ice.Connection.add_remote_candidate`: 16, and none that cannot be a visitor's.

    aioice sends a check, which carries text of the visitor's, up to seven times to every address
    that the visitor names: 300 addresses of others in one offer gave 2,100 packets.
    `aioice.ice.Connection._add_remote_candidate` gets the address, which may come from mDNS.
    """
    add, add_at = (
        aioice.ice.Connection.add_remote_candidate,
        aioice.ice.Connection._add_remote_candidate,
    )

    def own(connection: aioice.ice.Connection) -> Candidates:
        found: Candidates = connection.__dict__.setdefault(
            "candidates_named", Candidates(loopback=served_locally())
        )
        return found

    async def add_few(
        connection: aioice.ice.Connection, candidate: aioice.Candidate | None
    ) -> None:
        if candidate is None or own(connection).take(candidate):
            await add(connection, candidate)

    def add_at_address(
        connection: aioice.ice.Connection, candidate: aioice.Candidate, host: str
    ) -> None:
        if own(connection).takes_address(host):
            add_at(connection, candidate, host)

    aioice.ice.Connection.add_remote_candidate = add_few  # type: ignore[assignment, method-assign]
    aioice.ice.Connection._add_remote_candidate = add_at_address  # type: ignore[assignment, method-assign]
