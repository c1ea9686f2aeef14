"""Build hook: adds the files at the root of the checkout to a wheel.

An editable installation uses them in the checkout and gets no copy, which would become outdated.
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = (".streamlit/config.toml", "app.py", "haarcascade_frontalface_default.xml", "models")


class Bundle(BuildHookInterface):
    """Copy `FILES` to the folder where emorec/paths.py searches first."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them to a standard wheel."""
        if version == "standard":
            build_data["force_include"] |= {name: f"emorec/_data/{name}" for name in FILES}
