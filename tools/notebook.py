"""Run the notebook from top to bottom and keep what it shows: ``python -m tools.notebook``.

What changes from run to run and says nothing (times, versions, counts of the kernel) is left out.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "notebooks" / "emotion_recognition.ipynb"
_CELL_S = 600  # on a machine that is busy with other things


def executed(file: Path = NOTEBOOK) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of this Python and return it with what it shows.

    Args:
        file: read, and not changed; its cells run in its folder.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raises.
    """
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=_CELL_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(file.parent)}},
        record_timing=False,
        coalesce_streams=True,
    )
    # Streamlit, where it was imported, told every child of this process to draw into no notebook.
    clean = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    client.execute(env=clean)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def main() -> None:
    """Run the project's notebook and write it back."""
    nbformat.write(executed(), NOTEBOOK)


if __name__ == "__main__":
    main()
