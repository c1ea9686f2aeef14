from __future__ import annotations

import pytest

from emorec.environment import number, switch
from emorec.errors import EmorecError


@pytest.mark.parametrize(
    ("text", "expected"), [(None, None), ("", None), (" ", None), ("1", 1), (" 20 ", 20)]
)
def test_a_number_is_read_or_not_set(text, expected):
    assert number("N", 1, 20, {} if text is None else {"N": text}) == expected


@pytest.mark.parametrize("text", ["0", "21", "-1", "1.5", "many", "٣"])
def test_what_is_no_such_number_is_refused_by_name(text):
    with pytest.raises(EmorecError, match=r"^N: expected a number from 1 to 20\. Received "):
        number("N", 1, 20, {"N": text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, False), ("", False), ("0", False), ("No", False), ("1", True), ("TRUE", True)],
)
def test_a_switch_is_on_or_off(text, expected):
    assert switch("S", {} if text is None else {"S": text}) is expected


def test_what_is_neither_on_nor_off_is_refused_by_name():
    with pytest.raises(EmorecError, match=r"^S: expected 1 or 0\. Received 'required'\.$"):
        switch("S", {"S": "required"})
