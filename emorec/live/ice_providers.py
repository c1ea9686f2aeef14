"""Who lends STUN and TURN servers: which variables name them, and what each is asked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from emorec.errors import EmorecError

LIFETIME_S = 6 * 3600
"""How long time-limited credentials are asked for: longer than a session, shorter than a day."""

_TIMEOUT_S = 5.0
_MOST_BYTES = 100_000
_STUN = re.compile(r"stuns?:[^?:\s]+(:\d{1,5})?")
_TURN = re.compile(r"turns?:[^?:\s]+(:\d{1,5})?(\?transport=(udp|tcp))?")


class Lease(NamedTuple):
    """Servers as ``RTCConfiguration.iceServers`` takes them, and how long they may be used."""

    servers: list[dict[str, Any]]
    lasts_s: float = float("inf")


class Provider(NamedTuple):
    """One who lends servers: the sets of variables that configure it, and how it is asked."""

    name: str
    ways: tuple[tuple[str, ...], ...]
    ask: Callable[[Mapping[str, str]], Lease]

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that it knows."""
        return tuple(dict.fromkeys(name for way in self.ways for name in way))


def explicit(env: Mapping[str, str]) -> Lease:
    """Return what ``EMOREC_ICE_SERVERS`` holds as JSON."""
    try:
        servers = json.loads(env["EMOREC_ICE_SERVERS"])
    except json.JSONDecodeError as error:
        raise EmorecError(f"EMOREC_ICE_SERVERS: is no JSON ({error.msg}).") from None
    return Lease(_checked(servers, "EMOREC_ICE_SERVERS"))


def own(env: Mapping[str, str]) -> Lease:
    """Return the deployer's own server, which is asked for STUN too where it speaks UDP.

    With ``TURN_SECRET`` the name is ``expiry:emorec`` and the password its HMAC-SHA1 in base64, as
    coturn's ``static-auth-secret`` takes them (draft-uberti-behave-turn-rest-00, section 2.2).
    """
    urls = [url.strip() for url in env["TURN_URL"].split(",") if url.strip()]
    if not urls or not all(_TURN.fullmatch(url) for url in urls):
        raise EmorecError("TURN_URL: expected addresses like turn:turn.example.org:3478.")
    lasts_s = float("inf")
    username, password = env.get("TURN_USERNAME", ""), env.get("TURN_PASSWORD", "")
    if "TURN_SECRET" in env:
        lasts_s = LIFETIME_S
        username = f"{int(time.time()) + LIFETIME_S}:emorec"
        digest = hmac.digest(env["TURN_SECRET"].encode(), username.encode(), hashlib.sha1)
        password = base64.b64encode(digest).decode()
    plain = [url.partition("?")[0] for url in urls if url[:5] == "turn:" and url[-4:] != "=tcp"]
    stun = [{"urls": ["stun:" + url.removeprefix("turn:") for url in plain]}] if plain else []
    turn = {"urls": urls, "username": username, "credential": password}
    return Lease([*stun, turn], lasts_s)


def twilio(env: Mapping[str, str], base_url: str = "https://api.twilio.com") -> Lease:
    """Ask for a Network Traversal Service Token (https://www.twilio.com/docs/stun-turn/api)."""
    account, token = env["TWILIO_ACCOUNT_SID"], env["TWILIO_AUTH_TOKEN"]
    basic = base64.b64encode(f"{account}:{token}".encode()).decode()
    answer = _ask(
        "Twilio",
        f"{base_url}/2010-04-01/Accounts/{quote(account, safe='')}/Tokens.json",
        {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
        urlencode({"Ttl": LIFETIME_S}).encode(),
    )
    return Lease(_checked(answer.get("ice_servers"), "Twilio"), LIFETIME_S)


def cloudflare(env: Mapping[str, str], base_url: str = "https://rtc.live.cloudflare.com") -> Lease:
    """Ask Realtime TURN (https://developers.cloudflare.com/realtime/turn/generate-credentials/)."""
    key = quote(env["CLOUDFLARE_TURN_KEY_ID"], safe="")
    answer = _ask(
        "Cloudflare",
        f"{base_url}/v1/turn/keys/{key}/credentials/generate-ice-servers",
        {
            "Authorization": f"Bearer {env['CLOUDFLARE_TURN_API_TOKEN']}",
            "Content-Type": "application/json",
        },
        json.dumps({"ttl": LIFETIME_S}).encode(),
    )
    return Lease(_checked(answer.get("iceServers"), "Cloudflare"), LIFETIME_S)


def hugging_face(
    env: Mapping[str, str], base_url: str = "https://fastrtc-turn-service.hf.space"
) -> Lease:
    """Ask the Space that lends Cloudflare's servers to FastRTC (https://fastrtc.org/deployment/).

    The Space (https://huggingface.co/spaces/fastrtc/turn-service) is asked by its own name: the
    domain that FastRTC uses for it is delegated to name servers that disown it, so that whoever
    takes it over would be handed the token.
    """
    answer = _ask(
        "Hugging Face",
        f"{base_url}/credentials?{urlencode({'ttl': LIFETIME_S})}",
        {"Authorization": f"Bearer {env['HF_TOKEN']}"},
    )
    return Lease(_checked(answer.get("iceServers"), "Hugging Face"), LIFETIME_S)


PROVIDERS = (
    Provider("EMOREC_ICE_SERVERS", (("EMOREC_ICE_SERVERS",),), explicit),
    Provider(
        "TURN_URL",
        (("TURN_URL", "TURN_SECRET"), ("TURN_URL", "TURN_USERNAME", "TURN_PASSWORD")),
        own,
    ),
    Provider("Twilio", (("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),), twilio),
    Provider("Cloudflare", (("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_API_TOKEN"),), cloudflare),
    Provider("Hugging Face", (("HF_TOKEN",),), hugging_face),
)
"""In the order in which they are looked for: who names servers outright is heard first."""


class _NoRedirect(HTTPRedirectHandler):
    """The request carries a key, which is for the named host alone."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _ask(name: str, url: str, headers: dict[str, str], data: bytes | None = None) -> dict[str, Any]:
    """Return a provider's JSON object; POST where there is data."""
    # Some hosts refuse the agent that urllib names by itself.
    headers = headers | {"User-Agent": "emorec", "Accept": "application/json"}
    try:
        request = Request(url, data, headers)
        with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT_S) as reply:
            answer = json.loads(reply.read(_MOST_BYTES))
    except HTTPError as error:
        why = "refuses the key" if error.code in (401, 403, 404) else "lends no TURN server"
        raise EmorecError(f"{name}: {why} (HTTP {error.code}).") from None
    except (OSError, HTTPException):
        raise EmorecError(f"{name}: did not answer when asked for a TURN server.") from None
    except ValueError:  # no JSON, or a key that no header can carry; either may repeat secrets
        raise EmorecError(f"{name}: the key or the answer is not readable.") from None
    return answer if isinstance(answer, dict) else {}


def _checked(servers: Any, name: str) -> list[dict[str, Any]]:
    """Return the servers with nothing but what browsers need; refuse what they would refuse."""
    if isinstance(servers, dict):
        servers = [servers]
    if not isinstance(servers, list) or not all(
        isinstance(server, dict) and "urls" in server for server in servers
    ):
        raise EmorecError(f'{name}: expected a list like [{{"urls": ["stun:…"]}}].')
    kept = []
    for place, server in enumerate(servers, start=1):
        urls = server["urls"] if isinstance(server["urls"], list) else [server["urls"]]
        if not urls or not all(
            isinstance(u, str) and (_STUN.fullmatch(u) or _TURN.fullmatch(u)) for u in urls
        ):
            raise EmorecError(
                f"{name}: server {place} needs addresses like stun:host:3478 or turn:host:3478."
            )
        login = {key: server[key] for key in ("username", "credential") if key in server}
        if any(url.startswith("turn") for url in urls) and not (
            len(login) == 2 and all(isinstance(word, str) and word for word in login.values())
        ):
            raise EmorecError(f"{name}: TURN server {place} needs a username and a credential.")
        kept.append({"urls": urls, **login})
    return kept
