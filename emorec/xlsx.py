"""Rows of an XLSX sheet, for every table that is written as one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from emorec.rows import plain

_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def add_row(sheet: Any, values: Iterable[object], bold: bool = False) -> None:
    """Append a row to a sheet of a ``Workbook(write_only=True)`` of openpyxl.

    A text stays a text where it begins like a formula; of characters that XML cannot hold, the
    escape sequence is written.

    Args:
        sheet: receives the row.
        values: texts, numbers, truth values, NumPy's too; None gives an empty cell.
        bold: as for a head.
    """
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    cells = []
    for value in values:
        if isinstance(value, str):
            cell = WriteOnlyCell(sheet, _NO_XML.sub(lambda char: ascii(char[0])[1:-1], value))
            cell.data_type = "s"  # openpyxl takes a text that begins with "=" for a formula
        else:
            cell = WriteOnlyCell(sheet, plain(value))
        if bold:
            cell.font = Font(bold=True)
        cells.append(cell)
    sheet.append(cells)
