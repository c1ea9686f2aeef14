"""The providers of STUN and TURN servers: the variables and the request of each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from emorec.deployment import Deployment, IceServer, checked_servers
from emorec.errors import EmorecError
from emorec.words import N_

LIFETIME_S = 6 * 3600
"""Lifetime of requested credentials: longer than a session, shorter than a day."""

_TIMEOUT_S = 5.0
_MOST_BYTES = 100_000


class Lease(NamedTuple):
    """Servers of a provider, and for how many seconds they are valid."""

    servers: tuple[IceServer, ...]
    lasts_s: float = float("inf")


class Provider(NamedTuple):
    """A provider of servers: its variables and its request.

    Attributes:
        name: its name in error lines.
        ways: sets of fields of the `Deployment`; the provider is configured if the fields that are
            set are exactly those of one set.
        ask: requests the servers; may take seconds.
    """

    name: str
    ways: tuple[tuple[str, ...], ...]
    ask: Callable[[Deployment], Lease]

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields of the `Deployment` that the provider reads."""
        return tuple(dict.fromkeys(name for way in self.ways for name in way))


def explicit(deployment: Deployment) -> Lease:
    """Return the servers listed in ``EMOREC_ICE_SERVERS``."""
    return Lease(deployment.ice_servers or ())


def own(deployment: Deployment) -> Lease:
    """Return the deployer's own TURN server; if it has a UDP address, also as a STUN server.

    With ``TURN_SECRET`` the username is ``expiry:emorec`` and the password is its HMAC-SHA1 in
    base64, as coturn's ``static-auth-secret`` expects (draft-uberti-behave-turn-rest-00, section
    2.2).
    """
    urls, lasts_s = deployment.turn_url or (), float("inf")
    username, password = deployment.turn_username or "", deployment.turn_password or ""
    if deployment.turn_secret:
        lasts_s = LIFETIME_S
        username = f"{int(time.time()) + LIFETIME_S}:emorec"
        digest = hmac.digest(deployment.turn_secret.encode(), username.encode(), hashlib.sha1)
        password = base64.b64encode(digest).decode()
    plain = [url.partition("?")[0] for url in urls if url[:5] == "turn:" and url[-4:] != "=tcp"]
    stun = tuple("stun:" + url.removeprefix("turn:") for url in plain)
    turn_server = IceServer(urls, username, password)
    return Lease((IceServer(stun), turn_server) if stun else (turn_server,), lasts_s)


def twilio(deployment: Deployment, base_url: str = "https://api.twilio.com") -> Lease:
    """Request a Network Traversal Service Token (https://www.twilio.com/docs/stun-turn/api)."""
    account, token = deployment.twilio_account_sid or "", deployment.twilio_auth_token
    basic = base64.b64encode(f"{account}:{token}".encode()).decode()
    answer = _ask(
        "Twilio",
        f"{base_url}/2010-04-01/Accounts/{quote(account, safe='')}/Tokens.json",
        {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
        urlencode({"Ttl": LIFETIME_S}).encode(),
    )
    return Lease(checked_servers(answer.get("ice_servers"), "Twilio"), LIFETIME_S)


def cloudflare(deployment: Deployment, base_url: str = "https://rtc.live.cloudflare.com") -> Lease:
    """Request credentials of Cloudflare's Realtime TURN.

    https://developers.cloudflare.com/realtime/turn/generate-credentials/
    """
    key = quote(deployment.cloudflare_turn_key_id or "", safe="")
    answer = _ask(
        "Cloudflare",
        f"{base_url}/v1/turn/keys/{key}/credentials/generate-ice-servers",
        {
            "Authorization": f"Bearer {deployment.cloudflare_turn_api_token}",
            "Content-Type": "application/json",
        },
        json.dumps({"ttl": LIFETIME_S}).encode(),
    )
    return Lease(checked_servers(answer.get("iceServers"), "Cloudflare"), LIFETIME_S)


def hugging_face(
    deployment: Deployment, base_url: str = "https://fastrtc-turn-service.hf.space"
) -> Lease:
    """Request Cloudflare's servers from FastRTC's Space (https://fastrtc.org/deployment/).

    The request goes to the Space's own host name
    (https://huggingface.co/spaces/fastrtc/turn-service). FastRTC uses another domain for it, which
    is delegated to name servers that do not know it: a stranger who registers the domain there
    would receive the token.
    """
    answer = _ask(
        "Hugging Face",
        f"{base_url}/credentials?{urlencode({'ttl': LIFETIME_S})}",
        {"Authorization": f"Bearer {deployment.hf_token}"},
    )
    return Lease(checked_servers(answer.get("iceServers"), "Hugging Face"), LIFETIME_S)


PROVIDERS = (
    Provider("EMOREC_ICE_SERVERS", (("ice_servers",),), explicit),
    Provider(
        "TURN_URL",
        (("turn_url", "turn_secret"), ("turn_url", "turn_username", "turn_password")),
        own,
    ),
    Provider("Twilio", (("twilio_account_sid", "twilio_auth_token"),), twilio),
    Provider("Cloudflare", (("cloudflare_turn_key_id", "cloudflare_turn_api_token"),), cloudflare),
    Provider("Hugging Face", (("hf_token",),), hugging_face),
)
"""In order of priority: the first configured provider is used."""


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects: the request contains a key that only the named host may receive."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _ask(name: str, url: str, headers: dict[str, str], data: bytes | None = None) -> dict[str, Any]:
    """Send a request to a provider, POST if there is data, and return its JSON object."""
    # Some hosts refuse urllib's default user agent.
    headers = headers | {"User-Agent": "emorec", "Accept": "application/json"}
    try:
        request = Request(url, data, headers)
        with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT_S) as reply:
            answer = json.loads(reply.read(_MOST_BYTES))
    except HTTPError as error:
        says = N_("{name}: gives no TURN server (HTTP {code}).")
        if error.code in (401, 403, 404):
            says = N_("{name}: refuses the key (HTTP {code}).")
        raise EmorecError(says, name=name, code=error.code) from None
    except (OSError, HTTPException):
        raise EmorecError(
            N_("{name}: did not answer when asked for a TURN server."), name=name
        ) from None
    except ValueError:  # no JSON, or a key that is not valid in a header; the text may hold secrets
        raise EmorecError(N_("{name}: the key or the answer is not readable."), name=name) from None
    return answer if isinstance(answer, dict) else {}
