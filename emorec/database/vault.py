"""Encryption of stored values: they are sealed before they reach the database.

AES-256 in Galois/Counter Mode, with a random 96-bit nonce for each value (NIST SP 800-38D: safe for
2^32 values under one key). The place that a value belongs to is associated data of its encryption,
which Fernet does not offer: a value that was changed, or copied to another place, cannot be opened.
"""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from emorec.database.engine import file_of, writing
from emorec.database.tables import StoreRow
from emorec.deployment import KEY_BYTES, VARIABLES, decoded_key
from emorec.errors import StoreError
from emorec.words import N_, _

KEY_FILE = "emorec.key"

_NONCE_BYTES = 12
_VERSION = b"\x01"
_CHECK, _CHECK_PLACE = b"emorec", "store.key_check"


class SealError(StoreError):
    """A sealed value was changed, was moved to another place, or was sealed with another key."""


class Vault:
    """Seals values and opens them; several threads may use one.

    Args:
        key: 32 random bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"Expected a key of {KEY_BYTES} bytes. Received {len(key)}.")
        self._cipher = AESGCM(key)

    def seal(self, value: bytes, place: str) -> bytes:
        """Return the value encrypted; `open` needs the same key and the same place."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, value, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Return the value that was sealed.

        Raises:
            SealError: it was changed, belongs to another place, or was sealed with another key.
        """
        body = sealed.removeprefix(_VERSION)
        nonce, encrypted = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, encrypted, place.encode())
        except (InvalidTag, ValueError):
            raise SealError(
                N_("{place}: was changed or damaged outside EmoRec."), place=place
            ) from None


def unlock(engine: Engine, key: bytes | None = None) -> Vault:
    """Return the vault of a store.

    Args:
        engine: the store's database.
        key: the value of ``EMOREC_KEY``, 32 bytes. None reads the key file, which lies beside the
            SQLite file and is made at first use. PostgreSQL needs the variable, because a file on
            a web server is lost with the server.

    Raises:
        StoreError: there is no key, the key is not this store's, the key file holds no key, or
            other users can read the file.
    """
    with writing(engine) as session:  # if two processes start together, only one makes the key
        store = session.get_one(StoreRow, 1, with_for_update=True)
        if key is None:
            found, source = _from_file(engine, new=store.key_check is None)
        else:
            found, source = key, "EMOREC_KEY"
        vault = Vault(found)
        confirm(session, vault, source)
    return vault


def confirm(session: Session, vault: Vault, source: str = N_("the key in use")) -> None:
    """Check that the vault's key is the store's; a store without a key takes this one.

    Call it in every transaction that writes sealed values: another process may have emptied the
    store since, so that it has another key now.

    Raises:
        StoreError: the store has another key.
    """
    store = session.get_one(StoreRow, 1)
    if store.key_check is None:
        store.key_check = vault.seal(_CHECK, _CHECK_PLACE)
        return
    try:
        vault.open(store.key_check, _CHECK_PLACE)
    except SealError:
        raise StoreError(
            N_(
                "{source}: is not the key that the store was made with. Put that key back, or"
                " delete all people with `emorec people delete --all` and enrol them again."
            ),
            source=_(source),
        ) from None


def _from_file(engine: Engine, new: bool) -> tuple[bytes, str]:
    """Return the key of the key file, and the file's name; a new store gets a new key."""
    database = file_of(engine)
    if database is None:
        raise StoreError(
            N_(
                "EMOREC_KEY: not set. A store on PostgreSQL needs it: 32 random bytes in base64, as"
                " `openssl rand -base64 32` prints."
            )
        )
    file = database.with_name(KEY_FILE)
    try:
        if new and not file.exists():
            _make(file)
        return _read(file), str(file)
    except FileNotFoundError:
        raise StoreError(
            N_(
                "{file}: the store's key is lost, and the store cannot be read without it. Put the"
                " file back or set EMOREC_KEY, or delete all people with `emorec people delete"
                " --all`."
            ),
            file=file,
        ) from None
    except OSError as error:
        raise StoreError(
            N_("{file}: cannot be used ({why})."), file=file, why=error.strerror or error
        ) from None


def _read(file: Path) -> bytes:
    with file.open(encoding="ascii", errors="replace") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if os.name != "nt" and mode & 0o077:  # Windows uses access lists, not these bits
            raise StoreError(
                N_("{file}: others can read the key (mode {mode}); run chmod 600 on it."),
                file=file,
                mode=f"{mode:03o}",
            )
        try:
            return decoded_key(stream.read().strip())
        except ValueError:
            expected = VARIABLES["key"].values.expected
            raise StoreError(
                N_("{file}: expected {expected}."), file=file, expected=expected
            ) from None


def _make(file: Path) -> None:
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
