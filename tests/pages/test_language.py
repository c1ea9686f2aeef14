"""The language of the pages: whose it is, and that no text on a page is left in English."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import Message
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from emorec import words
from emorec.emotions import EMOTIONS
from emorec.pages.parts import language
from emorec.records import Box, Face, FrameResult, unclassified
from emorec.sessions.timeline import Timeline

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("about", "model", "notice", "video.page", "photo.page", "live.page", "sessions.page")
SAME = (
    r"EmoRec|Browser|\w+_cnn|P\w+Test|MIT|FER2013|ELU|ReLU|macro_f1|STUN|TURN|https?:\S+|\w+\.\w+"
)
"""What is the same in every language: names of data, models and files."""
SHOWN = (
    *("alt", "body", "caption", "help", "label", "options", "placeholder", "text", "title"),
    *("captions", "page_title", "delta"),
)
"""Fields of Streamlit's messages that a visitor reads."""


class Marked(NullTranslations):
    """A language in which every translated text is in brackets: one that is not stands out."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for the language by `app.py`; after the test nobody is."""
    monkeypatch.setattr(words, "_asked", language.of_visitor)
    for module in ("component", "shutdown"):  # AppTest has no browser session to be looked up
        monkeypatch.setattr(f"streamlit_webrtc.{module}.get_this_session_info", lambda: None)


def page(name: str, code: str = "de", **state: Any) -> AppTest:
    def script(name: str) -> None:
        import importlib

        from emorec.pages.parts import language

        importlib.import_module(f"emorec.pages.{name}").render()
        language.switch()

    at = AppTest.from_function(script, default_timeout=120, args=(name,))
    at.session_state["language"] = code
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def texts(at: AppTest) -> Iterator[str]:
    """Yield all that a visitor reads on a page, save what a component or a chart draws."""
    for element in walk(at._tree):
        message = getattr(element, "proto", None)
        if isinstance(message, Message):
            for field, value in message.ListFields():
                if field.name in SHOWN:
                    for text in [value] if isinstance(value, str) else value:
                        if isinstance(text, str):
                            yield text


def walk(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from walk(child)


def unmarked(text: str) -> str:
    """Return what of a text is not in brackets, without markup and what is no word."""
    before = None
    while text != before:  # brackets in brackets
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text, flags=re.DOTALL)
    text = re.sub(r"<style>.*?</style>|<[^>]*>|:material/\w+:|:\w+\[", "", text, flags=re.DOTALL)
    return " ".join(re.findall(r"[A-Za-z]{2,}", re.sub(SAME, "", text)))


@pytest.mark.parametrize("name", PAGES)
def test_every_text_of_a_page_is_translated(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(words, "catalogue", lambda code: Marked())
    monkeypatch.setenv("EMOREC_DATA", str(tmp_path))
    monkeypatch.setenv("EMOREC_SESSIONS", "ask")
    seen = [text for text in texts(page(name)) if text not in words.LANGUAGES.values()]
    assert sum("⟦" in text for text in seen) >= 3, "the page shows texts"
    assert not [text for text in seen if unmarked(text) and text != "Language · Sprache"]


@pytest.mark.usefixtures("charts_loaded")
def test_what_is_read_of_faces_is_told_in_the_visitors_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def script(timeline, faces):
        from emorec.live.frame import View
        from emorec.pages.live import now
        from emorec.pages.parts import opened, report, totals
        from emorec.sessions.report import of_timeline

        for n in (0, 1, 5, 12):
            now.show(faces[:n], (640, 480), View(), timeline=None)
        now.show(faces[:2], (640, 480), View(group_only=True))
        now.show(faces[:2], (640, 480), View(), followed=9)
        opened.share_bar(totals.totals(faces))
        report.show(of_timeline(timeline, {}), "session", lambda number, label: None)

    monkeypatch.setattr(words, "catalogue", lambda code: Marked())
    probs = np.full(len(EMOTIONS), 0.05, np.float32)
    probs[EMOTIONS.index("happy")] = 0.7
    faces = [
        Face(number, Box(10, 10, 90, 90), 1.0, 0, 0, probs, probs, emotion)
        for number, emotion in enumerate(["happy", None, *EMOTIONS, "sad", "sad"], start=1)
    ]
    none = unclassified()
    faces.append(Face(12, Box(10, 10, 90, 90), 1.0, 0, 0, none, none, None, unreadable="too small"))
    timeline = Timeline(datetime(2026, 1, 1, tzinfo=UTC))
    picture = np.zeros((480, 640, 3), np.uint8)
    for index in range(400):
        timeline.add(picture, FrameResult(index, index / 10, (640, 480), tuple(faces)))
    timeline.mark("⟦mine⟧")
    at = AppTest.from_function(script, default_timeout=120, args=(timeline, faces))
    at.session_state["language"] = "de"
    at.run()
    assert not at.exception
    seen = list(texts(at))
    assert len(seen) > 20
    assert not [text for text in seen if unmarked(text.removesuffix(" UTC"))]


def test_the_gate_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "catalogue", lambda code: Marked())
    monkeypatch.setenv("EMOREC_CONSENT", "required")

    def script() -> None:
        from emorec.pages import gate

        gate.admitted()

    at = AppTest.from_function(script, default_timeout=60)
    at.session_state["language"] = "de"
    at.run()
    seen = list(texts(at))
    assert len(seen) > 5 and not [text for text in seen if unmarked(text)]


@pytest.mark.parametrize(
    ("browser", "deployer", "visitor", "title"),
    [
        (None, None, None, "About"),
        ("de-AT", None, None, "Info"),
        ("fr", None, None, "About"),
        ("de", "en", None, "About"),
        ("en", "de", None, "Info"),
        ("en", None, "de", "Info"),
        ("de", "de", "en", "About"),
        ("de", "en", "auto", "Info"),
        ("en", None, "../de", "About"),
    ],
)
def test_whose_language_it_is(
    browser: str | None,
    deployer: str | None,
    visitor: str | None,
    title: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ContextProxy, "locale", browser)
    if deployer is not None:
        monkeypatch.setenv("EMOREC_LANGUAGE", deployer)

    def script() -> None:
        import streamlit as st

        from emorec.words import _

        st.title(_("About"))

    at = AppTest.from_function(script)
    if visitor is not None:
        at.session_state["language"] = visitor
    assert at.run().title[0].value == title


def test_the_switch_changes_the_words_and_no_choice_about_privacy() -> None:
    at = page("live.page", code="en")
    at.toggle(key="blur").set_value(True).run()
    assert at.toggle(key="blur").label == "Blur faces"
    at.selectbox(key="language").select("de").run()
    assert not at.exception
    assert (at.toggle(key="blur").label, at.toggle(key="blur").value) == (
        "Gesichter verpixeln",
        True,
    )
    assert at.session_state["visit"].state(_live_picture()).stream.view.blurs


def test_the_switch_changes_no_choice_among_words() -> None:
    at = page("live.page", code="en")
    at.selectbox(key="live detector").select("haar")
    at.multiselect(key="own expressions").select("fear")
    at.select_slider(key="min_face").set_value(96).run()
    at.selectbox(key="language").select("de").run()
    assert at.selectbox(key="live detector de").value == "haar"
    assert at.multiselect(key="own expressions de").value == ["fear"]
    assert at.select_slider(key="min_face de").value == 96
    at.session_state["live detector de"] = "auto"  # as where it was changed in German
    with words.speaking("de"):  # the browser that AppTest stands for: it tells German words
        at.selectbox(key="language").select("en").run()
    assert at.selectbox(key="live detector").value == "auto", "not what it was in English before"
    assert at.multiselect(key="own expressions").value == ["fear"]
    assert "live detector de" not in at.session_state
    assert not at.exception and not at.warning


def test_every_choice_among_words_outlasts_a_change_of_the_language() -> None:
    """Of those with a `format_func`: the language's own words are in no language."""
    kinds = {"selectbox", "radio", "multiselect", "segmented_control", "pills", "select_slider"}
    among_words = []
    for file in (ROOT / "emorec" / "pages").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in kinds:
                given = {each.arg: ast.unparse(each.value) for each in node.keywords}
                if given.get("format_func", "clock") != "clock" and given["key"] != "_KEY":
                    among_words.append((file.name, node.lineno, given["key"]))
    assert len(among_words) >= 10
    assert not [found for found in among_words if not found[2].startswith("worded(")]


def test_callbacks_and_fragments_speak_the_visitors_language() -> None:
    def script() -> None:
        import streamlit as st

        from emorec.words import _

        def press() -> None:
            st.session_state.said = _("happy")

        @st.fragment
        def part() -> None:
            st.button("press", on_click=press)
            st.markdown(_("sad"))

        part()

    at = AppTest.from_function(script)
    at.session_state["language"] = "de"
    at.run()
    at.button[0].click().run()
    assert (at.session_state.said, at.markdown[0].value) == ("fröhlich", "traurig")


def _live_picture() -> type:
    found: type = importlib.import_module("emorec.pages.live.state").LivePicture
    return found


def test_no_page_runs_in_this_thread() -> None:
    assert language.of_visitor() == "en"
