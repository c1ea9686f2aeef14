#!/usr/bin/env python3
"""The catalogue of the pages' words: emorec/words/de.po, and de.mo, which the app reads.

    python -m tools.words extract   # after a text in the code has changed: puts it into de.po
    python -m tools.words compile   # after de.po has changed: writes de.mo
    python -m tools.words check     # says what is missing or wrong; `make test` does the same

A text whose English has changed keeps its old translation, marked "fuzzy": correct it, and take the
mark away.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from emorec.words import FOLDER, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
PO, MO = FOLDER / "de.po", FOLDER / "de.mo"
_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # else the file would change with every compilation
_WIDTH = 96
_COMMENT = "# The German words of EmoRec's pages. `python -m tools.words` says how to change them."


def files() -> list[Path]:
    """Return the files whose texts are translated."""
    found = [ROOT / "app.py", *sorted((ROOT / "emorec").rglob("*.py"))]
    return [file for file in found if b"emorec.words import" in file.read_bytes()] + sorted(
        (ROOT / "emorec").rglob("*.j2")
    )


def texts() -> Catalog:
    """Return the texts that the code holds, each with the files that it is in."""
    catalog = Catalog()
    for file in files():
        place = file.relative_to(ROOT).as_posix()
        content = file.read_bytes()
        if file.suffix == ".j2":
            for match in re.finditer(rb"_\(\"([^\"]+)\"\)", content):
                catalog.add(match[1].decode(), locations=[(place, 0)])
            continue
        calls = [each for each in ast.walk(ast.parse(content)) if isinstance(each, ast.Call)]
        for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
            if text := _text(call):
                catalog.add(text, locations=[(place, 0)])
    return catalog


def _text(call: ast.Call) -> str | tuple[str, ...] | None:
    """Return the text that a call translates, with its plural; None: it is no such call."""
    name = getattr(call.func, "id", "")
    strings = [each.value for each in call.args if isinstance(each, ast.Constant)]
    texts = tuple(each for each in strings if isinstance(each, str) and each)
    if name in ("_", "N_") and len(texts) == 1:
        return texts[0]
    return texts if name == "ngettext" and len(texts) == 2 else None


def translated() -> Catalog:
    """Return the German catalogue."""
    if not PO.exists():
        return Catalog(locale="de")
    with PO.open("rb") as file:
        return read_po(file, locale="de")


def merged() -> Catalog:
    """Return the German catalogue with the texts that the code holds now, and no others."""
    catalog = translated()
    catalog.update(texts())
    catalog.obsolete.clear()
    catalog.header_comment, catalog.fuzzy = _COMMENT, False
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """Return a catalogue as a file for people."""
    stream = io.BytesIO()
    write_po(stream, catalog, width=_WIDTH, include_lineno=False, ignore_obsolete=True)
    # Dates and the tool's version would change with every extraction.
    lines = stream.getvalue().decode().splitlines()
    dated = re.compile(
        r'"(POT-Creation|PO-Revision|Report-M|Generated-By|Project-Id|Last-Tr|Language-Team)'
    )
    return ("\n".join(line for line in lines if not dated.match(line)) + "\n").encode()


def as_mo(catalog: Catalog) -> bytes:
    """Return a catalogue as a file for `gettext`."""
    stream = io.BytesIO()
    plain = Catalog(locale="de", charset="utf-8", creation_date=_DATE, revision_date=_DATE)
    for message in catalog:
        if message.id and message.string and not message.fuzzy:
            plain.add(message.id, message.string)
    write_mo(stream, plain)
    return stream.getvalue()


def problems() -> Iterator[str]:
    """Yield a line for everything that is missing or wrong."""
    german = translated()
    known = {message.id: message for message in german if message.id}
    wanted = {message.id for message in texts() if message.id}
    for text in sorted(wanted - known.keys(), key=str):
        yield f"not in de.po: {text!r}. Run: python -m tools.words extract"
    for text in sorted(known.keys() - wanted, key=str):
        yield f"no longer in the code: {text!r}. Run: python -m tools.words extract"
    for text, message in known.items():
        english = text if isinstance(text, tuple) else (str(text),)
        strings = message.string if isinstance(message.string, tuple) else (str(message.string),)
        if not all(strings):
            yield f"not translated: {text!r}"
        elif message.fuzzy:
            yield f"fuzzy, so not used: {text!r}"
        elif any(_fields(string) != _fields(english[-1]) for string in strings):
            yield f"other placeholders than the English: {text!r}"
    for file in files():
        yield from _shadowed(file)
    if not MO.exists() or not all(map(_compiled(), known.values())):
        yield "de.mo is not what de.po compiles to. Run: python -m tools.words compile"


def _compiled() -> Callable[[Message], bool]:
    """Return what tells whether de.mo holds a message of de.po."""
    with MO.open("rb") as file:
        words = GNUTranslations(file)

    def holds(message: Message) -> bool:
        if isinstance(message.id, str):
            return words.gettext(message.id) == message.string
        one, many = message.id
        return [words.ngettext(one, many, n) for n in (1, 2)] == list(message.string or ())

    return holds


def _fields(text: str) -> set[str]:
    """Return the names of a text's placeholders; how they are written may differ."""
    parts = Formatter().parse(text)
    return {re.split(r"[.\[]", name)[0] for _text, name, _form, _as in parts if name is not None}


def _shadowed(file: Path) -> Iterator[str]:
    """Yield a line for each function that uses ``_`` both as a variable and to translate."""
    if file.suffix != ".py":
        return
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            names = [each for each in ast.walk(node) if isinstance(each, ast.Name | ast.arg)]
            stored = {
                each.arg if isinstance(each, ast.arg) else each.id
                for each in names
                if isinstance(each, ast.arg) or isinstance(each.ctx, ast.Store)
            }
            called = any(
                isinstance(each, ast.Call) and getattr(each.func, "id", "") == "_"
                for each in ast.walk(node)
            )
            if "_" in stored and called:
                yield f"{file.relative_to(ROOT)}: line {node.lineno} makes _ a variable"


def main() -> int:
    """Do what was asked for, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("command", choices=("extract", "compile", "check"))
    command = parser.parse_args().command
    if command == "extract":
        PO.write_bytes(as_po(merged()))
    elif command == "compile":
        MO.write_bytes(as_mo(translated()))
    else:
        found = list(problems())
        print("\n".join(found) or f"{LANGUAGES['de']}: complete.")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
