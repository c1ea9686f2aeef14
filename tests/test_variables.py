"""Every environment variable that the code reads stands in docs/deploy.md, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emorec.live.ice_providers import PROVIDERS
from emorec.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "app.py", *sorted((ROOT / "emorec").rglob("*.py"))]
OF_THE_PLATFORM = {"LOCALAPPDATA", "TF_CPP_MIN_LOG_LEVEL", "XDG_DATA_HOME"}


class Asked(dict[str, str]):
    """An environment that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> object:
        self.names.add(name)
        return default


def is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in ("env", "environ", "os.environ")


def names(source: str) -> Iterator[str]:
    """Yield each variable that the source asks an environment for by its name."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=of), args=[ast.Constant(value=str(name)), *_]):
                if is_environment(of):
                    yield name
            case ast.Call(
                func=ast.Name(id="number" | "switch"), args=[ast.Constant(value=str(name)), *_]
            ):
                yield name
            case ast.Subscript(value=of, slice=ast.Constant(value=str(name))):
                if is_environment(of):
                    yield name
            case ast.Compare(left=ast.Constant(value=str(name)), comparators=[of]):
                if is_environment(of):
                    yield name


def asked_for() -> set[str]:
    environment = Asked()
    Settings.from_env(environment)
    lenders = {name for provider in PROVIDERS for name in provider.variables}
    literal = {name for path in SOURCES for name in names(path.read_text(encoding="utf-8"))}
    return (literal | lenders | environment.names) - OF_THE_PLATFORM


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", set()),
        ("env.get('A', '')", {"A"}),
        ("os.environ['A']", {"A"}),
        ("os.environ['A'] = 'b'", {"A"}),
        ("'A' in env", {"A"}),
        ("number('A', 1, 2)", {"A"}),
        ("switch('A', env)", {"A"}),
        ("row.get('A')", set()),
    ],
)
def test_variables_are_seen(source: str, expected: set[str]) -> None:
    assert set(names(source)) == expected


def test_the_table_holds_what_the_code_reads_and_nothing_else() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([A-Z_]+)` \|", page.partition("## All variables")[2], re.MULTILINE)
    assert sorted(table) == sorted(set(table)), "a variable stands there twice"
    assert set(table) == asked_for()
