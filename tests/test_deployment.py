"""What a deployer may set: right, wrong, empty; and the table in the docs."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from emorec.deployment import (
    ICE,
    SETTINGS,
    STORE,
    VARIABLES,
    Deployment,
    IceServer,
    Variable,
    problems,
)
from emorec.errors import EmorecError
from emorec.settings import Settings
from testkit.variables import WRONG

ROOT = Path(__file__).resolve().parent.parent
KEY = bytes(range(32))

# A field, a text, and what the text stands for: the ends of each range, and other ways to write it.
RIGHT: list[tuple[str, str, Any]] = [
    ("port", "1", 1),
    ("port", "65535", 65535),
    ("base_url_path", "/faces/emorec/", "/faces/emorec/"),
    ("hosts", "App.example.org, *.example.org,", ("app.example.org", "*.example.org")),
    ("hosts", "10.0.0.1,::1", ("10.0.0.1", "::1")),
    ("max_live", "1", 1),
    ("max_live", "1000", 1000),
    ("metrics_port", " 9090 ", 9090),
    ("log", "json", "json"),
    ("log", "Text", "text"),
    ("upload_mb", "100", 100),
    ("upload_mb", "1000000", 1_000_000),
    ("video_mb", "0", 0),
    ("video_mb", "1000000", 1_000_000),
    ("video_disk_mb", "100", 100),
    ("frame_ancestors", "https://*.example.org http://b:80", "https://*.example.org http://b:80"),
    ("secrets", "[auth]\nclient_id = 'a'", {"auth": {"client_id": "a"}}),
    ("https", "1", True),
    ("require_login", "1", True),
    ("language", "DE", "de"),
    ("group_only", "1", True),
    ("require_login", "No", False),
    ("group_only", "No", False),
    ("consent", "Required", True),
    ("ice_servers", "[]", ()),
    ("ice_servers", '{"urls": "stun:a", "credentialType": "x"}', (IceServer(("stun:a",)),)),
    (
        "ice_servers",
        '[{"urls": ["turn:a:1"], "username": "u", "credential": "c"}]',
        (IceServer(("turn:a:1",), "u", "c"),),
    ),
    ("ice_policy", " Relay ", "relay"),
    ("turn_url", "turn:a:1, turns:b?transport=tcp,", ("turn:a:1", "turns:b?transport=tcp")),
    ("turn_secret", " s ", "s"),
    ("turn_username", "u", "u"),
    ("turn_password", "p", "p"),
    ("twilio_account_sid", "a", "a"),
    ("twilio_auth_token", "a", "a"),
    ("cloudflare_turn_key_id", "a", "a"),
    ("cloudflare_turn_api_token", "a", "a"),
    ("hf_token", "a", "a"),
    ("people", "TRUE", True),
    ("people", "0", False),
    ("sessions", "Ask", "ask"),
    ("sessions", "start", "start"),
    ("sessions_shared", "1", True),
    ("keep_days", "1", 1),
    ("keep_days", "3650", 3650),
    ("key", base64.b64encode(KEY).decode(), KEY),
    ("key", base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode() + "\n", b"\xfb\xff" * 16),
    ("data_folder", " /chosen ", Path("/chosen")),
    ("detector", "haar", "haar"),
    ("min_face_px", "16", 16),
    ("min_face_px", "4000", 4000),
    ("smoothing_s", "0", 0),
    ("smoothing_s", "60", 60),
    ("smoothing_s", "1.5", 1.5),
    ("runtime", "keras", "keras"),
    ("keras_backend", "jax", "jax"),
]
ADDRESSES = [
    "sqlite:////data/emorec.sqlite",
    "sqlite:///C:\\data\\emorec.sqlite",
    "sqlite:///two words.sqlite",
    "postgres://me:pass@host/emorec",
    "postgresql://me:pa%40ss#@host:5432/emorec?sslmode=require",
    "postgresql+psycopg://me@[::1]:5432/emorec",
    "postgresql:///emorec?host=/run/postgresql",
    "postgresql://host",
]


def of(field: str, text: str) -> Any:
    return getattr(Deployment.from_env({VARIABLES[field].name: text}), field)


@pytest.mark.parametrize(("field", "text", "value"), RIGHT)
def test_a_right_value_is_read(field: str, text: str, value: Any) -> None:
    assert of(field, text) == value


@pytest.mark.parametrize("text", ADDRESSES)
def test_every_address_that_the_database_takes_is_right(text: str) -> None:
    pytest.importorskip("sqlalchemy").make_url(text)
    assert of("database_url", text) == text


def test_every_variable_has_a_right_value_here() -> None:
    assert {field for field, _, _ in RIGHT} | {"database_url"} == VARIABLES.keys()


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_wrong_value_is_one_line_that_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(EmorecError) as raised:
        Deployment.from_env({name: text})
    line = str(raised.value)
    assert line.startswith(f"{name}: ") and line.endswith(".") and "\n" not in line
    (variable,) = (each for each in VARIABLES.values() if each.name == name)
    if variable.secret:
        assert "hidden" not in line and (len(text) < 20 or text not in line)
    else:
        assert line == f"{name}: expected {variable.values.expected}. Received {text!r}."
    assert problems({name: text}) == [line]


def test_every_variable_that_can_be_wrong_has_a_wrong_value() -> None:
    any_text = {"base_url_path", "data_folder"}  # only their use shows whether they are right
    any_text |= {field for field, each in VARIABLES.items() if each.values.shown == "text"}
    names = {each.name for field, each in VARIABLES.items() if field not in any_text}
    assert {name for name, _ in WRONG} == names


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
@pytest.mark.parametrize("variable", VARIABLES.values(), ids=lambda each: each.name)
def test_empty_is_not_set(variable: Variable, text: str) -> None:
    assert Deployment.from_env({variable.name: text}) == Deployment.from_env({})


def test_what_is_not_set_is_the_default() -> None:
    chosen = Deployment.from_env({"HOME": "/", "MIN_FACE_PX": "99"})
    for field in VARIABLES.keys() - {"data_folder"}:
        assert getattr(chosen, field) == getattr(Deployment(), field)
    assert chosen.settings == Settings()


def test_the_settings_are_those_of_their_variables() -> None:
    env = {"EMOREC_DETECTOR": "haar", "EMOREC_MIN_FACE_PX": "24", "EMOREC_SMOOTHING_S": "0"}
    expected = Settings(min_face_px=24, smoothing_s=0, detector="haar")
    assert Deployment.from_env(env).settings == expected
    assert Deployment.from_env(env, only=SETTINGS).settings == expected


def test_a_part_is_read_without_the_rest() -> None:
    env = {"DATABASE_URL": "mysql://another program's", "EMOREC_MIN_FACE_PX": "24"}
    assert Deployment.from_env(env, only=SETTINGS).min_face_px == 24
    assert Deployment.from_env(env, only=()) == Deployment()
    with pytest.raises(EmorecError, match=r"^DATABASE_URL: "):
        Deployment.from_env(env, only=STORE)
    assert set(SETTINGS + STORE + ICE) <= VARIABLES.keys()


def test_each_wrong_variable_is_named() -> None:
    wrong = dict(WRONG)
    assert [line.partition(":")[0] for line in problems(wrong)] == [
        each.name for each in VARIABLES.values() if each.name in wrong
    ]
    assert problems({}) == []


def test_a_deployment_shows_no_secret() -> None:
    env = {
        "TURN_PASSWORD": "hush",
        "EMOREC_KEY": base64.b64encode(b"hush" * 8).decode(),
        "DATABASE_URL": "postgres://me:hush@host/emorec",
        "EMOREC_SECRETS": "a = 'hush'",
        "EMOREC_ICE_SERVERS": '{"urls": "turn:a", "username": "u", "credential": "hush"}',
    }
    assert "hush" not in repr(Deployment.from_env(env))


@pytest.mark.parametrize(
    ("platform", "env", "expected"),
    [
        ("linux", {}, "home/.local/share/emorec"),
        ("linux", {"XDG_DATA_HOME": "/xdg"}, "/xdg/emorec"),
        ("darwin", {}, "home/Library/Application Support/EmoRec"),
        ("darwin", {"XDG_DATA_HOME": "/xdg"}, "home/Library/Application Support/EmoRec"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/EmoRec"),
        ("win32", {}, "home/AppData/Local/EmoRec"),
        ("win32", {"EMOREC_DATA": "/chosen"}, "/chosen"),
    ],
)
def test_data_lies_where_the_platform_keeps_it(
    platform: str, env: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    folder = Deployment.from_env(env).data_folder
    assert folder == Path.home() / expected.removeprefix("home/")


def test_a_user_without_a_home_has_no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    assert Deployment.from_env({}).data_folder is None
    assert Deployment.from_env({"EMOREC_DATA": "/chosen"}).data_folder == Path("/chosen")


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `[A-Z_]+` \|.*$", page.partition("## All variables")[2], re.MULTILINE)
    shown = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert shown == [
        [f"`{each.name}`", each.values.shown, each.unset, each.meaning]
        for each in VARIABLES.values()
    ]
