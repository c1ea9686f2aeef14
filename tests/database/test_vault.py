from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorec.database.engine import connect, writing
from emorec.database.tables import StoreRow
from emorec.database.vault import SealError, Vault, confirm, unlock
from emorec.deployment import Deployment, decoded_key
from emorec.errors import StoreError

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
PLACE = "name of person 1"


@given(st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_in_its_place(value: bytes, place: str) -> None:
    vault = Vault(KEY)
    assert vault.open(vault.seal(value, place), place) == value


def test_two_seals_of_one_value_differ_and_hide_it() -> None:
    vault = Vault(KEY)
    first, second = vault.seal(b"Ada Lovelace", PLACE), vault.seal(b"Ada Lovelace", PLACE)
    assert first != second
    assert b"Ada" not in first + second


@given(st.data())
def test_what_was_changed_does_not_open(data: st.DataObject) -> None:
    vault = Vault(KEY)
    sealed = bytearray(vault.seal(b"Ada Lovelace", PLACE))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError, match=PLACE):
        vault.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("length", [0, 1, 12, 13, 28, 40])
def test_what_was_cut_off_does_not_open(length: int) -> None:
    vault = Vault(KEY)
    with pytest.raises(SealError):
        vault.open(vault.seal(b"Ada Lovelace", PLACE)[:length], PLACE)


def test_neither_another_place_nor_another_key_opens_it() -> None:
    sealed = Vault(KEY).seal(b"Ada Lovelace", PLACE)
    for key, place in ((KEY, "name of person 2"), (OTHER, PLACE)):
        with pytest.raises(SealError):
            Vault(key).open(sealed, place)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_has_256_bits(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(key)


def opened(folder: Path, key: bytes | None = None) -> Vault:
    engine = connect(None, folder)
    try:
        return unlock(engine, key)
    finally:
        engine.dispose()


def test_the_key_file_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    sealed = opened(tmp_path).seal(b"Ada", PLACE)
    file = tmp_path / "emorec.key"
    if os.name != "nt":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_bytes())) == 32
    assert opened(tmp_path).open(sealed, PLACE) == b"Ada"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "emorec.key",
        "emorec.reserve",
        "emorec.sqlite",
    ]


def test_two_stores_have_two_keys(tmp_path: Path) -> None:
    sealed = opened(tmp_path / "a").seal(b"Ada", PLACE)
    with pytest.raises(SealError):
        opened(tmp_path / "b").open(sealed, PLACE)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other ways to say who may read")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_can_read_is_refused(mode: int, tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "emorec.key").chmod(mode)
    with pytest.raises(StoreError, match=rf"emorec\.key: others .*{mode:03o}.*chmod 600"):
        opened(tmp_path)


def test_a_lost_key_is_said_and_not_replaced(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "emorec.key").unlink()
    with pytest.raises(StoreError, match=r"emorec\.key: the store's key is lost.*delete --all"):
        opened(tmp_path)
    assert not (tmp_path / "emorec.key").exists()


@pytest.mark.parametrize("variable", [True, False], ids=["variable", "file"])
def test_another_stores_key_is_said(variable: bool, tmp_path: Path) -> None:
    opened(tmp_path)
    other = base64.b64encode(OTHER).decode()
    if not variable:
        (tmp_path / "emorec.key").write_text(other)
    source = "EMOREC_KEY" if variable else r".*emorec\.key"
    with pytest.raises(StoreError, match=rf"^{source}: is not the key") as raised:
        opened(tmp_path, OTHER if variable else None)
    assert other not in str(raised.value)


@pytest.mark.parametrize("text", ["x", "a" * 64, base64.b64encode(bytes(31)).decode(), "ключ" * 11])
def test_what_is_no_key_is_said_and_not_shown(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (`Deployment` writes the line)
        decoded_key(text)
    (tmp_path / "emorec.key").write_text(text, encoding="utf-8")
    (tmp_path / "emorec.key").chmod(0o600)
    with pytest.raises(StoreError, match=r"emorec\.key: expected 32 random bytes") as raised:
        opened(tmp_path)
    assert text == "x" or text not in str(raised.value)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_that_is_given_is_the_key_and_no_file_is_made(encode, tmp_path: Path) -> None:
    key = b"\xfb\xff" * 16  # + and / in the one alphabet, - and _ in the other
    assert decoded_key(encode(key).decode()) == key
    sealed = opened(tmp_path, key).seal(b"Ada", PLACE)
    assert Vault(key).open(sealed, PLACE) == b"Ada"
    assert not (tmp_path / "emorec.key").exists()


def test_postgresql_needs_the_variable(store: str, tmp_path: Path) -> None:
    if store == "sqlite":
        pytest.skip("there the file is enough")
    engine = connect(Deployment.from_env().database_url, None)
    with pytest.raises(StoreError, match=r"^EMOREC_KEY: not set.*openssl rand"):
        unlock(engine)
    assert not list(tmp_path.rglob("*.key"))


def test_a_store_that_was_emptied_takes_the_next_key_and_no_older_one(store: str) -> None:
    chosen = Deployment.from_env()
    engine = connect(chosen.database_url, chosen.data_folder)
    confirmed = unlock(engine, chosen.key)
    with writing(engine) as session:
        session.get_one(StoreRow, 1).key_check = None
    with writing(engine) as session:
        confirm(session, Vault(OTHER))
    with pytest.raises(StoreError, match="the key in use: is not the key"), writing(engine) as s:
        confirm(s, confirmed)
