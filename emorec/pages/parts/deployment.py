"""What the deployer chose, for every page."""

from __future__ import annotations

from functools import cache

from emorec.deployment import Deployment


@cache
def deployment() -> Deployment:
    """Return what the deployer chose, read from the environment at the first call.

    Raises:
        EmorecError: a variable is wrong; `emorec.server.start.prepare` ends the start then.
    """
    return Deployment.from_env()
