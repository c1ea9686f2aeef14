"""Build hook: a wheel carries the files that a checkout has at its root.

An editable installation finds them there and gets no second, ageing copy.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = (".streamlit/config.toml", "app.py", "haarcascade_frontalface_default.xml", "models")


class Bundle(BuildHookInterface):
    """Put `FILES` where emorec/paths.py looks first."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them to a standard wheel."""
        if version == "standard":
            build_data["force_include"] |= {name: f"emorec/_data/{name}" for name in FILES}
