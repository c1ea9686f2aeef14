"""An error is told in the language of its reader, wherever it was raised."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emorec.database.engine import connect
from emorec.errors import EmorecError, NoStoreError, StoreError
from emorec.words import speaking

MARKERS = "a session has at most {most} markers."


@pytest.mark.parametrize(
    ("error", "english", "german"),
    [
        (EmorecError(), "", ""),
        (EmorecError("{no} braces"), "{no} braces", "{no} braces"),
        (
            EmorecError(MARKERS, most=3),
            "a session has at most 3 markers.",
            "eine Sitzung hat höchstens 3 Marken.",
        ),
        (
            EmorecError("Nothing is kept: {why}", why=EmorecError(MARKERS, most=3)),
            "Nothing is kept: a session has at most 3 markers.",
            "Nichts ist gespeichert: eine Sitzung hat höchstens 3 Marken.",
        ),
        (
            NoStoreError("{x}.sqlite"),
            "{x}.sqlite: nothing is kept there yet.",
            "{x}.sqlite: Dort ist noch nichts gespeichert.",
        ),
    ],
)
def test_an_error_is_translated_when_it_is_read(error, english, german) -> None:
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert type(each) is type(error) and str(each) == english
        with speaking("de"):
            assert str(each) == german


def test_a_thread_without_a_reader_raises_what_a_german_page_shows(tmp_path: Path) -> None:
    (tmp_path / "emorec.sqlite").mkdir()
    with ThreadPoolExecutor(1) as thread, pytest.raises(StoreError) as raised:
        thread.submit(connect, None, tmp_path).result()
    assert "cannot be written (Is a directory)" in str(raised.value)
    with speaking("de"):
        assert "kann nicht geschrieben werden (Is a directory)" in str(raised.value)
