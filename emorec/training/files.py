"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def replace_whole(file: Path, write: Callable[[Path], Any]) -> None:
    """Write a file so that a crash or a full disk leaves the previous one as it was."""
    part = file.with_name(f"part.{file.name}")
    try:
        write(part)
        with part.open("r+b") as done:
            os.fsync(done.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
