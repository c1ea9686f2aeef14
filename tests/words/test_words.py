"""Whose words are spoken, and how."""

from __future__ import annotations

from threading import Thread

import pytest

from emorec import words
from emorec.words import ENGLISH, LANGUAGES, _, best, bound, ngettext, numeral, said_in, speaking


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("en-US", "en"),
        ("fr-FR", "en"),
        ("../../etc/passwd", "en"),
    ],
)
def test_the_language_that_suits_a_browser(tag: str | None, code: str) -> None:
    assert best(tag) == code


def test_english_is_spoken_where_nobody_asks_for_another_language() -> None:
    assert (_("happy"), _(""), _("no such text")) == ("happy", "", "no such text")
    assert ngettext("{n} face", "{n} faces", 2) == "{n} faces"
    assert numeral("3,589.5") == "3,589.5"


def test_each_language_has_its_words_and_its_numbers() -> None:
    with speaking("de"):
        assert (_("happy"), _(""), _("no such text")) == ("fröhlich", "", "no such text")
        assert ngettext("{n} face", "{n} faces", 1) == "{n} Gesicht"
        assert ngettext("{n} face", "{n} faces", 2) == "{n} Gesichter"
        assert numeral("3,589.5") == "3.589,5"
    assert _("happy") == "happy"
    assert all(words.catalogue(code) for code in LANGUAGES)


def test_a_thread_speaks_english_and_what_is_bound_its_language() -> None:
    said = []
    with speaking("de"):
        later = bound(_)
        threads = [Thread(target=lambda f=f: said.append(f("sad"))) for f in (_, later)]
        for thread in threads:
            thread.start()
            thread.join()
        with speaking(ENGLISH):
            said.append(_("sad"))
    assert [*said, later("sad"), said_in("de", _, "sad")] == ["sad", "traurig", "sad"] + [
        "traurig"
    ] * 2


def test_a_process_may_ask_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_asked", words._asked)
    words.ask(lambda: "de")
    assert _("sad") == "traurig"
    with speaking(ENGLISH):
        assert _("sad") == "sad"
