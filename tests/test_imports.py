"""What import-linter (pyproject.toml) does not hold: the folders beside the package, and what is
loaded in fact, seen in a new process."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

KERAS = {"keras", "tensorflow", "torch", "jax", "tf_keras"}
STREAMLIT = {"streamlit", "streamlit_webrtc"}


def imported(source: str, module: str, is_package: bool = False) -> set[str]:
    """Return every dotted name that a module's source imports, anywhere in it.

    ``from a import b`` counts as ``a`` and ``a.b``, since b may be a module.
    """
    package = module if is_package else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=of, names=aliases, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*above, *([of] if of else [])])
                names |= {base} | {f"{base}.{alias.name}" for alias in aliases}
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="__import__"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                names.add(name)
    return names


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


BESIDE = ("benchmarks", "testkit", "tests", "tools")
"""The folders beside the package."""


def imports_of(path: Path) -> set[str]:
    """Return what a file imports; empty where its text names none of the folders `BESIDE`."""
    text = path.read_text(encoding="utf-8")
    # Parsing every file of the project takes seconds, and most name no such folder.
    if not re.search(rf"\b({'|'.join(BESIDE)})\b", text):
        return set()
    return imported(text, module_of(path), path.name == "__init__.py")


@pytest.mark.parametrize(
    ("source", "module", "expected"),
    [
        ("", "emorec.records", set()),
        ("import keras", "emorec.records", {"keras"}),
        ("import keras.ops as ops", "emorec.records", {"keras.ops"}),
        ("def f():\n    import keras", "emorec.records", {"keras"}),
        ("from emorec import cli", "emorec.records", {"emorec", "emorec.cli"}),
        ("from . import cli", "emorec.records", {"emorec", "emorec.cli"}),
        (
            "from ..pages import live",
            "emorec.model.store",
            {"emorec.pages", "emorec.pages.live"},
        ),
        ("importlib.import_module('keras')", "emorec.records", {"keras"}),
        ("__import__('keras')", "emorec.records", {"keras"}),
    ],
)
def test_imports_are_seen(source: str, module: str, expected: set[str]) -> None:
    assert imported(source, module) == expected


def test_a_package_imports_from_itself() -> None:
    assert imported("from . import b", "a", is_package=True) == {"a", "a.b"}


@pytest.mark.parametrize("module", ["emorec.emotions", "emorec.records"])
def test_vocabulary_and_records_import_nothing_heavy(module: str) -> None:
    # What makes a table of them is light too; pandas comes when a table is asked for.
    light = (*sys.stdlib_module_names, "numpy", "pandas")
    light += ("emorec.emotions", "emorec.rows", "emorec.words")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    names = imported(source, module)
    assert names and not [name for name in names if not within(name, *light)]


@pytest.mark.parametrize(
    ("of", "but", "never"),
    [
        ("app", "", BESIDE),
        ("emorec", "", BESIDE),
        ("tests", "tests.benchmarks", ("benchmarks",)),
        ("testkit", "", ("benchmarks", "tests")),
        ("tools", "", ("benchmarks", "tests", "testkit")),
    ],
)
def test_what_others_use_stands_apart(of: str, but: str, never: tuple[str, ...]) -> None:
    paths = [*(ROOT / of).rglob("*.py")] or [ROOT / f"{of}.py"]
    found = {
        module_of(path): sorted(name for name in imports_of(path) if within(name, *never))
        for path in paths
        if not (but and within(module_of(path), but))
    }
    assert not {module: names for module, names in found.items() if names}


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules in a new process after it has run the code."""
    report = "\nimport sys; print('loaded', *{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", code + report], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {*KERAS, *STREAMLIT, "ai_edge_litert", "av", "cv2", "pandas"}
    assert not loaded_by("import emorec") & heavy


def test_the_recognizer_loads_neither_keras_nor_streamlit() -> None:
    loaded = loaded_by(
        "import numpy as np\n"
        "from emorec import EmotionRecognizer\n"
        "recognizer = EmotionRecognizer()\n"
        "recognizer.analyze(np.zeros((120, 160, 3), np.uint8))\n"
        "recognizer.classify(np.zeros((1, 48, 48), np.uint8))\n"
    )
    assert "ai_edge_litert" in loaded
    assert not loaded & {*KERAS, *STREAMLIT}


def test_the_web_app_never_loads_keras() -> None:
    loaded = loaded_by(
        "from streamlit.testing.v1 import AppTest\n"
        # AppTest has no browser session, which the WebRTC component would look up.
        "from streamlit_webrtc import component, shutdown\n"
        "component.get_this_session_info = shutdown.get_this_session_info = lambda: None\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "from emorec.pages import about, live\n"
        "from emorec.pages.photo import page as photo\n"
        "from emorec.pages.video import page as video\n"
        "from emorec import EmotionRecognizer\n"
        "import numpy as np\n"
        "EmotionRecognizer().analyze(np.zeros((99, 99, 3), np.uint8))\n"
    )
    assert "streamlit_webrtc" in loaded
    assert not loaded & KERAS
