"""What the doctor says of servers: a real coturn, a wrong password, nobody there."""

from __future__ import annotations

import json
import socket
from threading import Event

import pytest

from emorec.deployment import Deployment, IceServer
from emorec.doctor import network
from emorec.doctor.network import stun_problem, turn_problem
from emorec.live.ice import ice_servers


@pytest.fixture
def silent_port():
    """A UDP port that takes everything and answers nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        yield mute.getsockname()[1]


def network_findings(env, **more):
    return network.network_findings(Deployment.from_env(env), **more)


def place(url: str) -> tuple[str, int]:
    _, host, port = url.split(":")
    return host, int(port)


def test_the_secret_gives_a_relay_over_udp_and_tcp(turn_server):
    env = turn_server.env | {"TURN_URL": f"{turn_server.url},{turn_server.url}?transport=tcp"}
    found = list(network_findings(env, wait_s=20))
    assert [finding.kind for finding in found] == ["ok"] * 3, found


def test_a_wrong_secret_is_told_from_a_server_that_is_not_there(turn_server, silent_port):
    found = list(network_findings(turn_server.env | {"TURN_SECRET": "wrong"}, wait_s=20))
    assert [finding.kind for finding in found] == ["ok", "FAIL"], found
    assert "refuses the username or password (401)" in found[1].text
    assert "wrong" not in found[1].text
    env = {"TURN_URL": f"turn:127.0.0.1:{silent_port}", "TURN_SECRET": "hush"}
    found = list(network_findings(env, wait_s=0.7))
    assert [finding.kind for finding in found] == ["FAIL", "FAIL"], found
    assert all("no answer over UDP: open its port" in finding.text for finding in found)


def test_an_expired_name_is_refused(turn_server, monkeypatch):
    monkeypatch.setattr("emorec.live.ice_providers.time.time", lambda: 1_000_000_000)
    # A secret in another environment, so that nobody's kept credentials are taken.
    env = turn_server.env | {"TURN_URL": f"{turn_server.url}?transport=udp"}
    turn = ice_servers(Deployment.from_env(env))[-1]
    assert int(turn.username.split(":")[0]) < 1_100_000_000
    login = turn.username, turn.credential
    assert "(401)" in turn_problem(*place(turn_server.url), "udp", False, login, 20)


def test_a_server_that_speaks_no_tls_is_told(turn_server):
    problem = turn_problem(*place(turn_server.url), "tcp", True, ("u", "p"), 1)
    assert "TLS" in problem


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("127.0.0.1", "nothing listens there"),
        ("no.such.invalid", "leads nowhere"),
        ("no..such", "leads nowhere"),
    ],
)
def test_stun_says_why_there_is_no_answer(host, why):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert why in stun_problem(host, port, 5)


def test_stun_answers(turn_server):
    assert stun_problem(*place(turn_server.url), 20) == ""


def test_a_silent_default_is_a_note_and_a_silent_choice_a_failure(silent_port, monkeypatch):
    url = f"stun:127.0.0.1:{silent_port}"
    monkeypatch.setattr("emorec.live.ice.DEFAULT_ICE_SERVERS", (IceServer((url,)),))
    kinds = [finding.kind for finding in network_findings({}, wait_s=0.3)]
    assert kinds == ["note", "note"]
    env = {"EMOREC_ICE_SERVERS": json.dumps([{"urls": url}])}
    found = list(network_findings(env, wait_s=0.3))
    assert [finding.kind for finding in found] == ["FAIL", "note"]
    assert "TURN_URL" in found[1].text


def test_nothing_set_is_a_note_and_a_mistake_a_failure():
    assert [f.kind for f in network_findings({"EMOREC_ICE_SERVERS": "[]"})] == ["note"]
    (found,) = network_findings({"TURN_URL": "turn:a"})
    assert found.kind == "FAIL" and "TURN_SECRET" in found.text


def test_a_name_server_that_hangs_does_not_hang_the_doctor(monkeypatch):
    never = Event()

    def hang(*_args: object, **_kwargs: object) -> None:
        never.wait(60)
        raise socket.gaierror

    monkeypatch.setattr(network.socket, "getaddrinfo", hang)
    found = list(network_findings({"EMOREC_ICE_SERVERS": '[{"urls": "stun:a"}]'}, wait_s=0.1))
    never.set()
    assert found[0].kind == "FAIL" and "no answer" in found[0].text
