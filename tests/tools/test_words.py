"""The German catalogue has every text of the code, and the pages show no text without it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import words

PAGES = Path(words.ROOT / "emorec" / "pages")
SHOW = {
    *("alt", "altair_chart", "audio", "button", "camera_input", "caption", "checkbox", "error"),
    *("download_button", "expander", "file_uploader", "header", "html", "image", "info"),
    *("markdown", "metric", "multiselect", "page_link", "Page", "popover", "progress", "radio"),
    *("segmented_control", "select_slider", "selectbox", "slider", "spinner", "subheader"),
    *("success", "tabs", "text_area", "text_input", "title", "toast", "toggle", "warning"),
}
"""Methods of Streamlit that show the texts they are given."""
TEXTS = ("alt", "help", "label", "page_title", "placeholder", "title")
FREE = {"AI", "EmoRec", "GitHub", "JSON", "Language · Sprache"}
"""What is the same in every language."""


def test_the_catalogue_is_complete() -> None:
    assert not list(words.problems())


@pytest.mark.parametrize("command", ["extract", "compile"])
def test_nothing_is_left_to_do(command: str) -> None:
    """Else somebody's next extraction would change more than what they changed."""
    if command == "extract":
        assert words.as_po(words.merged()) == words.PO.read_bytes()
    else:
        assert words.as_mo(words.translated()) == words.MO.read_bytes()


def test_no_page_shows_a_text_that_is_not_in_the_catalogue() -> None:
    found = [
        f"{file.relative_to(words.ROOT)}:{line}: {text!r}"
        for file in [words.ROOT / "app.py", *sorted(PAGES.rglob("*.py"))]
        for line, text in loose(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(["not inside _(…):", *found])


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('st.markdown("Some words")', ["Some words"]),
        ('st.markdown(_("Some words"))', []),
        ('st.markdown(f"**{name}** is gone")', ["**{}** is gone"]),
        ('st.markdown(f"**{name}**")', []),
        ('st.markdown(f":red[:material/error:] **{name}**")', []),
        ('st.markdown(_("{n} words").format(n=3))', []),
        ('st.markdown("{n} words".format(n=3))', ["{n} words"]),
        ('st.button(_("Go"), help="Some words")', ["Some words"]),
        ('st.button("Go on" if paused else _("Pause"))', ["Go on"]),
        ('st.error(plain(f"No names: {why}"))', ["No names: {}"]),
        ('WORDS = N_("Some words")\nst.caption(WORDS)', ["Some words"]),
        ('WORDS = N_("Some words")\nst.caption(_(WORDS))', []),
        ("st.html('<p class=\"some\">words</p>')", ["words"]),
        ("st.html(f'<p class=\"some\">{words}</p>')", []),
        ('st.html("<style>p { color: red }</style>")', []),
    ],
)
def test_texts_outside_the_catalogue_are_found(code: str, found: list[str]) -> None:
    assert [text for _line, text in loose(ast.parse(code))] == found


def loose(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of what is shown without being translated."""
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in SHOW:
            if ast.unparse(call.func).startswith("log."):
                continue
            shown = call.args[:1] + [each.value for each in call.keywords if each.arg in TEXTS]
            for node in shown:
                for text in literals(node, constants):
                    if re.search("[A-Za-z]{2}", text) and text not in FREE:
                        yield call.lineno, text


def literals(node: ast.expr, constants: dict[str, ast.expr]) -> Iterator[str]:
    """Yield the words that an expression holds outside of ``_`` and ``ngettext``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield bare(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield bare(
            "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        )
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from literals(part.value, constants)
    elif isinstance(node, ast.Name) and node.id in constants:
        value = constants[node.id]
        marked = isinstance(value, ast.Call) and getattr(value.func, "id", "") == "N_"
        inside = value.args[0] if marked and isinstance(value, ast.Call) else value
        yield from literals(inside, {})
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            yield from literals(node.func.value, constants)
        elif getattr(node.func, "id", "") in ("plain", "escape", "str"):
            yield from literals(node.args[0], constants)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from literals(node.left, constants)
        yield from literals(node.right, constants)
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body, constants)
        yield from literals(node.orelse, constants)


def bare(text: str) -> str:
    """Return a text without markup."""
    if "<style>" in text:
        return ""
    return re.sub(r"<[^>]*>|:material/\w+:|:\w+\[|]", "", text).strip()
