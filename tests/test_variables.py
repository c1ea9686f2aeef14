"""Settings are read from the environment in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "app.py", *sorted((ROOT / "emorec").rglob("*.py"))]

READER = "emorec/deployment/table.py"
# These do not read a setting: they hand variables to a process or to a library that is started.
WRITERS = {
    "emorec/cli.py": "`emorec run` passes its options on to the server that it starts",
    "emorec/media/workers.py": "leaves the secrets out of a worker's environment",
    "emorec/model/runtime.py": "names the backend to Keras, and quietens TensorFlow",
    "emorec/training/export.py": "starts another Python with a backend of its own",
}


def lines(source: str) -> Iterator[int]:
    """Yield the line of each place that names the environment."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv"):
                yield node.lineno
            case ast.ImportFrom(module="os", names=names):
                if {name.name for name in names} & {"environ", "environb", "getenv"}:
                    yield node.lineno


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", []),
        ("env.get('A')", []),
        ("os.environ['A']", [1]),
        ("def f(env=os.environ): ...", [1]),
        ("\nos.getenv('A')", [2]),
        ("from os import environ", [1]),
        ("from os import path", []),
    ],
)
def test_the_environment_is_seen(source: str, expected: list[int]) -> None:
    assert list(lines(source)) == expected


def test_one_module_reads_settings_from_the_environment() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if list(lines(path.read_text(encoding="utf-8")))
    }
    assert found == {READER, *WRITERS}
