from __future__ import annotations

import logging
from threading import Barrier, Thread

import pytest

from emorec.deployment import Deployment, IceServer
from emorec.errors import EmorecError
from emorec.live.ice import (
    DEFAULT_ICE_SERVERS,
    Keeper,
    check,
    chosen,
    has_relay,
    ice_servers,
    rtc_configuration,
)
from emorec.live.ice_providers import Lease

OWN = {"TURN_URL": "turn:a:1", "TURN_USERNAME": "u", "TURN_PASSWORD": "hush"}
TWILIO = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "hush"}
CLOUDFLARE = {"CLOUDFLARE_TURN_KEY_ID": "key", "CLOUDFLARE_TURN_API_TOKEN": "hush"}
HF = {"HF_TOKEN": "hush"}


def of(env: dict[str, str]) -> Deployment:
    return Deployment.from_env(env)


@pytest.mark.parametrize(
    ("value", "servers"),
    [
        ("", DEFAULT_ICE_SERVERS),
        ("[]", ()),
        ('{"urls": "stun:a"}', (IceServer(("stun:a",)),)),
        (
            '[{"urls": ["turn:a"], "username": "u", "credential": "c"}]',
            (IceServer(("turn:a",), "u", "c"),),
        ),
    ],
)
def test_servers_come_from_the_environment(value, servers):
    assert ice_servers(of({"EMOREC_ICE_SERVERS": value})) == servers


@pytest.mark.parametrize(
    "value",
    [
        "{",
        '{"urls": []}',
        '["stun:a"]',
        '[{"secret": "hush"}]',
        '[{"urls": "turn:a"}]',
        '[{"urls": ["turn:a"], "username": "", "credential": "hush"}]',
        '[{"urls": ["turn:a:b"], "username": "u", "credential": "hush"}]',
    ],
)
def test_a_wrong_list_is_one_line_that_repeats_no_secret(value):
    with pytest.raises(EmorecError) as caught:
        of({"EMOREC_ICE_SERVERS": value})
    line = str(caught.value)
    assert line.startswith("EMOREC_ICE_SERVERS:") and "\n" not in line and "hush" not in line


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({}, None),
        ({"TURN_URL": " "}, None),
        ({"EMOREC_ICE_SERVERS": "[]"} | OWN | TWILIO, "EMOREC_ICE_SERVERS"),
        ({"EMOREC_ICE_SERVERS": "[]", "TURN_URL": "turn:a"}, "EMOREC_ICE_SERVERS"),
        (HF | CLOUDFLARE | TWILIO | OWN, "TURN_URL"),
        ({"TURN_URL": "turn:a", "TURN_SECRET": "hush"}, "TURN_URL"),
        (HF | CLOUDFLARE | TWILIO, "Twilio"),
        (HF | CLOUDFLARE, "Cloudflare"),
        (HF, "Hugging Face"),
    ],
)
def test_one_provider_is_chosen_in_order(env, name):
    provider = chosen(of(env))
    assert (provider and provider.name) == name


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"TURN_URL": "turn:a"}, ["Received TURN_URL."]),
        ({"TURN_PASSWORD": "hush"} | TWILIO, ["Received TURN_PASSWORD."]),
        (OWN | {"TURN_SECRET": "hush"}, ["TURN_URL + TURN_SECRET or TURN_URL + TURN_USERNAME"]),
        (
            {"TWILIO_AUTH_TOKEN": "hush", "CLOUDFLARE_TURN_KEY_ID": "key"},
            ["Twilio: expected", "Cloudflare: expected", "Received CLOUDFLARE_TURN_KEY_ID."],
        ),
    ],
)
def test_what_is_configured_by_half_is_one_line(env, said):
    for use in (ice_servers, rtc_configuration, check):
        with pytest.raises(EmorecError) as caught:
            use(of(env))
    line = str(caught.value)
    assert all(words in line for words in said)
    assert "\n" not in line and "hush" not in line


@pytest.mark.parametrize(
    ("policy", "expected"), [("", "all"), ("all", "all"), ("relay", "relay"), (" Relay ", "relay")]
)
def test_browser_and_server_get_one_configuration(policy, expected):
    chosen = of(OWN | {"EMOREC_ICE_POLICY": policy})
    check(chosen)
    rtc = rtc_configuration(chosen)
    assert rtc == {
        "iceServers": [
            {"urls": ["stun:a:1"]},
            {"urls": ["turn:a:1"], "username": "u", "credential": "hush"},
        ],
        "iceTransportPolicy": expected,
    }
    assert has_relay(rtc["iceServers"])


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"EMOREC_ICE_SERVERS": "[]"},
        {"EMOREC_ICE_SERVERS": '[{"urls": "stun:a"}]'} | OWN,
    ],
)
@pytest.mark.parametrize("use", [rtc_configuration, check])
def test_a_policy_that_cannot_be_kept_is_one_line(use, env):
    with pytest.raises(EmorecError, match=r"^EMOREC_ICE_POLICY: relay needs a TURN server"):
        use(of({"EMOREC_ICE_POLICY": "relay"} | env))


@pytest.mark.parametrize("lender", [TWILIO, CLOUDFLARE, HF])
def test_a_provider_is_not_asked_before_a_visitor_comes(lender, monkeypatch):
    monkeypatch.setattr("emorec.live.ice_providers.build_opener", None)
    check(of({"EMOREC_ICE_POLICY": "relay"} | lender))


def test_a_time_limited_name_is_the_same_for_all_visitors_until_it_is_renewed():
    env = {"TURN_URL": "turn:same:1", "TURN_SECRET": "s"}
    first = rtc_configuration(of(env))
    first["iceServers"][1]["username"] = "changed by a visitor"
    assert rtc_configuration(of(env)) == rtc_configuration(of(env)) != first


class Lender:
    """A provider whose answers are numbered; fails while told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.failing = False
        self.now_s = 0.0

    def __call__(self) -> Lease:
        self.asked += 1
        if self.failing:
            raise EmorecError("Twilio: did not answer.")
        return Lease((IceServer((f"stun:{self.asked}",)),), 100.0)

    def lent(self, keeper: Keeper) -> str:
        return keeper.servers()[0].urls[0]


def test_servers_are_kept_for_half_their_time_and_then_renewed():
    lender = Lender()
    keeper = Keeper(lender, lambda: lender.now_s)
    seen = []
    for lender.now_s in (0, 1, 49, 50, 51, 99, 100):
        seen.append(lender.lent(keeper))
    assert seen == ["stun:1"] * 3 + ["stun:2"] * 3 + ["stun:3"]


def test_a_failure_to_renew_shows_only_when_the_old_servers_end(caplog):
    lender = Lender()
    keeper = Keeper(lender, lambda: lender.now_s)
    assert lender.lent(keeper) == "stun:1"
    lender.failing, lender.now_s = True, 60.0
    with caplog.at_level(logging.WARNING):
        assert [lender.lent(keeper) for _ in range(5)] == ["stun:1"] * 5
    assert lender.asked == 2, "asked again at every visit"
    assert [record.getMessage() for record in caplog.records] == ["Twilio: did not answer."]
    lender.now_s = 101.0
    for _ in range(3):
        with pytest.raises(EmorecError, match=r"^Twilio: did not answer\.$"):
            keeper.servers()
    assert lender.asked == 3, "asked again at every visit"
    lender.failing, lender.now_s = False, 132.0
    assert lender.lent(keeper) == "stun:4"


def test_many_visitors_at_once_ask_once():
    lender = Lender()
    keeper, barrier, seen = Keeper(lender), Barrier(16), []

    def visit() -> None:
        barrier.wait()
        seen.append(lender.lent(keeper))

    threads = [Thread(target=visit) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["stun:1"] * 16


def test_nobody_waits_for_a_renewal_while_the_old_servers_hold():
    lender = Lender()
    inside, go_on = Barrier(2), Barrier(2)
    slow = False

    def ask() -> Lease:
        if slow:
            inside.wait(30)
            go_on.wait(30)
        return lender()

    keeper = Keeper(ask, lambda: lender.now_s)
    assert lender.lent(keeper) == "stun:1"
    slow, lender.now_s = True, 60.0
    renewal = Thread(target=keeper.servers)
    renewal.start()
    inside.wait(30)
    assert lender.lent(keeper) == "stun:1"
    go_on.wait(30)
    renewal.join()
    assert lender.lent(keeper) == "stun:2"
