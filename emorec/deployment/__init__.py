"""What a deployer sets by environment variables: one table with every name, range and default.

`Deployment.from_env` reads and checks them; no other module reads a setting from the environment.
A variable that is empty, or holds only spaces, counts as not set. The table of docs/deploy.md has
the same rows (a test compares them).
"""

from emorec.deployment.ice_servers import IceServer, checked_servers
from emorec.deployment.ranges import KEY_BYTES, Variable, decoded_key
from emorec.deployment.table import (
    ICE,
    KEEPING,
    KERAS_BACKENDS,
    LOG_FORMS,
    RUNTIMES,
    SETTINGS,
    STORE,
    VARIABLES,
    Deployment,
    problems,
)

__all__ = [
    "ICE",
    "KEEPING",
    "KERAS_BACKENDS",
    "KEY_BYTES",
    "LOG_FORMS",
    "RUNTIMES",
    "SETTINGS",
    "STORE",
    "VARIABLES",
    "Deployment",
    "IceServer",
    "Variable",
    "checked_servers",
    "decoded_key",
    "problems",
]
