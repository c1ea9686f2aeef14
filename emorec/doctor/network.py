"""Whether the STUN and TURN servers answer this machine, and what to do where one does not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Iterator
from threading import Thread
from time import monotonic

from aioice import stun, turn

from emorec.deployment import Deployment, IceServer
from emorec.doctor.finding import Finding
from emorec.errors import EmorecError
from emorec.live.ice import check, chosen, has_relay, ice_servers

_WAIT_S = 2.0
_MAY_BE_OFFLINE = "this machine may have no internet"


def network_findings(deployment: Deployment, wait_s: float = _WAIT_S) -> Iterator[Finding]:
    """Ask every server that is configured, all at once, and say which of them answer.

    Where the default server does not answer, that is only a note: the machine may be offline.
    """
    try:
        check(deployment)
        provider, servers = chosen(deployment), ice_servers(deployment)
    except EmorecError as error:
        yield Finding("FAIL", str(error))
        return
    for url, problem in _asked(servers, wait_s):
        if not problem:
            yield Finding("ok", f"{url} answers")
        elif provider is None:
            yield Finding("note", f"no answer from {url} ({_MAY_BE_OFFLINE})")
        else:
            yield Finding("FAIL", f"{url}: {problem}")
    if not has_relay(server.rtc() for server in servers):
        yield Finding(
            "note",
            "network: between firewalls live video needs a TURN server "
            "(TURN_URL or another way in docs/deploy.md)",
        )


def stun_problem(host: str, port: int, wait_s: float) -> str:
    """Ask a STUN server over UDP; return what is wrong and what to do, or nothing.

    A binding request is sent again after half a second, one, two … (RFC 8489, section 6.2.1).
    """
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    until_s, pause_s = monotonic() + wait_s, 0.5
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as way:
            way.connect(address)
            while (left_s := until_s - monotonic()) > 0:
                way.send(bytes(request))
                way.settimeout(min(pause_s, left_s))
                pause_s *= 2
                try:
                    answer = stun.parse_message(way.recv(2048))
                except (TimeoutError, ValueError):
                    continue
                if answer.transaction_id == request.transaction_id:
                    found = "XOR-MAPPED-ADDRESS" in answer.attributes
                    return "" if found else "answers without an address: is it a STUN server?"
    except (OSError, UnicodeError) as error:
        return _unreachable(error, "UDP")
    return _unreachable(TimeoutError(), "UDP")


def turn_problem(
    host: str, port: int, transport: str, tls: bool, login: tuple[str, str], wait_s: float
) -> str:
    """Ask a TURN server for a relay and give it back; return what is wrong, or nothing.

    Args:
        host: its name or address.
        port: its port.
        transport: ``udp`` or ``tcp``.
        tls: whether the connection is encrypted, as by ``turns:``.
        login: username and password.
        wait_s: how long to wait.
    """
    way = "TLS" if tls else transport.upper()
    try:
        address = socket.getaddrinfo(host, port)[0][4][0]
        # The certificate is made out to the name.
        asyncio.run(_allocate((host if tls else str(address), port), transport, tls, login, wait_s))
    except stun.TransactionFailed as error:
        if error.response.error_code == 401:
            return (
                "refuses the username or password (401): compare them, or TURN_SECRET, with the "
                "server's; with TURN_SECRET both clocks must be right too"
            )
        if error.response.error_code == 486:
            return "is full (486): raise its user-quota and total-quota"
        return f"lends no relay (error {error.response.error_code}): see its log"
    except ssl.SSLError:
        return "no TLS: its certificate has expired, or is not made out to this name"
    except (OSError, UnicodeError, stun.TransactionError) as error:
        return _unreachable(error, way)
    return ""


async def _allocate(
    server: tuple[str, int], transport: str, tls: bool, login: tuple[str, str], wait_s: float
) -> None:
    """Allocate a relay and delete it (RFC 8656, sections 6 and 8)."""
    relay, protocol = await asyncio.wait_for(
        turn.create_turn_endpoint(
            _Relay, server, *login, lifetime=60, ssl=tls or None, transport=transport
        ),
        wait_s,
    )
    relay.close()
    try:
        await asyncio.wait_for(protocol.gone.wait(), 1)
    except TimeoutError:
        return  # it ends by itself after a minute


class _Relay(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def connection_lost(self, _error: Exception | None) -> None:
        self.gone.set()


def _unreachable(error: Exception, way: str) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "this name leads nowhere: check how it is written, and this machine's DNS"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens there over {way}: start the server, or correct the port"
    return f"no answer over {way}: open its port in the firewalls between here and there"


def _asked(servers: Iterable[IceServer], wait_s: float) -> Iterator[tuple[str, str]]:
    """Yield every address and what is wrong with it; a name that is not found may hang."""
    problems: dict[str, str] = {}
    threads = []
    for server in servers:
        for url in server.urls:
            thread = Thread(target=_ask, args=(url, server, wait_s, problems), daemon=True)
            thread.start()
            threads.append((url, thread))
    until_s = monotonic() + wait_s + 2
    for url, thread in threads:
        thread.join(max(0.0, until_s - monotonic()))
        yield url, problems.get(url, _unreachable(TimeoutError(), "the network"))


def _ask(url: str, server: IceServer, wait_s: float, problems: dict[str, str]) -> None:
    scheme, _, rest = url.partition(":")
    place, _, transport = rest.partition("?transport=")
    host, _, port = place.partition(":")
    tls = scheme in ("stuns", "turns")
    number = int(port) if port else (5349 if tls else 3478)
    if scheme == "stun":
        problems[url] = stun_problem(host, number, wait_s)
    elif scheme == "stuns":
        problems[url] = "is not used: neither browsers nor the server speak STUN over TLS here"
    else:
        login = server.username, server.credential
        over = transport or ("tcp" if tls else "udp")
        problems[url] = turn_problem(host, number, over, tls, login, wait_s)
