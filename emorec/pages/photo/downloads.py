"""What the visitor takes away of all photos: tables, and one zip of everything."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from emorec.filenames import dated
from emorec.pages.parts import totals
from emorec.photos.reading import ReadPhoto
from emorec.rows import columns, face_rows, picture_object, to_csv, to_json
from emorec.words import N_, _
from emorec.xlsx import add_row

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HELP = N_(
    "A zip file with the annotated pictures (JPEG, at most 2048 pixels long), the table of all "
    "faces and the JSON. A single picture can be had larger: open it."
)


@dataclass(frozen=True, slots=True)
class Export:
    """What is taken away.

    Attributes:
        photos: the name of each file that was read, and what was read from it.
        made_with: the header of the JSON.
        names: whether faces were named.
        group_only: whether nothing of a single face may be taken away.
    """

    photos: Sequence[tuple[str, ReadPhoto]]
    made_with: dict[str, Any]
    names: bool
    group_only: bool

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of all faces."""
        return [row for file, photo in self.photos for row in face_rows(photo.result, file=file)]

    def csv(self) -> str:
        """Return the table of all faces as CSV."""
        return to_csv(self.rows(), columns(file=True))

    def json(self) -> str:
        """Return one JSON object; under Group only each photo has totals in place of faces."""
        make = self._group if self.group_only else self._picture
        return to_json(self.made_with, photos=[make(file, photo) for file, photo in self.photos])

    def xlsx(self) -> bytes:
        """Return the table of all faces as a spreadsheet."""
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("faces")
        names = columns(file=True)
        add_row(sheet, names, bold=True)
        for row in self.rows():
            add_row(sheet, (row[name] for name in names))
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()

    def zip(self) -> bytes:
        """Return all of it in one file."""
        stream, taken = io.BytesIO(), Counter[str]()
        with zipfile.ZipFile(stream, "w") as file:
            for name, photo in self.photos:
                file.writestr(f"pictures/{_own_name(name, taken)}", photo.shown)
            if not self.group_only:
                file.writestr("faces.csv", self.csv(), zipfile.ZIP_DEFLATED)
                file.writestr("faces.xlsx", self.xlsx())
            file.writestr("photos.json", self.json(), zipfile.ZIP_DEFLATED)
        return stream.getvalue()

    def _picture(self, file: str, photo: ReadPhoto) -> dict[str, Any]:
        return picture_object(file, photo.result, self.names)

    def _group(self, file: str, photo: ReadPhoto) -> dict[str, Any]:
        faces = photo.result.faces
        counts = totals.totals(faces) if totals.told(faces, group_only=True) else None
        size = list(photo.result.size_wh)
        return {"file": file, "size": size, "count": len(faces), "totals": counts}


def show(export: Export) -> None:
    """Offer it."""
    row = st.container(horizontal=True, gap="small")
    # All is made when the visitor asks for it.
    row.download_button(
        _("Download all"),
        export.zip,
        dated("photos.zip"),
        "application/zip",
        key="photo zip",
        on_click="ignore",
        type="primary",
        icon=":material/folder_zip:",
        help=_(_HELP),
    )
    offered: list[tuple[str, Any, str]] = [("JSON", export.json, "application/json")]
    if not export.group_only:
        offered = [("XLSX", export.xlsx, _XLSX), ("CSV", export.csv, "text/csv"), *offered]
    for kind, content, mime in offered:
        row.download_button(
            kind,
            content,
            dated(f"photos.{kind.lower()}"),
            mime,
            key=f"photo {kind}",
            on_click="ignore",
            icon=":material/data_object:" if kind == "JSON" else ":material/table:",
        )


def _own_name(name: str, taken: Counter[str]) -> str:
    """Return a name for a picture in the zip that no other picture there has."""
    stem = PurePath(name.replace("\\", "/")).stem or "photo"
    # As for the command line: on macOS and Windows A.jpg and a.jpg are the same file.
    taken[stem.casefold()] += 1
    number = taken[stem.casefold()]
    return f"{stem}_emorec{f'_{number}' if number > 1 else ''}.jpg"
