"""One form for every log line of the app: no picture, no name, no network address.

The levels are chosen so that what others log of a connection stays out: aioice names network
addresses and streamlit-webrtc the browser's candidates at INFO, aiortc whole packets at DEBUG.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address
from types import TracebackType

_LEVELS = {
    "": logging.WARNING,
    "emorec": logging.INFO,
    "aioice": logging.WARNING,
    "aiortc": logging.WARNING,
    "streamlit": logging.WARNING,
    "streamlit_webrtc": logging.WARNING,
    "uvicorn": logging.WARNING,
}
_OWN = {*logging.LogRecord("", 0, "", 0, "", None, None).__dict__, "message", "asctime"}
_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*(?:%\w+)?")
_LONGEST = 4000
_A_MINUTE = 20


def set_up(form: str | None = None) -> None:
    """Send every log line of this process to stderr.

    Args:
        form: one of `emorec.deployment.LOG_FORMS`. ``json``: an object a line, with time, level,
            logger, event, and the fields that were given as ``extra``; ``text``: the same to read.
            None: text at a terminal, else JSON.
    """
    form = form or ("text" if sys.stderr.isatty() else "json")
    handler = logging.StreamHandler()
    handler.addFilter(_Flood())
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.getLogger().handlers = [handler]
    for name, logger in list(logging.root.manager.loggerDict.items()):
        # Streamlit and Uvicorn give their loggers handlers of their own, in forms of their own.
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in _LEVELS:
            logger.handlers.clear()
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda of: _uncaught(of.exc_type, of.exc_value, of.exc_traceback)


def without_addresses(text: str) -> str:
    """Return the text with every IPv4 and IPv6 address, with or without a port, taken out."""
    return _ADDRESS.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    word = found[0].rstrip(".:")
    rest = found[0][len(word) :]
    for part in (word, word.rpartition(":")[0]):  # the second: without its port
        try:
            ip_address(part)
        except ValueError:
            continue
        return f"<address>{word[len(part) :]}{rest}"
    return found[0]


def _uncaught(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt) or error is None:
        sys.__excepthook__(kind, error or kind(), trace)
        return
    logging.getLogger("emorec").critical("uncaught exception", exc_info=(kind, error, trace))


class _Flood(logging.Filter):
    """Lets the same event through twenty times a minute: a stranger can cause many of some."""

    def __init__(self) -> None:
        super().__init__()
        self.minute = 0
        self.seen: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        minute = int(record.created // 60)
        if minute != self.minute:
            self.minute = minute
            self.seen.clear()
        event = (record.name, str(record.msg))
        self.seen[event] += 1
        if self.seen[event] == _A_MINUTE:
            record.last_this_minute = True
        return self.seen[event] <= _A_MINUTE


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "event": without_addresses(record.getMessage())[:_LONGEST],
        }
        # A field never takes the place of what every line has.
        entry |= {name: value for name, value in _fields(record).items() if name not in entry}
        if record.exc_info:
            entry["traceback"] = _traceback(self, record)
        return json.dumps(entry, ensure_ascii=False, default=str)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = without_addresses(record.getMessage())[:_LONGEST]
        words = [f"{name}={value}" for name, value in _fields(record).items()]
        line = " ".join([_time(record), record.levelname, record.name, event, *words])
        return f"{line}\n{_traceback(self, record)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: without_addresses(value) if isinstance(value, str) else value
        for name, value in record.__dict__.items()
        if name not in _OWN
    }


def _traceback(form: logging.Formatter, record: logging.LogRecord) -> str:
    """Return where it failed: the end says most, where it is long."""
    assert record.exc_info
    return without_addresses(form.formatException(record.exc_info))[-_LONGEST:]
