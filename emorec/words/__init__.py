"""What people read, in their language: the words of pages, pictures and charts.

The code holds every text in English, inside `_`, `ngettext` or, where it is a constant, `N_`. The
catalogue ``de.po`` beside this file holds the German ones; `tools/words.py` keeps it up to date and
compiles it to ``de.mo``. Who shows texts to a reader says in which language: `ask` once for a
process, `speaking` for a stretch of work. All others, as the command line, get English.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import ParamSpec, TypeVar

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
"""What there are words of, each by its own name."""

FOLDER = Path(__file__).parent

_SIGNS = {"de": str.maketrans(",.", ".,")}  # between thousands, and before decimals

P = ParamSpec("P")
T = TypeVar("T")

_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)


def _english() -> str:
    return ENGLISH


_asked: Callable[[], str] = _english


def ask(whose: Callable[[], str]) -> None:
    """Have this process call a function for the language of the present reader.

    Args:
        whose: returns one of `LANGUAGES`, in any thread.
    """
    global _asked
    _asked = whose


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Hold a language in this thread; what `ask` was given does not count there.

    Args:
        code: one of `LANGUAGES`.
    """
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


def said_in(code: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function that speaks a language; for another process, to which no `ask` goes."""
    with speaking(code):
        return function(*args, **kwargs)


def bound(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that speaks the present language, in any thread that calls it later."""
    code = language()

    @wraps(function)
    def speaks(*args: P.args, **kwargs: P.kwargs) -> T:
        return said_in(code, function, *args, **kwargs)

    return speaks


def language() -> str:
    """Return the language of the present reader, one of `LANGUAGES`."""
    return _spoken.get() or _asked()


def best(tag: str | None) -> str:
    """Return which of `LANGUAGES` suits a browser that asks for a language, such as ``de-AT``."""
    code = (tag or "").replace("_", "-").split("-")[0].lower()
    return code if code in LANGUAGES else ENGLISH


def _(text: str) -> str:
    """Return a text in the language of the present reader; as it is where it has no translation."""
    return catalogue(language()).gettext(text) if text else text


def ngettext(one: str, many: str, count: int) -> str:
    """Return the text for one thing, or for this number of things, as `_` does."""
    return catalogue(language()).ngettext(one, many, count)


def N_(text: str) -> str:  # noqa: N802 (gettext's name for it)
    """Return the text as it is: it is a constant, and translated by `_` where it is shown."""
    return text


def numeral(written: str) -> str:
    """Return a number, as Python writes it, with the signs of the language of the present reader.

    Args:
        written: such as ``3,589`` or ``0.25``.
    """
    return written.translate(_SIGNS.get(language(), {}))


@cache
def catalogue(code: str) -> NullTranslations:
    """Return the words of one of `LANGUAGES`."""
    if code == ENGLISH:
        return NullTranslations()
    with (FOLDER / f"{code}.mo").open("rb") as file:
        return GNUTranslations(file)
