"""The notebook runs from top to bottom, and what is kept of it is what it shows now."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tools.notebook import NOTEBOOK, executed

MOST_BYTES = 1_500_000
KEPT = nbformat.read(NOTEBOOK, as_version=4)
CODE = [cell for cell in KEPT.cells if cell.cell_type == "code"]
AGAIN = "`make notebook-run` runs it anew and keeps what it shows"

_PLACES = re.compile(r"(?<![\w.:/])/(?:work|tmp|opt|home|root|usr|var|private|Users)/|[A-Z]:\\\\")


def kinds(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """What each cell shows, in kind: its streams, and the richest form of each output."""
    return [
        [
            output.get("name") or min(output.get("data", {output.output_type: ""}))
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.long
def test_it_runs_from_top_to_bottom_and_shows_what_is_kept() -> None:
    assert kinds(executed()) == kinds(KEPT), AGAIN


def test_a_cell_that_raises_fails(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell("1 / 0")]
    file = tmp_path / "broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), file)
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        executed(file)


def test_every_cell_was_run_in_its_order() -> None:
    assert [cell.execution_count for cell in CODE] == list(range(1, len(CODE) + 1)), AGAIN
    assert sum("image" in kind for cell in kinds(KEPT) for kind in cell) >= 8


def test_nothing_went_wrong_when_it_was_run() -> None:
    outputs = [output for cell in CODE for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]


def test_it_is_small_and_tells_nothing_of_the_machine() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert not _PLACES.findall(text)
    assert KEPT.metadata.kernelspec.name == "python3"
    assert KEPT.metadata.keys() == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in KEPT.cells)
