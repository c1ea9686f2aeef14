"""The files that a video was read into: which there are, and by which names visitors get them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath

VIDEO = "video.mp4"
TOTALS = "totals.json"
CSV, JSON, PARQUET = "timeline.csv", "timeline.json", "timeline.parquet"

ZIP = "all.zip"
"""Stands for all of them in one file, which is made while it is sent."""

ZIP_NAME = "emorec_video.zip"

_TYPES = {
    ".mp4": "video/mp4",
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".jpg": "image/jpeg",
}
_COMPRESSED = (".mp4", ".parquet", ".jpg")


@dataclass(frozen=True, slots=True)
class File:
    """A result.

    Attributes:
        path: where it lies.
        shown: the name that a visitor gets it by.
    """

    path: Path
    shown: str

    @property
    def media_type(self) -> str:
        return _TYPES[self.path.suffix]

    @property
    def compresses(self) -> bool:
        """Whether it becomes smaller in a ZIP file."""
        return self.path.suffix not in _COMPRESSED


def moment(number: int) -> str:
    """Return the name of the small picture of a strongest moment."""
    return f"moment-{number}.jpg"


def files(folder: Path, name: str) -> dict[str, File]:
    """Return the results that lie in a folder, by their names there.

    Args:
        folder: of the video.
        name: of the visitor's video; their names begin like it.
    """
    stem = PurePath(name).stem or "video"
    found = {}
    for each in (VIDEO, CSV, JSON, PARQUET, TOTALS):
        path = folder / each
        if path.is_file():
            ending = path.suffix if path.name != TOTALS else f"_{TOTALS}"
            found[each] = File(path, f"{stem}_emorec{ending}")
    for path in sorted(folder.glob("moment-*.jpg")):
        found[path.name] = File(path, f"{stem}_emorec_{path.name}")
    return found
