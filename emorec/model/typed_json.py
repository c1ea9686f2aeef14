"""JSON files that hold frozen records: read into their types, and checked part by part.

A record is a dataclass. Its fields are text, numbers, truth values, tuples, mappings by name, or
records again. A field with a default may be missing in a file; None is never written. What a file
holds beside the fields is ignored.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from emorec.errors import ModelError

Share = Annotated[float, "share"]
"""A number in [0, 1]."""


def read(kind: Any, path: Path, writer: str) -> Any:
    """Return what a file holds as this type; None where there is no such file.

    Args:
        kind: a record, or a mapping of names to records.
        path: of the file.
        writer: the command that writes such a file, for the error.

    Raises:
        ModelError: the file cannot be read, or is no such record; says which part is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}).") from error
    try:
        return typed(kind, content)
    except ValueError as error:
        raise ModelError(f"{path}: {error} `{writer}` writes this file.") from error


def write(kind: Any, value: Any, path: Path) -> None:
    """Write a file that `read` accepts.

    Raises:
        ModelError: a part of the value is not what `read` accepts; the file stays as it was.
    """
    content = as_json(value)
    try:
        typed(kind, content)
    except ValueError as error:
        raise ModelError(f"{path}: {error} The file was not written.") from error
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def as_json(value: Any) -> Any:
    """Return a record, or records by name, as objects, lists and numbers, without what is None."""
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    return asdict(
        value,  # records inside it become objects by the same rule
        dict_factory=lambda parts: {name: part for name, part in parts if part is not None},
    )


def typed(kind: Any, value: Any, place: str = "") -> Any:
    """Return a value of a JSON file as the type that it stands for.

    Args:
        kind: a record, or the type of a field.
        value: what the file holds.
        place: of the value in the file, for the error.

    Raises:
        ValueError: it is no such value; says where, what was expected and what was received.
    """
    if kind is Any:
        return value
    if kind in _PLAIN:
        expected, fits = _PLAIN[kind]
        if not fits(value):
            raise _unfit(place, expected, value)
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):  # X | None, and a file has no None
        return typed(arguments[0], value, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _unfit(place, "a list", value)
        return tuple(typed(arguments[0], each, f"{place}[{i}]") for i, each in enumerate(value))
    if not isinstance(value, dict):
        raise _unfit(place, "an object", value)
    inside = f"{place}." if place else ""
    if origin is Mapping:
        return {name: typed(arguments[1], each, inside + name) for name, each in value.items()}
    assert is_dataclass(kind), kind
    hints, parts = get_type_hints(kind, include_extras=True), {}
    for field in fields(kind):
        if field.name in value:
            parts[field.name] = typed(hints[field.name], value[field.name], inside + field.name)
        elif field.default is MISSING:
            raise ValueError(f"expected {inside}{field.name}. Received {_short(value)}.")
    record: Any = kind
    try:
        return record(**parts)
    except ValueError as error:  # its parts do not fit each other
        raise ValueError(f"{place}: {error}") from error


def _unfit(place: str, expected: str, value: Any) -> ValueError:
    where = f"{place}: " if place else ""
    return ValueError(f"{where}expected {expected}. Received {_short(value)}.")


def _short(value: Any, length: int = 80) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= length else f"{text[:length]} …"


def _number(value: Any, least: float, most: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and least <= value <= most


_PLAIN = {
    str: ("text", lambda value: isinstance(value, str)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a count", lambda value: isinstance(value, int) and _number(value, 0, math.inf)),
    float: ("a number", lambda value: _number(value, -math.inf, math.inf)),
    Share: ("a number from 0 to 1", lambda value: _number(value, 0, 1)),
}
