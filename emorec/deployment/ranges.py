"""What an environment variable may hold: how a text is read, and the words for its range."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emorec.deployment.ice_servers import TURN, IceServer, checked_servers
from emorec.errors import EmorecError

KEY_BYTES = 32

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_SITES = re.compile(r"(https?://[\w.*:-]+)( +https?://[\w.*:-]+)*")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:]+:[0-9a-f:.]+")
# SQLAlchemy's form of an address (docs.sqlalchemy.org, "Database URLs"), without loading it. What
# it cannot parse, `emorec.database.engine` could not open.
_POSTGRESQL = re.compile(
    r"postgres(ql)?(\+\w+)?://([^:/]*(:[^@]*)?@)?(\[[^]/?]+\]|[^:/?\[]*)(:\d*)?(/[^?]*)?(\?.*)?"
)
_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?!:memory:)[^?].*")


@dataclass(frozen=True, slots=True)
class Values:
    """What a variable may hold.

    Attributes:
        shown: the range, as the table of docs/deploy.md shows it.
        expected: the same in an error line, after "expected".
        read: turns the text into the value. Raises ValueError where the text is no such value, or
            an EmorecError with the whole line where more can be said.
    """

    shown: str
    expected: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the table.

    Attributes:
        name: of the environment variable.
        values: what it may hold.
        unset: what holds where it is not set, in words.
        meaning: what it does, in one line.
        secret: whether it may hold a password, so that no error line repeats its content.
    """

    name: str
    values: Values
    unset: str
    meaning: str
    secret: bool

    def read(self, text: str) -> Any:
        """Return the value that the text stands for.

        Raises:
            EmorecError: the text is no such value; one line that names the variable.
        """
        try:
            return self.values.read(text)
        except ValueError:
            received = "" if self.secret else f" Received {text!r}."
            raise EmorecError(f"{self.name}: expected {self.values.expected}.{received}") from None


def whole(low: int, high: int | None = None) -> Values:
    """Return the range of whole numbers from `low` on, to `high` where there is one."""

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if number < low or (high is not None and number > high):
            raise ValueError
        return number

    if high is None:
        return Values(f"{low} or more", f"a number of {low} or more", read)
    return Values(f"{low}–{high}", f"a number from {low} to {high}", read)


def decimal(low: float, high: float) -> Values:
    """Return the range of numbers from `low` to `high`."""

    def read(text: str) -> float:
        if not low <= (number := float(text)) <= high:  # NaN is in no range
            raise ValueError
        return number

    return Values(f"{low}–{high}", f"a number from {low} to {high}", read)


def choice(*words: str) -> Values:
    """Return the range that is one of these words, in either case."""

    def read(text: str) -> str:
        return words[words.index(text.lower())]

    *others, last = words
    expected = f"{', '.join(others)} or {last}" if others else last
    return Values(", ".join(f"`{word}`" for word in words), expected, read)


def switch(text: str) -> bool:
    """Return whether a word says yes; raise ValueError where it says neither yes nor no."""
    return (_YES + _NO).index(text.lower()) < len(_YES)


def consent(text: str) -> bool:
    """Return True for "required"; raise ValueError for any other text."""
    if text.lower() != "required":
        raise ValueError
    return True


def sites(text: str) -> str:
    """Return sites with a space between; raise ValueError where one is none."""
    if not _SITES.fullmatch(text):
        raise ValueError
    return text


def hosts(text: str) -> tuple[str, ...]:
    """Return host names in lower case; raise ValueError where one is none."""
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names or not all(_HOST.fullmatch(name) for name in names):
        raise ValueError
    return names


def turn_urls(text: str) -> tuple[str, ...]:
    """Return addresses of TURN servers; raise ValueError where one is none."""
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    if not urls or not all(TURN.fullmatch(url) for url in urls):
        raise ValueError
    return urls


def ice_servers(text: str) -> tuple[IceServer, ...]:
    """Return the servers that JSON holds; raise EmorecError where a browser would refuse one."""
    try:
        servers = json.loads(text)
    except json.JSONDecodeError as error:
        raise EmorecError(f"EMOREC_ICE_SERVERS: is no JSON ({error.msg}).") from None
    return checked_servers(servers, "EMOREC_ICE_SERVERS")


def database(text: str) -> str:
    """Return the address of a database; raise ValueError where it could not be opened."""
    if not (_POSTGRESQL.fullmatch(text) or _SQLITE.fullmatch(text)):
        raise ValueError
    return text


def decoded_key(text: str) -> bytes:
    """Return the 32 bytes of a key that is written in base64, of either alphabet.

    Raises:
        ValueError: the text is no such key.
    """
    key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


TEXT = Values("text", "text", str)
SWITCH = Values("`1`, `0`", "1 or 0", switch)
PORT = whole(1, 65535)
