from __future__ import annotations

import pytest

from emorec.errors import EmorecError
from emorec.people.names import checked_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("A", "A"),
        ("  Ada Lovelace\t", "Ada Lovelace"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("李小龍", "李小龍"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # a zero-width joiner is spelling in Persian
        ("<b>Bobby'); DROP TABLE person;--", "<b>Bobby'); DROP TABLE person;--"),
        ("x" * 80, "x" * 80),
    ],
)
def test_a_name_is_kept_as_it_is_spelled(given: str, kept: str) -> None:
    assert checked_name(given) == kept


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", "x" * 81, "a\nb", "a\0b", "a\x1bb", "a\u2028b", "a\u202eb", "a\ud800b"),
        # Nothing in these can be seen.
        *("\u200b", "\u2060\u200d", "\u3164 \u2800", "\u0301", "\ufeff"),
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(EmorecError, match=r"^a name has "):
        checked_name(name)
