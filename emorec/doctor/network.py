"""Checks whether the STUN and TURN servers answer this machine, and says what to do if not."""

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
    """Ask all configured servers at the same time and yield a finding for each.

    If the default server does not answer, that is only a note: the machine may be offline.
    """
    try:
        check(deployment)
        provider, servers = chosen(deployment), ice_servers(deployment)
    except EmorecError as error:
        yield Finding("FAIL", str(error))
        return
    for url, problem in _problems(servers, wait_s):
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
    """Ask a STUN server over UDP; return the problem and what to do, or an empty text.

    The binding request is repeated after 0.5, 1, 2 … seconds (RFC 8489, section 6.2.1).
    """
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    until_s, pause_s = monotonic() + wait_s, 0.5
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as connection:
            connection.connect(address)
            while (left_s := until_s - monotonic()) > 0:
                connection.send(bytes(request))
                connection.settimeout(min(pause_s, left_s))
                pause_s *= 2
                try:
                    answer = stun.parse_message(connection.recv(2048))
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
    """Ask a TURN server for a relay and release it; return the problem, or an empty text.

    Args:
        host: the server's name or address.
        port: the server's port.
        transport: ``udp`` or ``tcp``.
        tls: whether the connection is encrypted (``turns:``).
        login: username and password.
        wait_s: seconds to wait for the answer.
    """
    way = "TLS" if tls else transport.upper()
    try:
        address = socket.getaddrinfo(host, port)[0][4][0]
        # TLS needs the name: the certificate holds it, not the address.
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
        return  # the relay ends by itself after 60 s


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


def _problems(servers: Iterable[IceServer], wait_s: float) -> Iterator[tuple[str, str]]:
    """Yield every address with its problem, or an empty text.

    Each server has a thread, because the search for an unknown name may take longer than
    ``wait_s``.
    """
    problems: dict[str, str] = {}
    threads = []
    for server in servers:
        for url in server.urls:
            thread = Thread(target=_check, args=(url, server, wait_s, problems), daemon=True)
            thread.start()
            threads.append((url, thread))
    until_s = monotonic() + wait_s + 2
    for url, thread in threads:
        thread.join(max(0.0, until_s - monotonic()))
        yield url, problems.get(url, _unreachable(TimeoutError(), "the network"))


def _check(url: str, server: IceServer, wait_s: float, problems: dict[str, str]) -> None:
    """Ask one server and store its problem, or an empty text, in ``problems``."""
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
