"""Run the whole notebook and save its output: ``python -m tools.notebook``.

Metadata that change with every run (times, versions, execution counts) are removed.
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
    """Run a notebook in a kernel of this Python and return it with its output.

    Args:
        file: the notebook; it is not changed. Its cells run in its folder.

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
    # If Streamlit was imported, it set a variable that stops child processes from showing charts.
    clean = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    client.execute(env=clean)
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def main() -> None:
    """Run the project's notebook and write it back."""
    nbformat.write(executed(), NOTEBOOK)


if __name__ == "__main__":
    main()
