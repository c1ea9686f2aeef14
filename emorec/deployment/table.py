"""The table: every variable with its name, range and default, and what reads them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from emorec.deployment import ranges
from emorec.deployment.ice_servers import IceServer
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


def _variable(
    name: str,
    values: ranges.Values,
    default: Any,
    meaning: str,
    *,
    unset: str = "",
    secret: bool = False,
) -> Any:
    """Return a dataclass field that carries its row of the table."""
    row = ranges.Variable(name, values, unset or _shown(default), meaning, secret)
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

    port: int = _variable("PORT", ranges.PORT, 8501, "the port of the page; a PaaS sets it")
    base_url_path: str | None = _variable(
        "STREAMLIT_SERVER_BASE_URL_PATH",
        ranges.Values("a path", "a path", str),
        None,
        "where behind a proxy the app is, as `faces/emorec`",
        unset="the root",
    )
    hosts: tuple[str, ...] | None = _variable(
        "EMOREC_HOSTS",
        ranges.Values(
            "`app.example.org`, `*.example.org`, a comma between",
            "host names like app.example.org, without https:// and port",
            ranges.hosts,
        ),
        None,
        "the host names that visitors open the app by; requests for others are refused",
        unset="any, and a warning; only localhost where the app is served there",
    )
    https: bool = _variable(
        "EMOREC_HTTPS",
        ranges.SWITCH,
        False,
        "visitors open the app by HTTPS alone: browsers are told so for a year (HSTS), and cookies "
        "are for HTTPS alone",
    )
    max_live: int | None = _variable(
        "EMOREC_MAX_LIVE",
        ranges.whole(1, 1000),
        None,
        "live visitors at once in this process; cores are the container's where it has a limit",
        unset="one a core, 2 or 3",
    )
    metrics_port: int | None = _variable(
        "EMOREC_METRICS_PORT",
        ranges.PORT,
        None,
        "the port of the Prometheus metrics, on all interfaces",
        unset="no metrics",
    )
    log: str | None = _variable(
        "EMOREC_LOG",
        ranges.choice(*LOG_FORMS),
        None,
        "form of the log lines",
        unset="`text` at a terminal, else `json`",
    )
    upload_mb: int = _variable(
        "EMOREC_UPLOAD_MB",
        ranges.whole(100, 1_000_000),
        200,
        "megabytes of pictures held for all visitors together; one visitor gets half",
    )
    video_mb: int = _variable(
        "EMOREC_VIDEO_MB",
        ranges.whole(0, 1_000_000),
        500,
        "megabytes of the largest video that visitors may upload; `0`: no Video page",
    )
    video_disk_mb: int = _variable(
        "EMOREC_VIDEO_DISK_MB",
        ranges.whole(100, 100_000_000),
        4000,
        "megabytes on disk of videos and their results for all visitors together; one visitor gets "
        "half",
    )
    frame_ancestors: str | None = _variable(
        "EMOREC_FRAME_ANCESTORS",
        ranges.Values(
            "sites, `https://…`, a space between", "sites like https://example.org", ranges.sites
        ),
        None,
        "other sites that may show the app in a frame",
        unset="none",
    )
    secrets: Mapping[str, Any] | None = _variable(
        "EMOREC_SECRETS",
        ranges.Values("TOML", "TOML, as secrets.toml holds it", tomllib.loads),
        None,
        "what `.streamlit/secrets.toml` would hold, where a platform has no files",
        unset="nothing",
        secret=True,
    )
    require_login: bool = _variable(
        "EMOREC_REQUIRE_LOGIN", ranges.SWITCH, False, "do not start without a login"
    )
    consent: bool = _variable(
        "EMOREC_CONSENT",
        ranges.Values("`required`", "required", ranges.consent),
        False,
        "ask each visitor for a purpose and for consent",
        unset="no question",
    )
    language: str = _variable(
        "EMOREC_LANGUAGE",
        ranges.choice("auto", *LANGUAGES),
        "auto",
        "the language that pages begin in (`auto`: the browser's); visitors can choose another",
    )
    group_only: bool = _variable(
        "EMOREC_GROUP_ONLY",
        ranges.SWITCH,
        False,
        "the Live and Photo pages show totals alone, nothing of a single face",
    )
    ice_servers: tuple[IceServer, ...] | None = _variable(
        "EMOREC_ICE_SERVERS",
        ranges.Values(
            'JSON, `[{"urls": […]}]`', 'JSON like [{"urls": ["stun:…"]}]', ranges.ice_servers
        ),
        None,
        "the STUN and TURN servers, before all others; `[]` means none, for one network",
        unset="one of those below",
        secret=True,
    )
    ice_policy: str = _variable(
        "EMOREC_ICE_POLICY",
        ranges.choice("all", "relay"),
        "all",
        "`relay` lets live pictures go through TURN only",
    )
    turn_url: tuple[str, ...] | None = _variable(
        "TURN_URL",
        ranges.Values(
            "`turn:…`, `turns:…`, a comma between",
            "addresses like turn:turn.example.org:3478",
            ranges.turn_urls,
        ),
        None,
        "your own TURN server",
        unset="a public STUN server",
        secret=True,
    )
    turn_secret: str | None = _variable(
        "TURN_SECRET",
        ranges.TEXT,
        None,
        "coturn's `static-auth-secret`; with `TURN_URL`",
        secret=True,
    )
    turn_username: str | None = _variable(
        "TURN_USERNAME",
        ranges.TEXT,
        None,
        "with `TURN_URL` and `TURN_PASSWORD`, instead of a secret",
        secret=True,
    )
    turn_password: str | None = _variable(
        "TURN_PASSWORD", ranges.TEXT, None, "with `TURN_USERNAME`", secret=True
    )
    twilio_account_sid: str | None = _variable(
        "TWILIO_ACCOUNT_SID",
        ranges.TEXT,
        None,
        "Twilio lends the servers; with the token",
        secret=True,
    )
    twilio_auth_token: str | None = _variable(
        "TWILIO_AUTH_TOKEN", ranges.TEXT, None, "with `TWILIO_ACCOUNT_SID`", secret=True
    )
    cloudflare_turn_key_id: str | None = _variable(
        "CLOUDFLARE_TURN_KEY_ID",
        ranges.TEXT,
        None,
        "Cloudflare lends the servers; with its token",
        secret=True,
    )
    cloudflare_turn_api_token: str | None = _variable(
        "CLOUDFLARE_TURN_API_TOKEN", ranges.TEXT, None, "with `CLOUDFLARE_TURN_KEY_ID`", secret=True
    )
    hf_token: str | None = _variable(
        "HF_TOKEN",
        ranges.TEXT,
        None,
        "Hugging Face's FastRTC lends the servers; it is sent to FastRTC's Space, so take a token "
        "without rights",
        secret=True,
    )
    people: bool = _variable(
        "EMOREC_PEOPLE",
        ranges.SWITCH,
        False,
        "names for faces, for all visitors",
        unset="`0`; `1` by `emorec run`",
    )
    sessions: str = _variable(
        "EMOREC_SESSIONS",
        ranges.choice(*KEEPING),
        KEEPING[0],
        "live sessions are kept: never; when the visitor asks for it; or each from START on, which"
        " needs `EMOREC_CONSENT`",
        unset="`off`; `ask` by `emorec run`",
    )
    sessions_shared: bool = _variable(
        "EMOREC_SESSIONS_SHARED",
        ranges.SWITCH,
        False,
        "every visitor sees, changes and deletes all kept sessions",
    )
    keep_days: int = _variable(
        "EMOREC_KEEP_DAYS", ranges.whole(1, 3650), 30, "days after which a kept session is deleted"
    )
    database_url: str | None = _variable(
        "DATABASE_URL",
        ranges.Values(
            "`postgresql://…`, `sqlite:///FILE`",
            "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, with special characters in the"
            " password percent-encoded",
            ranges.database,
        ),
        None,
        "where people and sessions are kept",
        unset="a file in `EMOREC_DATA`",
        secret=True,
    )
    key: bytes | None = _variable(
        "EMOREC_KEY",
        ranges.Values(
            f"{ranges.KEY_BYTES} bytes in base64",
            f"{ranges.KEY_BYTES} random bytes in base64, as `openssl rand -base64"
            f" {ranges.KEY_BYTES}` prints",
            ranges.decoded_key,
        ),
        None,
        "the key that names and faces are encrypted with",
        unset="a file beside SQLite's; PostgreSQL needs it",
        secret=True,
    )
    data_folder: Path | None = _variable(  # noqa: RUF009 (a field, no value)
        "EMOREC_DATA",
        ranges.Values("a folder", "a folder", Path),
        None,
        "where SQLite's file and the key lie",
        unset="the user's data folder",
    )
    detector: str = _variable(
        "EMOREC_DETECTOR",
        ranges.choice(*DETECTORS),
        DETECTORS[0],
        "what finds the faces (`auto`: BlazeFace); visitors can choose another",
    )
    min_face_px: int | None = _variable(
        "EMOREC_MIN_FACE_PX",
        ranges.whole(LEAST_FACE_PX),
        None,
        "side in pixels of the smallest face looked for; visitors can choose another",
        unset="what suits the picture",
    )
    smoothing_s: float = _variable(
        "EMOREC_SMOOTHING_S",
        ranges.decimal(0, LONGEST_SMOOTHING_S),
        Settings().smoothing_s,
        "seconds over which a face's probabilities are averaged; visitors can choose others",
    )
    runtime: str = _variable(
        "EMOREC_RUNTIME",
        ranges.choice(*RUNTIMES),
        RUNTIMES[0],
        "what runs the network; Keras needs `requirements-train.txt`",
    )
    keras_backend: str | None = _variable(
        "KERAS_BACKEND",
        ranges.choice(*KERAS_BACKENDS),
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


VARIABLES: dict[str, ranges.Variable] = {
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
