"""What a deployer sets by environment variables: one table with every name, range and default.

`Deployment.from_env` reads and checks them; no other module reads a setting from the environment.
A variable that is empty, or holds only spaces, counts as not set. The table of docs/deploy.md has
the same rows (a test compares them).
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

from emorec.errors import EmorecError
from emorec.settings import DETECTORS, LEAST_FACE_PX, LONGEST_SMOOTHING_S, Settings
from emorec.words import LANGUAGES

RUNTIMES = ("litert", "keras")
"""What can run the network: `emorec.model.store` loads a file for either."""

KERAS_BACKENDS = ("torch", "jax", "tensorflow")
"""What Keras can compute with, in the order in which EmoRec looks for an installed one."""

LOG_FORMS = ("json", "text")
"""Forms of a log line: `emorec.server.logs` writes them."""

KEEPING = ("off", "ask", "start")
"""When live sessions are kept: never, when the visitor asks for it, each from START on."""

KEY_BYTES = 32

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_STUN = re.compile(r"stuns?:[^?:\s]+(:\d{1,5})?")
_TURN = re.compile(r"turns?:[^?:\s]+(:\d{1,5})?(\?transport=(udp|tcp))?")
_SITES = re.compile(r"(https?://[\w.*:-]+)( +https?://[\w.*:-]+)*")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:]+:[0-9a-f:.]+")
# SQLAlchemy's form of an address (docs.sqlalchemy.org, "Database URLs"), without loading it. What
# it cannot parse, `emorec.database.engine` could not open.
_POSTGRESQL = re.compile(
    r"postgres(ql)?(\+\w+)?://([^:/]*(:[^@]*)?@)?(\[[^]/?]+\]|[^:/?\[]*)(:\d*)?(/[^?]*)?(\?.*)?"
)
_SQLITE = re.compile(r"sqlite(\+\w+)?:///(?!:memory:)[^?].*")


class IceServer(NamedTuple):
    """A STUN or TURN server as WebRTC's ``RTCIceServer`` describes it; only TURN has a login."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""

    def rtc(self) -> dict[str, Any]:
        """Return it as a member of ``RTCConfiguration.iceServers``."""
        login = {"username": self.username, "credential": self.credential}
        return {"urls": list(self.urls)} | (login if self.username else {})


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


def _whole(low: int, high: int | None = None) -> Values:
    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if number < low or (high is not None and number > high):
            raise ValueError
        return number

    if high is None:
        return Values(f"{low} or more", f"a number of {low} or more", read)
    return Values(f"{low}–{high}", f"a number from {low} to {high}", read)


def _decimal(low: float, high: float) -> Values:
    def read(text: str) -> float:
        if not low <= (number := float(text)) <= high:  # NaN is in no range
            raise ValueError
        return number

    return Values(f"{low}–{high}", f"a number from {low} to {high}", read)


def _choice(*words: str) -> Values:
    def read(text: str) -> str:
        return words[words.index(text.lower())]

    *others, last = words
    expected = f"{', '.join(others)} or {last}" if others else last
    return Values(", ".join(f"`{word}`" for word in words), expected, read)


def _switch(text: str) -> bool:
    return (_YES + _NO).index(text.lower()) < len(_YES)


def _consent(text: str) -> bool:
    if text.lower() != "required":
        raise ValueError
    return True


def _sites(text: str) -> str:
    if not _SITES.fullmatch(text):
        raise ValueError
    return text


def _hosts(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names or not all(_HOST.fullmatch(name) for name in names):
        raise ValueError
    return names


def _turn_urls(text: str) -> tuple[str, ...]:
    urls = tuple(url.strip() for url in text.split(",") if url.strip())
    if not urls or not all(_TURN.fullmatch(url) for url in urls):
        raise ValueError
    return urls


def _ice_servers(text: str) -> tuple[IceServer, ...]:
    try:
        servers = json.loads(text)
    except json.JSONDecodeError as error:
        raise EmorecError(f"EMOREC_ICE_SERVERS: is no JSON ({error.msg}).") from None
    return checked_servers(servers, "EMOREC_ICE_SERVERS")


def _database(text: str) -> str:
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


_TEXT = Values("text", "text", str)
_SWITCH = Values("`1`, `0`", "1 or 0", _switch)
_PORT = _whole(1, 65535)


def _variable(
    name: str, values: Values, default: Any, meaning: str, *, unset: str = "", secret: bool = False
) -> Any:
    """Return a dataclass field that carries its row of the table."""
    row = Variable(name, values, unset or _shown(default), meaning, secret)
    return field(default=default, repr=not secret, metadata={"variable": row})


def _shown(default: Any) -> str:
    match default:
        case None:
            return ""
        case bool():
            return f"`{default:d}`"
        case str():
            return f"`{default}`"
        case _:
            return f"{default:g}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployer chose; None stands for what is not set and has no default.

    Every field holds the value of one variable, in the type that its users want. `from_env` makes
    one that was checked.
    """

    port: int = _variable("PORT", _PORT, 8501, "the port of the page; a PaaS sets it")
    base_url_path: str | None = _variable(
        "STREAMLIT_SERVER_BASE_URL_PATH",
        Values("a path", "a path", str),
        None,
        "where behind a proxy the app is, as `faces/emorec`",
        unset="the root",
    )
    hosts: tuple[str, ...] | None = _variable(
        "EMOREC_HOSTS",
        Values(
            "`app.example.org`, `*.example.org`, a comma between",
            "host names like app.example.org, without https:// and port",
            _hosts,
        ),
        None,
        "the host names that visitors open the app by; requests for others are refused",
        unset="any, and a warning; only localhost where the app is served there",
    )
    https: bool = _variable(
        "EMOREC_HTTPS",
        _SWITCH,
        False,
        "visitors open the app by HTTPS alone: browsers are told so for a year (HSTS), and cookies "
        "are for HTTPS alone",
    )
    max_live: int | None = _variable(
        "EMOREC_MAX_LIVE",
        _whole(1, 1000),
        None,
        "live visitors at once in this process; cores are the container's where it has a limit",
        unset="one a core, 2 or 3",
    )
    metrics_port: int | None = _variable(
        "EMOREC_METRICS_PORT",
        _PORT,
        None,
        "the port of the Prometheus metrics, on all interfaces",
        unset="no metrics",
    )
    log: str | None = _variable(
        "EMOREC_LOG",
        _choice(*LOG_FORMS),
        None,
        "form of the log lines",
        unset="`text` at a terminal, else `json`",
    )
    upload_mb: int = _variable(
        "EMOREC_UPLOAD_MB",
        _whole(100, 1_000_000),
        200,
        "megabytes of pictures held for all visitors together; one visitor gets half",
    )
    video_mb: int = _variable(
        "EMOREC_VIDEO_MB",
        _whole(0, 1_000_000),
        500,
        "megabytes of the largest video that visitors may upload; `0`: no Video page",
    )
    video_disk_mb: int = _variable(
        "EMOREC_VIDEO_DISK_MB",
        _whole(100, 100_000_000),
        4000,
        "megabytes on disk of videos and their results for all visitors together; one visitor gets "
        "half",
    )
    frame_ancestors: str | None = _variable(
        "EMOREC_FRAME_ANCESTORS",
        Values("sites, `https://…`, a space between", "sites like https://example.org", _sites),
        None,
        "other sites that may show the app in a frame",
        unset="none",
    )
    secrets: Mapping[str, Any] | None = _variable(
        "EMOREC_SECRETS",
        Values("TOML", "TOML, as secrets.toml holds it", tomllib.loads),
        None,
        "what `.streamlit/secrets.toml` would hold, where a platform has no files",
        unset="nothing",
        secret=True,
    )
    require_login: bool = _variable(
        "EMOREC_REQUIRE_LOGIN", _SWITCH, False, "do not start without a login"
    )
    consent: bool = _variable(
        "EMOREC_CONSENT",
        Values("`required`", "required", _consent),
        False,
        "ask each visitor for a purpose and for consent",
        unset="no question",
    )
    language: str = _variable(
        "EMOREC_LANGUAGE",
        _choice("auto", *LANGUAGES),
        "auto",
        "the language that pages begin in (`auto`: the browser's); visitors can choose another",
    )
    group_only: bool = _variable(
        "EMOREC_GROUP_ONLY",
        _SWITCH,
        False,
        "the Live and Photo pages show totals alone, nothing of a single face",
    )
    ice_servers: tuple[IceServer, ...] | None = _variable(
        "EMOREC_ICE_SERVERS",
        Values('JSON, `[{"urls": […]}]`', 'JSON like [{"urls": ["stun:…"]}]', _ice_servers),
        None,
        "the STUN and TURN servers, before all others; `[]` means none, for one network",
        unset="one of those below",
        secret=True,
    )
    ice_policy: str = _variable(
        "EMOREC_ICE_POLICY",
        _choice("all", "relay"),
        "all",
        "`relay` lets live pictures go through TURN only",
    )
    turn_url: tuple[str, ...] | None = _variable(
        "TURN_URL",
        Values(
            "`turn:…`, `turns:…`, a comma between",
            "addresses like turn:turn.example.org:3478",
            _turn_urls,
        ),
        None,
        "your own TURN server",
        unset="a public STUN server",
        secret=True,
    )
    turn_secret: str | None = _variable(
        "TURN_SECRET", _TEXT, None, "coturn's `static-auth-secret`; with `TURN_URL`", secret=True
    )
    turn_username: str | None = _variable(
        "TURN_USERNAME",
        _TEXT,
        None,
        "with `TURN_URL` and `TURN_PASSWORD`, instead of a secret",
        secret=True,
    )
    turn_password: str | None = _variable(
        "TURN_PASSWORD", _TEXT, None, "with `TURN_USERNAME`", secret=True
    )
    twilio_account_sid: str | None = _variable(
        "TWILIO_ACCOUNT_SID", _TEXT, None, "Twilio lends the servers; with the token", secret=True
    )
    twilio_auth_token: str | None = _variable(
        "TWILIO_AUTH_TOKEN", _TEXT, None, "with `TWILIO_ACCOUNT_SID`", secret=True
    )
    cloudflare_turn_key_id: str | None = _variable(
        "CLOUDFLARE_TURN_KEY_ID",
        _TEXT,
        None,
        "Cloudflare lends the servers; with its token",
        secret=True,
    )
    cloudflare_turn_api_token: str | None = _variable(
        "CLOUDFLARE_TURN_API_TOKEN", _TEXT, None, "with `CLOUDFLARE_TURN_KEY_ID`", secret=True
    )
    hf_token: str | None = _variable(
        "HF_TOKEN",
        _TEXT,
        None,
        "Hugging Face's FastRTC lends the servers; it is sent to FastRTC's Space, so take a token "
        "without rights",
        secret=True,
    )
    people: bool = _variable(
        "EMOREC_PEOPLE",
        _SWITCH,
        False,
        "names for faces, for all visitors",
        unset="`0`; `1` by `emorec run`",
    )
    sessions: str = _variable(
        "EMOREC_SESSIONS",
        _choice(*KEEPING),
        KEEPING[0],
        "live sessions are kept: never; when the visitor asks for it; or each from START on, which"
        " needs `EMOREC_CONSENT`",
        unset="`off`; `ask` by `emorec run`",
    )
    sessions_shared: bool = _variable(
        "EMOREC_SESSIONS_SHARED",
        _SWITCH,
        False,
        "every visitor sees, changes and deletes all kept sessions",
    )
    keep_days: int = _variable(
        "EMOREC_KEEP_DAYS", _whole(1, 3650), 30, "days after which a kept session is deleted"
    )
    database_url: str | None = _variable(
        "DATABASE_URL",
        Values(
            "`postgresql://…`, `sqlite:///FILE`",
            "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, with special characters in the"
            " password percent-encoded",
            _database,
        ),
        None,
        "where people and sessions are kept",
        unset="a file in `EMOREC_DATA`",
        secret=True,
    )
    key: bytes | None = _variable(
        "EMOREC_KEY",
        Values(
            f"{KEY_BYTES} bytes in base64",
            f"{KEY_BYTES} random bytes in base64, as `openssl rand -base64 {KEY_BYTES}` prints",
            decoded_key,
        ),
        None,
        "the key that names and faces are encrypted with",
        unset="a file beside SQLite's; PostgreSQL needs it",
        secret=True,
    )
    data_folder: Path | None = _variable(  # noqa: RUF009 (a field, no value)
        "EMOREC_DATA",
        Values("a folder", "a folder", Path),
        None,
        "where SQLite's file and the key lie",
        unset="the user's data folder",
    )
    detector: str = _variable(
        "EMOREC_DETECTOR",
        _choice(*DETECTORS),
        DETECTORS[0],
        "what finds the faces (`auto`: BlazeFace); visitors can choose another",
    )
    min_face_px: int | None = _variable(
        "EMOREC_MIN_FACE_PX",
        _whole(LEAST_FACE_PX),
        None,
        "side in pixels of the smallest face looked for; visitors can choose another",
        unset="what suits the picture",
    )
    smoothing_s: float = _variable(
        "EMOREC_SMOOTHING_S",
        _decimal(0, LONGEST_SMOOTHING_S),
        Settings().smoothing_s,
        "seconds over which a face's probabilities are averaged; visitors can choose others",
    )
    runtime: str = _variable(
        "EMOREC_RUNTIME",
        _choice(*RUNTIMES),
        RUNTIMES[0],
        "what runs the network; Keras needs `requirements-train.txt`",
    )
    keras_backend: str | None = _variable(
        "KERAS_BACKEND",
        _choice(*KERAS_BACKENDS),
        None,
        "what Keras computes with",
        unset="the first installed",
    )

    @property
    def settings(self) -> Settings:
        """How pictures are read, where the user chooses nothing else."""
        return Settings(self.min_face_px, self.smoothing_s, detector=self.detector)

    @classmethod
    def from_env(
        cls, env: Mapping[str, str] = os.environ, only: Collection[str] | None = None
    ) -> Deployment:
        """Read and check the variables.

        Args:
            env: where they are read.
            only: the fields to read, as `SETTINGS`; the others keep their defaults, and a wrong
                variable among them does no harm. None reads all: a server does.

        Raises:
            EmorecError: a variable is wrong; one line that names the first such one.
        """
        names = VARIABLES.keys() if only is None else only
        values: dict[str, Any] = {}
        for name in names:
            if text := env.get(VARIABLES[name].name, "").strip():
                values[name] = VARIABLES[name].read(text)
        if "data_folder" in names and "data_folder" not in values:
            values["data_folder"] = _users_data_folder(env)
        return cls(**values)


VARIABLES: dict[str, Variable] = {
    each.name: each.metadata["variable"] for each in fields(Deployment)
}
"""The table: the variable of each field of `Deployment`."""

SETTINGS = ("detector", "min_face_px", "smoothing_s")
"""The fields that `Deployment.settings` consists of."""

STORE = ("database_url", "key", "data_folder")
"""The fields that say where people and sessions are kept, and the key to the people."""

ICE = (
    "ice_servers",
    "ice_policy",
    "turn_url",
    "turn_secret",
    "turn_username",
    "turn_password",
    "twilio_account_sid",
    "twilio_auth_token",
    "cloudflare_turn_key_id",
    "cloudflare_turn_api_token",
    "hf_token",
)
"""The fields that say how browser and server find each other."""


def problems(env: Mapping[str, str] = os.environ) -> list[str]:
    """Return a line for every variable that is wrong; an empty list where all are right."""
    lines = []
    for name in VARIABLES:
        try:
            Deployment.from_env(env, only=(name,))
        except EmorecError as error:
            lines.append(str(error))
    return lines


def checked_servers(servers: Any, name: str) -> tuple[IceServer, ...]:
    """Return STUN and TURN servers with nothing but what browsers need.

    Args:
        servers: what JSON held: a list of ``RTCIceServer``, or one of them.
        name: of the variable or the provider that they come from, for the error line.

    Raises:
        EmorecError: a browser would refuse them; one line that repeats no content.
    """
    if isinstance(servers, dict):
        servers = [servers]
    if not isinstance(servers, list) or not all(
        isinstance(server, dict) and "urls" in server for server in servers
    ):
        raise EmorecError(f'{name}: expected a list like [{{"urls": ["stun:…"]}}].')
    return tuple(_server(server, f"{name}: ", at) for at, server in enumerate(servers, start=1))


def _server(server: Mapping[str, Any], who: str, place: int) -> IceServer:
    urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
    if not urls or not all(
        isinstance(url, str) and (_STUN.fullmatch(url) or _TURN.fullmatch(url)) for url in urls
    ):
        raise EmorecError(
            f"{who}server {place} needs addresses like stun:host:3478 or turn:host:3478."
        )
    login = [server.get(key) for key in ("username", "credential")]
    complete = all(isinstance(word, str) and word for word in login)
    if any(url.startswith("turn") for url in urls) and not complete:
        raise EmorecError(f"{who}TURN server {place} needs a username and a credential.")
    return IceServer(tuple(urls), *(login if complete else ()))


def _users_data_folder(env: Mapping[str, str]) -> Path | None:
    """Return the folder where the platform keeps a user's data; None for a user without a home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or home / "AppData" / "Local") / "EmoRec"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "EmoRec"
    # https://specifications.freedesktop.org/basedir-spec
    return Path(env.get("XDG_DATA_HOME") or home / ".local" / "share") / "emorec"


def worker_environment() -> dict[str, str]:
    """Return the environment of a process that reads visitors' files: without the secrets.

    The package is found there even if this process was started in another folder.
    """
    secrets = {variable.name for variable in VARIABLES.values() if variable.secret}
    kept = {name: value for name, value in os.environ.items() if name not in secrets}
    paths = [str(Path(__file__).parents[1]), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}
